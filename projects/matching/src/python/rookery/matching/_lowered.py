"""A rule in the form in which many of them are evaluated at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from rookery.matching._expression import Node, Not, Or, Term

# Words of up to this many characters are so frequent that they say little.
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Lowered:
    """A rule without its tree.

    Negations stand at the leaves (De Morgan), and the tree has levels: leaves are level
    0, odd levels join by OR, even ones by AND, and every path from the root goes through
    every level, where need be through groups of one. So a level of all rules is
    evaluated at once, whatever the rules look like.

    Attributes:
        terms: The leaves from left to right; the place of one is its clause.
        negated: Whether that leaf must not stand in the text.
        sizes: For each level from 1, the sizes of its groups from left to right.
        anchors: Clauses of which one at least stands in every text that matches.
        certain: Whether any one of the anchors is enough.
    """

    terms: tuple[Term, ...]
    negated: tuple[bool, ...]
    sizes: tuple[tuple[int, ...], ...]
    anchors: tuple[int, ...]
    certain: bool


@dataclass(slots=True)
class _Tree:
    """A node with its negation pushed down: a leaf, or children and how they join."""

    height: int
    clause: int = -1
    negated: bool = False
    children: list[_Tree] = field(default_factory=list)


@lru_cache(maxsize=1 << 18)
def lower(node: Node) -> Lowered:
    """Lowers a rule; the same rule again costs nothing.

    Args:
        node: Its expression, which is anchored, as the parser makes sure.

    Returns:
        The rule in levels.

    Raises:
        ValueError: It is true of a text in which none of its terms stands.
    """
    terms: list[Term] = []
    tree = _push(node, False, terms)
    negated: list[bool] = []
    sizes: list[list[int]] = [[] for _ in range(tree.height)]
    _flatten(tree, tree.height, negated, sizes)
    choice = _anchors(tree, terms)
    if choice is None:
        raise ValueError(f"nothing anchors the rule {node}")
    return Lowered(
        terms=tuple(terms),
        negated=tuple(negated),
        sizes=tuple(map(tuple, sizes)),
        anchors=tuple(choice[1]),
        certain=tree.height <= 1,
    )


def _push(node: Node, negated: bool, terms: list[Term]) -> _Tree:
    if isinstance(node, Term):
        terms.append(node)
        return _Tree(0, len(terms) - 1, negated)
    if isinstance(node, Not):
        return _push(node.child, not negated, terms)
    children = [_push(child, negated, terms) for child in node.children]
    height = max(child.height for child in children) + 1
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


def _anchors(tree: _Tree, terms: list[Term]) -> tuple[float, list[int]] | None:
    """Chooses anchors, and says how often they may stand in a text; None: there are none.

    Of a conjunction one part is enough, and the rarest is the best; of a disjunction it
    takes all.
    """
    if not tree.children:
        if tree.negated:
            return None
        return _frequency(terms[tree.clause]), [tree.clause]
    choices = [_anchors(child, terms) for child in tree.children]
    known = [choice for choice in choices if choice is not None]
    if tree.height % 2 == 0:
        return min(known, default=None)
    if len(known) < len(choices):
        return None
    return (
        sum(frequency for frequency, _ in known),
        [clause for _, clauses in known for clause in clauses],
    )


def _frequency(term: Term) -> float:
    """Guesses how often a term stands in a text, from nothing but its length."""
    words = term.text.split()
    longest = max(map(len, words), default=0)
    rarity = max(longest - _SHORT, 0) + 3 * (len(words) - 1)
    return 1.0 / (1 + rarity) ** 2
