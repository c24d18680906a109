"""From the text of a rule to its expression.

    expression  = conjunction { "OR" conjunction }
    conjunction = factor { factor }
    factor      = [ "-" ] ( term | "(" expression ")" )
    term        = word | "#" word | "@" word | "$" word | '"' any text '"'

A space is AND and binds tighter than OR. Operators that later versions bring (`from:`,
`prefix*`, `/regex/`, `"near"~3`, `^"start"`) are refused by name and not read as words,
so that no rule changes its meaning then.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._expression import (
    Kind,
    Node,
    Not,
    Term,
    conjunction,
    disjunction,
    is_anchored,
)
from rookery.matching._words import has_symbol, has_word

# A rule longer than this is a mistake, and its depth would be that of the call stack.
MAX_RULE_CHARACTERS: Final = 16 * 1024
MAX_DEPTH: Final = 64

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<torn>")
    | (?P<minus>-(?=[^\s)]))
    | (?P<word>[^\s()"]+)
    """,
    re.VERBOSE,
)
_FIELD: Final = re.compile(r"[A-Za-z]+:")
_SIGNS: Final = {
    kind.value: kind for kind in Kind if kind not in (Kind.KEYWORD, Kind.PHRASE)
}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


@lru_cache(maxsize=262_144)
def parse_expression(text: str) -> Node:
    """Reads one expression; the same text again costs nothing.

    Args:
        text: The expression, without the name of its rule.

    Returns:
        Its tree. What is no expression of the rule language is a `RuleSyntaxError`.
    """
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._lex()
        self._next = 0
        self._depth = 0

    def parse(self) -> Node:
        if not self._tokens:
            raise self._error("the rule is empty", 1, "write at least one word")
        node = self._expression()
        token = self._peek()
        if token is not None:
            raise self._error("nothing is open that this could close", token.column)
        if not is_anchored(node):
            raise self._unanchored(self._tokens[0].column)
        return node

    def _lex(self) -> list[_Token]:
        if len(self._text) > MAX_RULE_CHARACTERS:
            raise self._error(
                f"the rule is longer than {MAX_RULE_CHARACTERS} characters",
                MAX_RULE_CHARACTERS + 1,
                "split it into several rules",
            )
        tokens: list[_Token] = []
        for found in _TOKEN.finditer(self._text):
            kind = str(found.lastgroup)
            if kind != "space":
                tokens.append(_Token(kind, found.group(), found.start() + 1))
        return tokens

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _expression(self) -> Node:
        return self._list(self._conjunction, disjunction, self._accept_or)

    def _list(
        self,
        item: Callable[[], Node],
        join: Callable[[list[Node]], Node],
        accept: Callable[[], _Token | None],
    ) -> Node:
        start = self._peek()
        children = [item()]
        while accept() is not None:
            children.append(item())
        if len(children) > 1:
            for child in children:
                if not is_anchored(child):
                    raise self._unanchored(start.column if start else 1)
        return join(children)

    def _accept_or(self) -> _Token | None:
        token = self._peek()
        if token is None or token.kind != "word" or token.text != "OR":
            return None
        self._next += 1
        return token

    def _conjunction(self) -> Node:
        children = [self._factor()]
        while True:
            token = self._peek()
            if token is None or token.kind == "close":
                break
            if token.kind == "word" and token.text == "OR":
                break
            children.append(self._factor())
        return conjunction(children)

    def _factor(self) -> Node:
        token = self._peek()
        if token is None:
            raise self._error("something is missing here", len(self._text) + 1)
        self._next += 1
        match token.kind:
            case "minus":
                return self._negation(token)
            case "open":
                return self._group(token)
            case "quoted":
                return self._phrase(token)
            case "word":
                return self._word(token)
            case "torn":
                raise self._error(
                    "the quotation is not closed", token.column, 'close it with "'
                )
            case _:
                raise self._error("something is missing before this", token.column)

    def _negation(self, token: _Token) -> Node:
        following = self._peek()
        if following is not None and following.kind == "minus":
            raise self._error(
                "a negation of a negation", token.column, "leave both signs out"
            )
        child = self._factor()
        if not is_anchored(child):
            raise self._unanchored(token.column + 1)
        return Not(child)

    def _group(self, token: _Token) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(
                f"more than {MAX_DEPTH} groups inside each other", token.column
            )
        node = self._expression()
        closing = self._peek()
        if closing is None or closing.kind != "close":
            raise self._error(
                "the group is not closed", token.column, "close it with )"
            )
        self._next += 1
        self._depth -= 1
        return node

    def _phrase(self, token: _Token) -> Node:
        text = re.sub(r"\\(.)", r"\1", token.text[1:-1])
        after = self._text[token.column - 1 + len(token.text) :][:1]
        if after in ("~", "$"):
            raise self._later(f'"..."{after}', token.column + len(token.text))
        if not (has_word(text) or has_symbol(text)):
            raise self._error(
                "the quotation holds no word",
                token.column,
                "search for at least one letter or digit",
            )
        return Term(Kind.PHRASE, text)

    def _word(self, token: _Token) -> Node:
        text = token.text
        if text in ("OR", "AND"):
            hint = (
                "OR stands between two terms"
                if text == "OR"
                else "a space already means AND"
            )
            raise self._error(
                f"{text} is no term", token.column, f'{hint}; the word itself: "{text}"'
            )
        if text.startswith("^"):
            raise self._later('^"..."', token.column)
        field = _FIELD.match(text)
        if field:
            raise self._later(field.group(), token.column)
        if text.startswith("/") and text.endswith("/") and len(text) > 1:
            raise self._later("/regex/", token.column)
        if text.endswith("*"):
            raise self._later("prefix*", token.column + len(text) - 1)
        kind = _SIGNS.get(text[0], Kind.KEYWORD)
        bare = text if kind is Kind.KEYWORD else text[1:]
        is_symbol = kind is Kind.KEYWORD and has_symbol(bare)
        if not (has_word(bare) or is_symbol):
            raise self._error(
                f"{text!r} holds no word",
                token.column,
                "search for at least one letter or digit",
            )
        if kind is not Kind.KEYWORD and not has_word(bare[0]):
            raise self._error(
                f"a name must follow {kind.value!r} directly", token.column + 1
            )
        return Term(kind, bare)

    def _later(self, operator: str, column: int) -> RuleSyntaxError:
        return self._error(
            f"the operator {operator} is not available",
            column,
            "put the text in quotation marks to search for it as it is",
        )

    def _unanchored(self, column: int) -> RuleSyntaxError:
        return self._error(
            "a negation needs something to subtract from",
            column,
            "name a word that must stand in the text, such as: fire -drill",
        )

    def _error(self, reason: str, column: int, hint: str = "") -> RuleSyntaxError:
        return RuleSyntaxError(reason, self._text, column, hint)
