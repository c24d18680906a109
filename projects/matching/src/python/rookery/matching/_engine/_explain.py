"""Why a rule matches a post, or why not: clause by clause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

import pyarrow as pa
from typing_extensions import override

from rookery.matching._engine._engine import Engine, Limits
from rookery.matching._language._expression import And, Node, Not, Or
from rookery.matching._language._expression import leaves as leaves_of
from rookery.matching._language._lowered import lone
from rookery.matching._rules import Rule
from rookery.records import POST


@dataclass(frozen=True)
class Explanation:
    """A clause of a rule and whether it is true of a post.

    Attributes:
        text: The clause as it is written in the rule.
        true: Whether it holds.
        clause: The number of the leaf, as in the spans of a match; None for a clause
            made of others.
        spans: Where the leaf stands in the text: start and end in characters.
        children: The clauses it is made of.
    """

    text: str
    true: bool
    clause: int | None = None
    spans: tuple[tuple[int, int], ...] = ()
    children: tuple[Explanation, ...] = ()

    @override
    def __str__(self) -> str:
        return "\n".join(self._lines(0))

    def _lines(self, depth: int) -> Iterator[str]:
        places = ", ".join(f"{start}-{end}" for start, end in self.spans)
        at = f"  at {places}" if places else ""
        yield f"{'  ' * depth}{'yes' if self.true else 'no '}  {self.text}{at}"
        for child in self.children:
            yield from child._lines(depth + 1)


def explain(rule: Rule, post: Mapping[str, object]) -> Explanation:
    """Explains a rule on one post, with what `Matcher` evaluates it with.

    Whether the rule is enabled does not matter.

    Args:
        rule: The rule.
        post: The post, by column; `text` must be there, other columns of `POST` are
            read where the rule asks for them.

    Returns:
        The tree of clauses.
    """
    node = rule.expression.node
    # Each leaf is a rule of its own, looked at whatever becomes of the others.
    alone = [lone(leaf) for leaf in leaves_of(node)]
    truths = Engine(alone, Limits()).match(_batch(post))
    leaves = [_Leaf(False, ())] * len(alone)
    for number in truths.expression.tolist():
        chosen = truths.span_expression == number
        starts, ends = truths.start[chosen].tolist(), truths.end[chosen].tolist()
        leaves[number] = _Leaf(True, tuple(zip(starts, ends, strict=True)))
    return _explain(node, leaves, count())


def _batch(post: Mapping[str, object]) -> pa.RecordBatch:
    columns = {
        field.name: pa.array(
            [post.get(field.name, [] if pa.types.is_list(field.type) else None)],
            field.type,
        )
        for field in POST
        if field.name in READ
    }
    return pa.RecordBatch.from_pydict(columns)


# The columns that rules ask for.
READ: Final = ("text", "author", "source", "language", "links", "media")


@dataclass(frozen=True)
class _Leaf:
    true: bool
    spans: tuple[tuple[int, int], ...]


def _explain(node: Node, leaves: list[_Leaf], clauses: Iterator[int]) -> Explanation:
    match node:
        case Not(child):
            inner = _explain(child, leaves, clauses)
            return Explanation(str(node), not inner.true, children=(inner,))
        case And(children) | Or(children):
            parts = tuple(_explain(child, leaves, clauses) for child in children)
            join = all if isinstance(node, And) else any
            true = join(part.true for part in parts)
            return Explanation(str(node), true, children=parts)
        case _:
            clause = next(clauses)
            leaf = leaves[clause]
            return Explanation(str(node), leaf.true, clause, leaf.spans)
