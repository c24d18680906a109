"""From the text of a rule to its expression, by recursive descent.

The grammar stands in `docs/rules.md`; each method here reads one rule of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from typing_extensions import override

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._language._expression import (
    Node,
    Not,
    conjunction,
    disjunction,
    is_anchored,
    is_positive,
)
from rookery.matching._language._leaves import Leaf
from rookery.matching._language._lexer import column_of, cut
from rookery.matching._language._lowered import lower
from rookery.matching._language._terms import TermError, leaf_of

MAX_DEPTH: Final = 64

_END: Final = ""
_BEHIND: Final = frozenset(("OR", ")", _END))
_SIGNS: Final = _BEHIND | {"(", "-"}


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
    return _Parser(text).expression()


class _Parser:
    __slots__ = ("_depth", "_next", "_pieces", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces = [*cut(text), _END]
        self._next = 0
        self._depth = 0

    def expression(self) -> Expression:
        node = self._rule()
        try:
            return Expression(node)
        except ValueError:
            if is_anchored(node):
                raise
            raise self._unanchored(node, 0) from None

    def _rule(self) -> Node:
        if self._pieces[0] == _END:
            raise self._error("the rule is empty", 0, "write at least one word")
        node = self._expression()
        if self._pieces[self._next] != _END:
            raise self._error("nothing is open that this could close", self._next)
        return node

    def _expression(self) -> Node:
        starts = [self._next]
        children = [self._conjunction()]
        while self._pieces[self._next] == "OR":
            self._next += 1
            starts.append(self._next)
            children.append(self._conjunction())
        if len(children) == 1:
            return children[0]
        for child, start in zip(children, starts, strict=True):
            if not is_positive(child):
                raise self._unanchored(child, start)
        return disjunction(children)

    def _conjunction(self) -> Node:
        pieces = self._pieces
        children: list[Node] = []
        while True:
            # Most of what there is to do is here, so without a call for each piece.
            at = self._next
            piece = pieces[at]
            try:
                while piece not in _SIGNS:
                    children.append(leaf_of(piece))
                    at += 1
                    piece = pieces[at]
            except TermError as error:
                raise self._no_term(error, at) from None
            self._next = at
            if children and piece in _BEHIND:
                return conjunction(children)
            children.append(self._sign(piece))

    def _leaf(self, piece: str) -> Leaf:
        try:
            leaf = leaf_of(piece)
        except TermError as error:
            raise self._no_term(error, self._next) from None
        self._next += 1
        return leaf

    def _sign(self, piece: str) -> Node:
        match piece:
            case "-":
                return self._negation()
            case "(":
                return self._group()
            case "OR":
                # Where a term has to stand: it is told why this is none.
                return self._leaf(piece)
            case ")":
                raise self._error("something is missing before this", self._next)
            case _:
                raise self._error("something is missing here", self._next)

    def _negation(self) -> Node:
        start = self._next
        self._next += 1
        piece = self._pieces[self._next]
        if piece == "-":
            raise self._error("a negation of a negation", start, "leave both signs out")
        if piece not in _SIGNS or piece == "OR":
            return Not(self._leaf(piece))
        child = self._sign(piece)
        if not is_positive(child):
            raise self._unanchored(child, start + 1)
        return Not(child)

    def _group(self) -> Node:
        start = self._next
        self._next += 1
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} groups inside each other", start)
        node = self._expression()
        if self._pieces[self._next] != ")":
            raise self._error("the group is not closed", start, "close it with )")
        self._next += 1
        self._depth -= 1
        return node

    def _unanchored(self, node: Node, piece: int) -> RuleSyntaxError:
        if is_positive(node):
            return self._error(
                "lang: and has: only narrow down what something else finds",
                piece,
                "name what must be there besides, such as: fire lang:en",
            )
        return self._error(
            "a negation needs something to subtract from",
            piece,
            "name a word that must stand in the text, such as: fire -drill",
        )

    def _no_term(self, error: TermError, piece: int) -> RuleSyntaxError:
        return self._error(error.reason, piece, error.hint, error.place)

    def _error(
        self, reason: str, piece: int, hint: str = "", place: int = 0
    ) -> RuleSyntaxError:
        column = column_of(self._text, piece) + place
        return RuleSyntaxError(reason, self._text, column, hint)
