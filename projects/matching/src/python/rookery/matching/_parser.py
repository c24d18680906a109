"""From the text of a rule to its expression, by recursive descent.

The grammar stands in `docs/rules.md`; each method here reads one rule of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from typing_extensions import override

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._expression import (
    Node,
    Not,
    conjunction,
    disjunction,
    is_anchored,
    is_positive,
)
from rookery.matching._lexer import Token, tokens
from rookery.matching._lowered import lower
from rookery.matching._terms import leaf_of

MAX_DEPTH: Final = 64


class Expression:
    """A parsed rule; equal to what is printed alike.

    Args:
        node: Its tree.

    Attributes:
        node: Its tree.
        text: The tree in its canonical form.
        lowered: The form in which it is evaluated.
    """

    __slots__ = ("lowered", "node", "text")

    def __init__(self, node: Node) -> None:
        self.node: Final = node
        self.text: Final = str(node)
        self.lowered: Final = lower(node)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.text == other.text

    @override
    def __hash__(self) -> int:
        return hash(self.text)

    @override
    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @override
    def __reduce__(self) -> tuple[type[Expression], tuple[Node]]:
        return Expression, (self.node,)


@lru_cache(maxsize=262_144)
def parse_expression(text: str) -> Expression:
    """Reads one expression; the same text again costs nothing.

    Args:
        text: The expression, without the name of its rule.

    Returns:
        The expression. What is none of the rule language is a `RuleSyntaxError`.
    """
    return Expression(_Parser(text).parse())


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0

    def parse(self) -> Node:
        first = self._tokens[0]
        if first.kind == "end":
            raise self._error("the rule is empty", 1, "write at least one word")
        node = self._expression()
        following = self._tokens[self._next]
        if following.kind != "end":
            raise self._error("nothing is open that this could close", following.column)
        if not is_anchored(node):
            raise self._unanchored(node, first.column)
        return node

    def _expression(self) -> Node:
        start = self._tokens[self._next]
        children = [self._conjunction()]
        while self._tokens[self._next].text == "OR":
            self._next += 1
            children.append(self._conjunction())
        if len(children) > 1:
            for child in children:
                if not is_positive(child):
                    raise self._unanchored(child, start.column)
        return disjunction(children)

    def _conjunction(self) -> Node:
        children = [self._factor()]
        while True:
            token = self._tokens[self._next]
            if token.kind in ("close", "end") or token.text == "OR":
                return conjunction(children)
            children.append(self._factor())

    def _factor(self) -> Node:
        token = self._tokens[self._next]
        self._next += 1
        match token.kind:
            case "minus":
                return self._negation(token)
            case "open":
                return self._group(token)
            case "close":
                raise self._error("something is missing before this", token.column)
            case "end":
                raise self._error("something is missing here", token.column)
            case "quoted":
                self._require_space(token)
                return leaf_of(token, self._text)
            case _:
                return leaf_of(token, self._text)

    def _require_space(self, token: Token) -> None:
        """Refuses what stands behind a sign that ends a quotation, unless apart."""
        end = token.column - 1 + len(token.text)
        if not token.text.endswith('"'):
            if self._text[end : end + 1].strip(")").strip():
                raise self._error(
                    f"a space is missing behind {token.text[-1]!r}", end + 1
                )

    def _negation(self, token: Token) -> Node:
        if self._tokens[self._next].kind == "minus":
            raise self._error(
                "a negation of a negation", token.column, "leave both signs out"
            )
        child = self._factor()
        if not is_positive(child):
            raise self._unanchored(child, token.column + 1)
        return Not(child)

    def _group(self, token: Token) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(
                f"more than {MAX_DEPTH} groups inside each other", token.column
            )
        node = self._expression()
        if self._tokens[self._next].kind != "close":
            raise self._error(
                "the group is not closed", token.column, "close it with )"
            )
        self._next += 1
        self._depth -= 1
        return node

    def _unanchored(self, node: Node, column: int) -> RuleSyntaxError:
        if is_positive(node):
            return self._error(
                "lang: and has: only narrow down what something else finds",
                column,
                "name what must be there besides, such as: fire lang:en",
            )
        return self._error(
            "a negation needs something to subtract from",
            column,
            "name a word that must stand in the text, such as: fire -drill",
        )

    def _error(self, reason: str, column: int, hint: str = "") -> RuleSyntaxError:
        return RuleSyntaxError(reason, self._text, column, hint)
