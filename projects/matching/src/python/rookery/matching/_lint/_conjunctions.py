"""A rule as alternatives: conjunctions of leaves, and what follows from a leaf."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from rookery.matching._language._expression import And, Node, Not, Or
from rookery.matching._language._leaves import Edge, Field, FieldName, Group, Leaf, Near

# A rule that has more alternatives when it is written out is left alone. What is a list has
# as many as it has entries; groups beside each other multiply, and share what they ask for.
MAX_ALTERNATIVES: Final = 4096
MAX_PRODUCT: Final = 256
_SIGNS: Final = "#@$"
_PREFIX: Final = Group.PREFIX.value
# Of these a post has one only; a language may be a variety of another.
_ALONE: Final = (Group.AUTHOR, Group.SOURCE, Group.LANGUAGE)


class Conjunction(NamedTuple):
    """Leaves that all have to be true, or not true.

    Attributes:
        wanted: Keys of leaves that have to be true.
        unwanted: Keys of leaves that must not be.
    """

    wanted: frozenset[str]
    unwanted: frozenset[str]

    def joined(self, other: Conjunction) -> Conjunction:
        """Asks for all that both ask for."""
        return Conjunction(self.wanted | other.wanted, self.unwanted | other.unwanted)

    def contains(self, other: Conjunction) -> bool:
        """Tells whether it asks for all that another one asks for."""
        return self.wanted >= other.wanted and self.unwanted >= other.unwanted


def alternatives(node: Node) -> frozenset[Conjunction] | None:
    """Writes a rule out as alternatives.

    Args:
        node: The expression.

    Returns:
        Conjunctions of which one at least is true where the rule is, none of them more
        than another one; None where there would be too many.
    """
    found = _alternatives(node, negated=False)
    return found if found is None or len(found) == 1 else _least(found)


def _least(found: frozenset[Conjunction]) -> frozenset[Conjunction]:
    """Leaves out what asks for all that another one asks for, and more."""
    kept: list[Conjunction] = []
    # By one of its leaves: what contains it has this leaf too.
    index: dict[tuple[str, bool], list[Conjunction]] = {}
    for _, same_size in groupby(sorted(found, key=_size), key=_size):
        left = [one for one in same_size if not _is_more(one, index)]
        kept += left
        # None of one size contains another.
        for one in left:
            signed = _signed(one)
            rarest = min(signed, key=lambda each: (len(index.get(each, ())), each))
            index.setdefault(rarest, []).append(one)
    return found if len(kept) == len(found) else frozenset(kept)


def _is_more(
    one: Conjunction, index: Mapping[tuple[str, bool], list[Conjunction]]
) -> bool:
    if not index:
        return False
    return any(
        one.contains(other) for each in _signed(one) for other in index.get(each, ())
    )


def _signed(one: Conjunction) -> list[tuple[str, bool]]:
    return [(key, True) for key in one.wanted] + [(key, False) for key in one.unwanted]


def _size(one: Conjunction) -> int:
    return len(one.wanted) + len(one.unwanted)


def _alternatives(node: Node, *, negated: bool) -> frozenset[Conjunction] | None:
    if isinstance(node, Not):
        return _alternatives(node.child, negated=not negated)
    if not isinstance(node, And | Or):
        one, none = frozenset((node.key,)), frozenset[str]()
        return frozenset(
            (Conjunction(none, one) if negated else Conjunction(one, none),)
        )
    if isinstance(node, Or) != negated:
        return _any_of(node.children, negated=negated)
    return _all_of(node.children, negated=negated)


def _any_of(
    children: tuple[Node, ...], *, negated: bool
) -> frozenset[Conjunction] | None:
    union: set[Conjunction] = set()
    for child in children:
        part = _alternatives(child, negated=negated)
        if part is None or len(union) + len(part) > MAX_ALTERNATIVES:
            return None
        union |= part
    return frozenset(union)


def _all_of(
    children: tuple[Node, ...], *, negated: bool
) -> frozenset[Conjunction] | None:
    # What has one alternative only is the same in all.
    wanted: set[str] = set()
    unwanted: set[str] = set()
    several: list[frozenset[Conjunction]] = []
    count = 1
    for child in children:
        part = _alternatives(child, negated=negated)
        if part is None:
            return None
        if len(part) == 1:
            (only,) = part
            wanted |= only.wanted
            unwanted |= only.unwanted
            continue
        count *= len(part)
        if count > MAX_PRODUCT:
            return None
        several.append(part)
    joined = [Conjunction(frozenset(wanted), frozenset(unwanted))]
    for part in several:
        joined = [one.joined(other) for one in joined for other in part]
    return frozenset(joined)


def implied(key: str, leaf: Leaf, *, prefixes: Collection[int]) -> Iterator[str]:
    """Lists what is true wherever a leaf is, as far as it is plain from how it is written.

    Args:
        key: The key of the leaf.
        leaf: The leaf.
        prefixes: Which beginnings of words to list too, by their size with their sign.

    Yields:
        Keys; its own is the first.
    """
    yield key
    match leaf:
        case Edge(_, start, end):
            phrase = leaf.phrase.key
            if start and end:
                yield f"{Group.EDGE}^ {phrase[1:]}"
                yield f"{Group.EDGE}$ {phrase[1:]}"
            yield from _parts(phrase, prefixes)
        case Near():
            for word in dict.fromkeys(leaf.words):
                yield from _parts(f"{Group.PHRASE}{word}", prefixes)
        case Field(FieldName.LANG):
            while "-" in key:
                key = key.rpartition("-")[0]
                yield key
        case _:
            if key[0] in (Group.PHRASE, Group.ADDRESS, Group.PREFIX):
                yield from _parts(key, prefixes)


def _parts(key: str, prefixes: Collection[int]) -> Iterator[str]:
    """Lists the parts of a phrase, and what their words begin with."""
    group, words = key[0], key[1:].split(" ")
    if group != Group.PREFIX:
        for begin in range(len(words)):
            for end in range(begin + 1, len(words) + 1):
                part = " ".join(words[begin:end])
                yield group + part
                if part[0] in _SIGNS:
                    yield group + part[1:]
    if group == Group.ADDRESS or not prefixes:
        return
    for word in words:
        signed = word[0] in _SIGNS
        for beginning in (word, word[1:]) if signed else (word,):
            for size in prefixes:
                if size <= len(beginning):
                    yield f"{_PREFIX}{beginning[:size]}"


def contradiction(
    one: Conjunction, follows: Mapping[str, frozenset[str]]
) -> tuple[str, str, bool] | None:
    """Looks for what cannot be true at once.

    Args:
        one: A conjunction.
        follows: For each key, what is true where it is.

    Returns:
        The key of a leaf that is wanted, that of one that it cannot stand beside, and
        whether this one is wanted too; None where nothing is found.
    """
    if one.unwanted:
        for key in sorted(one.wanted):
            clash = follows[key] & one.unwanted
            if clash:
                return key, min(clash), False
    alone = sorted(key for key in one.wanted if key[0] in _ALONE)
    for first, second in pairwise(alone):
        if first[0] == second[0] and not f"{second}-".startswith(f"{first}-"):
            return first, second, True
    return None
