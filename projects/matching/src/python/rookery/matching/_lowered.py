"""A rule in the form in which many of them are evaluated at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from rookery.matching._expression import And, Node, Not, Or
from rookery.matching._leaves import (
    EAGER,
    Edge,
    Field,
    FieldName,
    Group,
    Leaf,
    Near,
    Prefix,
    Regex,
    Substring,
    Term,
)
from rookery.text import FALSE, TRUE

# Words of up to this many characters are so frequent that they say little.
_SHORT: Final = 3
_EAGER: Final = frozenset(group.value for group in EAGER)
_EVERYWHERE: Final = 1e6
_SOURCE_FREQUENCY: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How the leaves of a rule are joined; rules of one shape share it.

    Attributes:
        code: Three numbers for each leaf from left to right: the leaf where evaluation
            goes on if this one is found and if it is not, or `TRUE` or `FALSE`; and
            whether it is negated.
    """

    code: tuple[int, ...]


class Anchor(NamedTuple):
    """What is true of a post that a rule, or an alternative of it, matches.

    Attributes:
        key: The key of an eager leaf.
        guard: That of another eager leaf that is true too, or nothing.
        certain: Whether the rule is true where both are.
    """

    key: str
    guard: str
    certain: bool


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """A rule without its tree.

    Attributes:
        keys: The keys of its leaves from left to right; the place of one is its clause.
        shape: How they are joined.
        anchors: The keys of its anchors, of which one at least is true of every post
            that matches.
        guards: Those of their guards.
        certain: Whether each anchor and its guard are enough.
    """

    keys: tuple[str, ...]
    shape: Shape
    anchors: tuple[str, ...]
    guards: tuple[str, ...]
    certain: tuple[bool, ...]


@dataclass(slots=True)
class _Tree:
    """A node with its negation pushed down: a leaf, or children and how they join."""

    first: int
    negated: bool = False
    is_or: bool = False
    children: list[_Tree] = field(default_factory=list)


_shape = lru_cache(maxsize=65_536)(Shape)


def lower(node: Node) -> Lowered:
    """Lowers a rule.

    Args:
        node: Its expression, which is anchored, as the parser makes sure.

    Returns:
        The rule as a row of leaves.

    Raises:
        ValueError: It is true of a post of which none of its leaves is.
    """
    if isinstance(node, Term):
        key = node.key
        return Lowered((key,), _SINGLE, (key,), ("",), (True,))
    leaves: list[Leaf] = []
    tree = _push(node, False, leaves)
    keys = tuple([leaf.key for leaf in leaves])
    choice = _anchors(tree, leaves, keys)
    if choice is None:
        raise ValueError(f"nothing anchors the rule {node}")
    code: list[int] = []
    _join(tree, TRUE, FALSE, code)
    anchors, guards, certain = zip(*choice.anchors, strict=True)
    return Lowered(keys, _shape(tuple(code)), anchors, guards, certain)


def lone(leaf: Leaf) -> Lowered:
    """Lowers a leaf so that it is looked at in all posts, whatever it is.

    Args:
        leaf: The leaf.

    Returns:
        A rule that asks for nothing else.
    """
    return Lowered((leaf.key,), _SINGLE, (Group.ALWAYS.value,), ("",), (False,))


_SINGLE: Final = _shape((TRUE, FALSE, 0))


def _push(node: Node, negated: bool, leaves: list[Leaf]) -> _Tree:
    if isinstance(node, Not):
        return _push(node.child, not negated, leaves)
    first = len(leaves)
    if not isinstance(node, And | Or):
        leaves.append(node)
        return _Tree(first, negated)
    children = [_push(child, negated, leaves) for child in node.children]
    return _Tree(first, False, isinstance(node, Or) != negated, children)


def _join(tree: _Tree, if_true: int, if_false: int, code: list[int]) -> None:
    """Writes where evaluation goes on behind each leaf."""
    if not tree.children:
        code += (if_false, if_true, 1) if tree.negated else (if_true, if_false, 0)
        return
    following = [child.first for child in tree.children[1:]]
    for child, place in zip(tree.children, following, strict=False):
        if tree.is_or:
            _join(child, if_true, place, code)
        else:
            _join(child, place, if_false, code)
    _join(tree.children[-1], if_true, if_false, code)


class _Choice(NamedTuple):
    """Anchors of a part of a rule, and how often they may be true."""

    frequency: float
    anchors: tuple[Anchor, ...]


def _anchors(tree: _Tree, leaves: list[Leaf], keys: tuple[str, ...]) -> _Choice | None:
    """Chooses anchors; None: there are none.

    Of a conjunction one part is enough, and the rarest is the best; of a disjunction it
    takes all.
    """
    if not tree.children:
        if tree.negated:
            return None
        return _choice(leaves[tree.first], keys[tree.first])
    choices = [_anchors(child, leaves, keys) for child in tree.children]
    known = [choice for choice in choices if choice is not None]
    if not known:
        return None
    if not tree.is_or:
        return _guarded(known, len(choices))
    if len(known) < len(choices):
        return None
    anchors = dict.fromkeys([anchor for choice in known for anchor in choice.anchors])
    return _Choice(sum([choice.frequency for choice in known]), tuple(anchors))


def _guarded(known: list[_Choice], parts: int) -> _Choice:
    """Takes the rarest part of a conjunction, and the next as the guard of its anchors."""
    best, *others = sorted(known)
    guard, sure = "", False
    for other in others:
        if len(other.anchors) == 1 and other.frequency < _EVERYWHERE:
            guard = other.anchors[0].key
            # Nothing is left to look at where the two are all that is asked for.
            sure = (
                parts == 2 and other.anchors[0].certain and not other.anchors[0].guard
            )
            break
    anchors = [
        anchor._replace(
            guard=anchor.guard or guard,
            certain=anchor.certain and sure and not anchor.guard,
        )
        for anchor in best.anchors
    ]
    return _Choice(best.frequency, tuple(anchors))


def _choice(leaf: Leaf, key: str) -> _Choice | None:
    """Says what anchors a leaf, and guesses how often from nothing but its length."""
    match leaf:
        case Term():
            return _Choice(_frequency(leaf.text), (Anchor(key, "", True),))
        case Edge():
            return _Choice(_frequency(leaf.text) / 8, (Anchor(key, "", True),))
        case Near():
            frequency = min(map(_frequency, leaf.words)) / 2
            return _Choice(frequency, (Anchor(key, "", True),))
        case Prefix():
            return _Choice(4 * _frequency(leaf.text), (Anchor(key, "", True),))
        case Substring():
            # Beyond ASCII a character says about as much as three letters.
            frequency = 2 / len(leaf.text.encode()) ** 2
            return _Choice(frequency, (Anchor(key, "", True),))
        case Regex():
            literals = leaf.pattern.literals
            if not literals:
                return _Choice(_EVERYWHERE, (Anchor(Group.ALWAYS.value, "", False),))
            frequency = sum([2 / len(literal.encode()) ** 2 for literal in literals])
            anchors = [
                Anchor(f"{Group.CHARACTERS}{literal}", "", False)
                for literal in literals
            ]
            return _Choice(frequency, tuple(anchors))
        case Field():
            if not leaf.is_selective:
                return None
            is_source = leaf.name is FieldName.SOURCE
            frequency = _SOURCE_FREQUENCY if is_source else 0.001
            return _Choice(frequency, (Anchor(key, "", True),))


def rarest(words: Sequence[str]) -> str:
    """Chooses the word that probably stands in the fewest posts.

    Args:
        words: Words.

    Returns:
        One of them.
    """
    return min(words, key=lambda word: (_frequency(word), word))


def _frequency(text: str) -> float:
    if " " not in text:
        return 1.0 / max(len(text) - _SHORT + 1, 1) ** 2
    words = text.split()
    rarity = max(max(map(len, words), default=0) - _SHORT, 0) + 3 * (len(words) - 1)
    return 1.0 / (1 + rarity) ** 2
