"""A rule in the form in which many of them are evaluated at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

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

# Words of up to this many characters are so frequent that they say little.
_SHORT: Final = 3
_LONG: Final = 64
_RARITY: Final = [1.0 / max(size - _SHORT + 1, 1) ** 2 for size in range(_LONG + 1)]
_EAGER: Final = frozenset(group.value for group in EAGER)
_EVERYWHERE: Final = 1e6
_SOURCE_FREQUENCY: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How the leaves of a rule are joined; rules of one shape share it.

    Negations stand at the leaves (De Morgan), and the tree has levels: leaves are level
    0, odd levels join by OR, even ones by AND, and every path from the root goes through
    every level, where need be through groups of one. So a level of all rules is
    evaluated at once, whatever the rules look like.

    Attributes:
        negated: For each leaf from left to right, whether it must not be true.
        sizes: For each level from 1, the sizes of its groups from left to right.
    """

    negated: tuple[bool, ...]
    sizes: tuple[tuple[int, ...], ...]

    @property
    def height(self) -> int:
        """How many levels it has above its leaves."""
        return len(self.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """A rule without its tree.

    Attributes:
        keys: The keys of its leaves from left to right; the place of one is its clause.
        lazy: The leaves that are lazy, behind their keys.
        shape: How they are joined.
        anchors: Keys of which one at least is true of every post that matches.
        certain: Whether any one of the anchors is enough.
    """

    keys: tuple[str, ...]
    lazy: tuple[tuple[str, Leaf], ...]
    shape: Shape
    anchors: tuple[str, ...]
    certain: bool


@dataclass(slots=True)
class _Tree:
    """A node with its negation pushed down: a leaf, or children and how they join."""

    height: int
    clause: int = -1
    negated: bool = False
    children: list[_Tree] = field(default_factory=list)


_shape = lru_cache(maxsize=65_536)(Shape)


def lower(node: Node) -> Lowered:
    """Lowers a rule.

    Args:
        node: Its expression, which is anchored, as the parser makes sure.

    Returns:
        The rule in levels.

    Raises:
        ValueError: It is true of a post of which none of its leaves is.
    """
    lowered = _flat(node) or _deep(node)
    if lowered is None:
        raise ValueError(f"nothing anchors the rule {node}")
    return lowered


def _deep(node: Node) -> Lowered | None:
    """Lowers any rule; None: it has no anchor."""
    leaves: list[Leaf] = []
    tree = _push(node, False, leaves)
    choice = _anchors(tree, leaves)
    if choice is None:
        return None
    negated: list[bool] = []
    sizes: list[list[int]] = [[] for _ in range(tree.height)]
    _flatten(tree, tree.height, negated, sizes)
    shape = _shape(tuple(negated), tuple(map(tuple, sizes)))
    return _lowered(leaves, shape, choice)


def _flat(node: Node) -> Lowered | None:
    """Lowers a rule of two levels without a tree, as most are.

    Args:
        node: Its expression.

    Returns:
        The same as with a tree; None where one is needed, or the rule has no anchor.
    """
    parts = node.children if isinstance(node, And) else (node,)
    leaves: list[Leaf] = []
    negated: list[bool] = []
    sizes: list[int] = []
    choices: list[_Choice | None] = []
    for part in parts:
        negative = isinstance(part, Not)
        if isinstance(part, Not):
            part = part.child
        if isinstance(part, Or):
            group = [child for child in part.children if not isinstance(child, _INNER)]
            if negative or len(group) < len(part.children):
                return None
            choices.append(_any([_choice(leaf) for leaf in group]))
            leaves += group
            negated += [False] * len(group)
            sizes.append(len(group))
        elif isinstance(part, And | Not):
            return None
        else:
            if not negative:
                choices.append(_choice(part))
            leaves.append(part)
            negated.append(negative)
            sizes.append(1)
    choice = _rarest(choices)
    if choice is None:
        return None
    levels: tuple[tuple[int, ...], ...] = (tuple(sizes), (len(sizes),))
    if isinstance(node, Or):
        levels = levels[:1]
    elif not isinstance(node, And):
        levels = ()
    return _lowered(leaves, _shape(tuple(negated), levels), choice)


def _lowered(leaves: list[Leaf], shape: Shape, choice: _Choice) -> Lowered:
    keys = tuple([leaf.key for leaf in leaves])
    lazy = tuple([(leaf.key, leaf) for leaf in leaves if leaf.key[0] not in _EAGER])
    anchors = choice[1]
    if len(anchors) > 1:
        anchors = tuple(dict.fromkeys(anchors))
    return Lowered(keys, lazy, shape, anchors, shape.height <= 1 and not lazy)


def triggers(leaf: Leaf) -> tuple[str, ...]:
    """Names what has to be found in a post before a leaf is looked at.

    Args:
        leaf: A leaf.

    Returns:
        Keys of eager leaves, one of which at least is true where this leaf is; none
        where it does not say.
    """
    choice = _choice(leaf)
    return () if choice is None else choice[1]


def parts(leaf: Leaf) -> tuple[str, ...]:
    """Names what has to be looked for in all posts so that a leaf can be looked at.

    Args:
        leaf: A leaf.

    Returns:
        Keys of eager leaves.
    """
    if isinstance(leaf, Near):
        return tuple([f"{Group.PHRASE}{word}" for word in leaf.words])
    return triggers(leaf)


def _push(node: Node, negated: bool, leaves: list[Leaf]) -> _Tree:
    if isinstance(node, Not):
        return _push(node.child, not negated, leaves)
    if not isinstance(node, And | Or):
        leaves.append(node)
        return _Tree(0, len(leaves) - 1, negated)
    children = [_push(child, negated, leaves) for child in node.children]
    height = max([child.height for child in children]) + 1
    is_or = isinstance(node, Or) != negated
    # OR has odd levels, AND even ones.
    return _Tree(height + ((height % 2 == 1) != is_or), children=children)


def _flatten(
    tree: _Tree, level: int, negated: list[bool], sizes: list[list[int]]
) -> None:
    if level == 0:
        negated.append(tree.negated)
    elif tree.height < level:
        sizes[level - 1].append(1)
        _flatten(tree, level - 1, negated, sizes)
    else:
        sizes[level - 1].append(len(tree.children))
        for child in tree.children:
            _flatten(child, level - 1, negated, sizes)


_INNER: Final = (And, Or, Not)
_Choice = tuple[float, tuple[str, ...]]


def _anchors(tree: _Tree, leaves: list[Leaf]) -> _Choice | None:
    """Chooses anchors, and says how often they may be true; None: there are none."""
    if not tree.children:
        return None if tree.negated else _choice(leaves[tree.clause])
    choices = [_anchors(child, leaves) for child in tree.children]
    return _rarest(choices) if tree.height % 2 == 0 else _any(choices)


def _rarest(choices: list[_Choice | None]) -> _Choice | None:
    """Chooses for a conjunction, of which one part is enough: the rarest is the best."""
    if len(choices) == 1:
        return choices[0]
    return min([choice for choice in choices if choice is not None], default=None)


def _any(choices: list[_Choice | None]) -> _Choice | None:
    """Chooses for a disjunction, which takes all of its parts."""
    known = [choice for choice in choices if choice is not None]
    if len(known) < len(choices):
        return None
    frequency = sum([frequency for frequency, _ in known])
    return frequency, tuple([key for _, keys in known for key in keys])


def _choice(leaf: Leaf) -> _Choice | None:
    """Says what anchors a leaf, and guesses how often from nothing but its length."""
    key = leaf.key
    if isinstance(leaf, Term):
        return _frequency(leaf.text), (key,)
    match leaf:
        case Edge():
            return _frequency(leaf.text), (leaf.phrase.key,)
        case Near():
            word = min(leaf.words, key=lambda word: (_frequency(word), word))
            return _frequency(word), (f"{Group.PHRASE}{word}",)
        case Prefix():
            return 4 * _frequency(leaf.text), (key,)
        case Substring():
            # Beyond ASCII a character says about as much as three letters.
            return 2 / len(leaf.text.encode()) ** 2, (key,)
        case Regex():
            literals = leaf.pattern.literals
            if not literals:
                return _EVERYWHERE, (Group.ALWAYS,)
            frequency = sum([2 / len(literal.encode()) ** 2 for literal in literals])
            return frequency, tuple([f"{Group.CHARACTERS}{each}" for each in literals])
        case Field():
            if not leaf.is_selective:
                return None
            is_source = leaf.name is FieldName.SOURCE
            return _SOURCE_FREQUENCY if is_source else 0.001, (key,)


def _frequency(text: str) -> float:
    if " " not in text:
        return _RARITY[min(len(text), _LONG)]
    words = text.split()
    rarity = max(max(map(len, words), default=0) - _SHORT, 0) + 3 * (len(words) - 1)
    return 1.0 / (1 + rarity) ** 2
