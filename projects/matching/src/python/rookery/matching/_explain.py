"""Why a rule matches a post, or why not: clause by clause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from typing_extensions import override

from rookery.matching._expression import And, Node, Not, Or, Term
from rookery.matching._rules import Rule
from rookery.text import oracle


@dataclass(frozen=True)
class Explanation:
    """A clause of a rule and whether it is true of a post.

    Attributes:
        text: The clause as it is written in the rule.
        true: Whether it holds.
        clause: The number of the term, as in the spans of a match; None for a clause
            made of others.
        spans: Where the term stands in the text: start and end in characters.
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
    """Explains a rule on one post.

    It shares nothing with `Matcher` but the expression: each term is looked for on its
    own, naively, which for one post is fast enough.

    Args:
        rule: The rule.
        post: The post, by column; `text` is read and must be there.

    Returns:
        The tree of clauses.
    """
    text = str(post["text"])
    return _explain(rule.expression, text, count())


def _explain(node: Node, text: str, clauses: Iterator[int]) -> Explanation:
    match node:
        case Term():
            hits = oracle.find([node.phrase], [text], boundaries=not node.is_symbol)
            found = tuple((hit.start, hit.end) for hit in hits)
            return Explanation(str(node), bool(found), next(clauses), found)
        case Not(child):
            inner = _explain(child, text, clauses)
            return Explanation(str(node), not inner.true, children=(inner,))
        case And(children):
            parts = tuple(_explain(child, text, clauses) for child in children)
            return Explanation(
                str(node), all(part.true for part in parts), children=parts
            )
        case Or(children):
            parts = tuple(_explain(child, text, clauses) for child in children)
            return Explanation(
                str(node), any(part.true for part in parts), children=parts
            )
