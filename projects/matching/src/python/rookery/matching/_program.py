"""A rule set compiled for evaluation over columns.

All terms of all rules become one phrase table. A rule can only be true of a post in which
one of its anchors stands (`anchors`), so only those pairs of post and rule are looked at;
and rules of one shape, such as `a b -c`, are evaluated together on a matrix of which of
their terms stand in which post. Source for the prefilter: Aho and Corasick's
use for rule engines as in High Performance Python, 2nd edition, chapter 12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rookery.matching._expression import And, Node, Not, Or, Term, is_anchored, leaves
from rookery.matching._rules import RuleSet

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Shape = Callable[[Booleans], Booleans]


@dataclass(frozen=True, eq=False)
class Program:
    """A compiled rule set.

    Attributes:
        phrases: The distinct phrases of all terms.
        shapes: What combines the terms of a rule: (pairs, terms) bool to (pairs,) bool.
        shape_of: Rule to index into `shapes`, int64.
        terms: Phrase of each term of each rule, rule after rule, int64.
        shown: Whether that term explains a match (it stands under no negation), bool.
        first_term: Rule to its first entry in `terms`; one more than rules, int64.
        anchored: Rules by anchoring phrase, phrase after phrase, int64.
        first_anchored: Phrase to its first entry in `anchored`; one more, int64.
    """

    phrases: tuple[str, ...]
    shapes: tuple[Shape, ...]
    shape_of: Integers
    terms: Integers
    shown: Booleans
    first_term: Integers
    anchored: Integers
    first_anchored: Integers


def compile_rules(rules: RuleSet) -> Program:
    """Compiles a rule set.

    Args:
        rules: The rules.

    Returns:
        The program.
    """
    phrases: dict[str, int] = {}
    shapes: dict[str, int] = {}
    functions: list[Shape] = []
    shape_of: list[int] = []
    terms: list[int] = []
    shown: list[bool] = []
    first_term = [0]
    pairs: list[tuple[int, int]] = []
    for number, rule in enumerate(rules.rules):
        for term in leaves(rule.expression):
            terms.append(phrases.setdefault(term.phrase, len(phrases)))
        first_term.append(len(terms))
        shown += _polarity(rule.expression)
        signature = _signature(rule.expression)
        if signature not in shapes:
            shapes[signature] = len(functions)
            functions.append(_shape(rule.expression, iter(range(len(terms)))))
        shape_of.append(shapes[signature])
        pairs += [(phrases[text], number) for text in anchors(rule.expression)]
    postings = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    counts = np.bincount(postings[:, 0], minlength=len(phrases))
    return Program(
        tuple(phrases),
        tuple(functions),
        np.array(shape_of, dtype=np.int64),
        np.array(terms, dtype=np.int64),
        np.array(shown, dtype=np.bool_),
        np.array(first_term, dtype=np.int64),
        postings[:, 1].copy(),
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
    )


def anchors(node: Node) -> frozenset[str]:
    """Chooses phrases of which one at least stands in every text the rule is true of.

    Of a conjunction the child with the fewest and longest anchors is enough, since a
    long phrase is rarer than a short one.

    Args:
        node: An anchored expression.

    Returns:
        The phrases.

    Raises:
        ValueError: It is a negation, which nothing anchors.
    """
    match node:
        case Term():
            return frozenset((node.phrase,))
        case Or(children):
            return frozenset().union(*(anchors(child) for child in children))
        case And(children):
            choices = [anchors(child) for child in children if is_anchored(child)]
            return min(
                choices,
                key=lambda choice: (len(choice), -min(len(text) for text in choice)),
            )
        case Not():
            raise ValueError(f"a negation anchors nothing: {node}")


def _signature(node: Node) -> str:
    match node:
        case Term():
            return "t"
        case Not(child):
            return f"-{_signature(child)}"
        case And(children):
            return f"({' '.join(_signature(child) for child in children)})"
        case Or(children):
            return f"({'|'.join(_signature(child) for child in children)})"


def _polarity(node: Node, positive: bool = True) -> list[bool]:
    match node:
        case Term():
            return [positive]
        case Not(child):
            return _polarity(child, not positive)
        case And(children) | Or(children):
            return [shown for child in children for shown in _polarity(child, positive)]


def _shape(node: Node, slots: Iterator[int]) -> Shape:
    """Builds a function of the matrix of terms; terms are numbered left to right."""
    match node:
        case Term():
            slot = next(slots)
            return lambda present: present[:, slot]
        case Not(child):
            inner = _shape(child, slots)
            return lambda present: ~inner(present)
        case And(children):
            parts = [_shape(child, slots) for child in children]
            return lambda present: np.logical_and.reduce(
                [part(present) for part in parts]
            )
        case Or(children):
            parts = [_shape(child, slots) for child in children]
            return lambda present: np.logical_or.reduce(
                [part(present) for part in parts]
            )
