"""A rule in the form in which many of them are evaluated at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from rookery.matching._language._expression import And, Node, Not, Or
from rookery.matching._language._leaves import (
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
_LONG: Final = 64
_RARITY: Final = [1.0 / max(size - _SHORT + 1, 1) ** 2 for size in range(_LONG + 1)]
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


class Lowered(NamedTuple):
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


# What is true of a post that a rule, or an alternative of it, matches: the key of an eager
# leaf, its guard, and whether the rule is true where both are.
Anchor = tuple[str, str, bool]
# Anchors of a part of a rule, and how often they may be true. Plain tuples: a rule set has
# very many of them, for a short while.
_Choice = tuple[float, tuple[Anchor, ...]]
# Says how often what has a key may be true, given a guess.
_Share = Callable[[str, float], float]
_FREE: Final = ("",)
_SURE: Final = (True,)

_shape = lru_cache(maxsize=65_536)(Shape)
_SINGLE: Final = _shape((TRUE, FALSE, 0))
_INNER: Final = (And, Or, Not)
# The size of a group that is one negated leaf.
_NEGATED: Final = -1


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
        keys = (node.key,)
        return Lowered(keys, _SINGLE, keys, _FREE, _SURE)
    flat = _flat(node)
    if flat is not None:
        return flat
    leaves: list[Leaf] = []
    tree = _push(node, False, leaves)
    choice = _anchors(tree, leaves, _guess)
    if choice is None:
        raise ValueError(f"nothing anchors the rule {node}")
    code: list[int] = []
    _join(tree, TRUE, FALSE, code)
    return _lowered(leaves, _shape(tuple(code)), choice)


def _flat(node: Node) -> Lowered | None:
    """Lowers a rule of two levels without a tree, as most are: leaves and groups of OR.

    Args:
        node: Its expression.

    Returns:
        The same as with a tree; None where one is needed, or the rule has no anchor.
    """
    parts = node.children if isinstance(node, And) else (node,)
    leaves: list[Leaf] = []
    sizes: list[int] = []
    known: list[_Choice] = []
    for part in parts:
        choice: _Choice | None = None
        if isinstance(part, Or):
            group = [child for child in part.children if not isinstance(child, _INNER)]
            if len(group) < len(part.children):
                return None
            leaves += group
            sizes.append(len(group))
            some = [one for one in [_choice(leaf) for leaf in group] if one is not None]
            choice = _joined(some, len(group), is_or=True)
        elif isinstance(part, Not):
            if isinstance(part.child, _INNER):
                return None
            leaves.append(part.child)
            sizes.append(_NEGATED)
        elif isinstance(part, And):
            return None
        else:
            leaves.append(part)
            sizes.append(1)
            choice = _choice(part)
        if choice is not None:
            known.append(choice)
    chosen = _joined(known, len(parts), is_or=False)
    if chosen is None:
        return None
    return _lowered(leaves, _flat_shape(tuple(sizes)), chosen)


def _lowered(leaves: list[Leaf], shape: Shape, choice: _Choice) -> Lowered:
    keys = tuple([leaf.key for leaf in leaves])
    if len(choice[1]) == 1:
        ((anchor, guard, certain),) = choice[1]
        return Lowered(keys, shape, (anchor,), (guard,), (certain,))
    anchors, guards, certainties = zip(*choice[1], strict=True)
    return Lowered(keys, shape, anchors, guards, certainties)


@lru_cache(maxsize=65_536)
def _flat_shape(sizes: tuple[int, ...]) -> Shape:
    """Makes the shape of a conjunction of groups of such sizes."""
    groups: list[_Tree] = []
    first = 0
    for size in sizes:
        places = range(first, first + abs(size))
        children = [_Tree(place) for place in places] if size > 1 else []
        groups.append(_Tree(first, size == _NEGATED, True, children))
        first = places.stop
    code: list[int] = []
    _join(_Tree(0, children=groups), TRUE, FALSE, code)
    return _shape(tuple(code))


def lone(leaf: Leaf) -> Lowered:
    """Lowers a leaf so that it is looked at in all posts, whatever it is.

    Args:
        leaf: The leaf.

    Returns:
        A rule that asks for nothing else.
    """
    return Lowered((leaf.key,), _SINGLE, (Group.ALWAYS.value,), _FREE, (False,))


@dataclass(slots=True)
class _Tree:
    """A node with its negation pushed down: a leaf, or children and how they join."""

    first: int
    negated: bool = False
    is_or: bool = False
    children: list[_Tree] = field(default_factory=list)


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


def _anchors(tree: _Tree, leaves: list[Leaf], share: _Share) -> _Choice | None:
    """Chooses anchors, and says how often they may be true; None: there are none."""
    if not tree.children:
        return None if tree.negated else _choice(leaves[tree.first], share)
    choices = [_anchors(child, leaves, share) for child in tree.children]
    known = [choice for choice in choices if choice is not None]
    return _joined(known, len(choices), is_or=tree.is_or)


def _joined(known: list[_Choice], parts: int, *, is_or: bool) -> _Choice | None:
    """Chooses anchors of what has so many parts, not all of which have some."""
    if is_or:
        return _any(known) if len(known) == parts else None
    if parts == 1 or not known:
        return known[0] if known else None
    return _guarded(known, parts)


def _any(known: list[_Choice]) -> _Choice:
    """Chooses for a disjunction, which takes all of its parts."""
    anchors = dict.fromkeys([anchor for _, anchors in known for anchor in anchors])
    return sum([frequency for frequency, _ in known]), tuple(anchors)


def _guarded(known: list[_Choice], parts: int) -> _Choice:
    """Chooses for a conjunction: its rarest part, guarded by the next one."""
    known.sort()
    frequency, best = known[0]
    guard, proves = "", False
    for its_frequency, anchors in known[1:]:
        if len(anchors) == 1 and its_frequency < _EVERYWHERE:
            guard, its_guard, certain = anchors[0]
            # Nothing is left to look at where the two are all that is asked for.
            proves = parts == 2 and certain and not its_guard
            break
    return frequency, tuple(
        [
            (key, own or guard, certain and proves and not own)
            for key, own, certain in best
        ]
    )


def _guess(key: str, guess: float) -> float:
    return guess


def _choice(leaf: Leaf, share: _Share = _guess) -> _Choice | None:
    """Says what anchors a leaf, and how often it may be true.

    That is guessed from nothing but its length, where it is not known better.
    """
    key = leaf.key
    if isinstance(leaf, Term):
        return share(key, _frequency(leaf.text)), ((key, "", True),)
    if isinstance(leaf, Regex):
        return _choice_of_literals(leaf, share)
    if isinstance(leaf, Field) and not leaf.is_selective:
        return None
    if isinstance(leaf, Near):
        words = [share(Group.PHRASE + word, _frequency(word)) for word in leaf.words]
        return min(words) / 2, ((key, "", True),)
    return share(key, _leaf_frequency(leaf)), ((key, "", True),)


def _leaf_frequency(leaf: Edge | Prefix | Substring | Field) -> float:
    match leaf:
        case Edge():
            return _frequency(leaf.text) / 8
        case Prefix():
            return 4 * _frequency(leaf.text)
        case Substring():
            return _characters_frequency(leaf.text)
        case Field():
            return _SOURCE_FREQUENCY if leaf.name is FieldName.SOURCE else 0.001


def _choice_of_literals(leaf: Regex, share: _Share) -> _Choice:
    literals = leaf.pattern.literals
    if not literals:
        return _EVERYWHERE, ((Group.ALWAYS.value, "", False),)
    often = [
        share(Group.CHARACTERS + each, _characters_frequency(each)) for each in literals
    ]
    anchors = [(Group.CHARACTERS + each, "", False) for each in literals]
    return sum(often), tuple(anchors)


def _characters_frequency(text: str) -> float:
    # Beyond ASCII a character says about as much as three letters.
    return 2 / len(text.encode()) ** 2


def anchors_of(node: Node, share: Callable[[str, float], float]) -> tuple[Anchor, ...]:
    """Chooses the anchors of a rule once more.

    Args:
        node: Its expression.
        share: Says of how many posts what has a key is true, from 0 to 1; it is given a
            guess too, whose scale is another one.

    Returns:
        The anchors.

    Raises:
        ValueError: It is true of a post of which none of its leaves is.
    """
    leaves: list[Leaf] = []
    tree = _push(node, False, leaves)
    choice = _anchors(tree, leaves, share)
    if choice is None:
        raise ValueError(f"nothing anchors the rule {node}")
    return choice[1]


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
        return _RARITY[min(len(text), _LONG)]
    words = text.split()
    rarity = max(max(map(len, words), default=0) - _SHORT, 0) + 3 * (len(words) - 1)
    return 1.0 / (1 + rarity) ** 2
