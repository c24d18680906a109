"""Reads one rule.

    expression = conjunction { "OR" conjunction }
    conjunction = factor { factor }
    factor = { "-" } ( term | "(" expression ")" )
    term = word | '"' characters '"'

A space is AND, and binds tighter than OR. What the language will have later (prefixes,
regular expressions, fields, nearness, start and end) is refused and not read as words,
so that no rule changes its meaning then.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rookery.matching._ast import (
    And,
    Cashtag,
    Hashtag,
    Keyword,
    Mention,
    Node,
    Not,
    Or,
    Phrase,
    Term,
)
from rookery.matching._errors import RuleSyntaxError
from rookery.text import oracle

# What comes from outside is bounded; people write a few dozen characters.
MAX_CHARACTERS = 16_384
MAX_DEPTH = 50

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<sign>[()-])|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()"]+)""",
    re.DOTALL,
)
_BEGINS_WORD = re.compile(r"\w")
_ASCII_WORD = re.compile(r"\w+", re.ASCII)
_FIELD = re.compile(r"(?:from|lang|source|url|has|substring):", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CURLY = re.compile("[“”„‟«»]")
_SIGNS: dict[str, type[Term]] = {
    "#": Hashtag,
    "＃": Hashtag,
    "@": Mention,
    "＠": Mention,
    "$": Cashtag,
}
_OPERATORS = {
    "AND": 'a space is AND; to look for the word, quote it: "AND"',
    "NOT": 'write - directly before what must not match; for the word, quote it: "NOT"',
    "&": "a space is AND",
    "&&": "a space is AND",
    "+": "a space is AND",
    "|": "write OR",
    "||": "write OR",
    "!": "write - directly before what must not match",
}
_NOTHING = "there is nothing to look for"


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


class _Part(NamedTuple):
    """A part of the tree.

    Attributes:
        node: The part.
        negation: Where a negation stands that has nothing to subtract from; None if
            the part cannot match a text in which none of its terms occurs.
    """

    node: Node
    negation: int | None


@lru_cache(maxsize=1 << 18)
def parse(text: str) -> Node:
    """Reads a rule; the same text is only read once.

    Args:
        text: The rule.

    Returns:
        Its tree, in which no `And` is directly within an `And`, and no `Or` within an
        `Or`.

    Raises:
        RuleSyntaxError: If it is none; its column counts from the start of the text.
    """
    if len(text) > MAX_CHARACTERS:
        raise RuleSyntaxError(
            f"the rule is longer than {MAX_CHARACTERS:,} characters",
            text=text,
            column=MAX_CHARACTERS + 1,
            hint="divide it into several rules",
        )
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [*self._lex(), _Token("end", "", len(text.rstrip()))]
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        part = self._expression()
        token = self._tokens[self._at]
        if token.kind == ")":
            raise self._error(
                token.start,
                "this parenthesis closes nothing",
                'remove it, or quote the text it belongs to: ":)"',
            )
        if part.negation is not None:
            raise self._error(
                part.negation,
                "a negation needs something to subtract from",
                "add what has to match: fire -drill",
            )
        return part.node

    def _error(self, at: int, reason: str, hint: str = "") -> RuleSyntaxError:
        return RuleSyntaxError(reason, text=self._text, column=at + 1, hint=hint)

    # ---- Grammar

    def _expression(self) -> _Part:
        parts = [self._conjunction()]
        while self._tokens[self._at].kind == "OR":
            self._at += 1
            parts.append(self._conjunction())
        if len(parts) == 1:
            return parts[0]
        negations = [part.negation for part in parts if part.negation is not None]
        return _Part(_joined(Or, parts), negations[0] if negations else None)

    def _conjunction(self) -> _Part:
        parts = [self._factor()]
        while self._tokens[self._at].kind in ("term", "-", "("):
            parts.append(self._factor())
        if len(parts) == 1:
            return parts[0]
        negations = [part.negation for part in parts]
        return _Part(_joined(And, parts), None if None in negations else negations[0])

    def _factor(self) -> _Part:
        token = self._tokens[self._at]
        if token.kind == "term":
            self._at += 1
            return _Part(self._term(token), None)
        if token.kind not in ("-", "("):
            raise self._missing(token)
        if self._depth == MAX_DEPTH:
            raise self._error(
                token.start, f"parentheses and negations are more than {MAX_DEPTH} deep"
            )
        self._depth += 1
        self._at += 1
        part = self._negation(token) if token.kind == "-" else self._group(token)
        self._depth -= 1
        return part

    def _negation(self, sign: _Token) -> _Part:
        token = self._tokens[self._at]
        if token.start != sign.start + 1:
            raise self._error(
                sign.start,
                "a - has to stand directly before what must not match",
                'remove the space behind it, or quote it: "-"',
            )
        return _Part(Not(self._factor().node), sign.start)

    def _group(self, opening: _Token) -> _Part:
        part = self._expression()
        if self._tokens[self._at].kind != ")":
            raise self._error(opening.start, "this parenthesis is not closed", "add )")
        self._at += 1
        return part

    def _missing(self, token: _Token) -> RuleSyntaxError:
        before = self._tokens[self._at - 1] if self._at else None
        if before is None and token.kind == "end":
            return self._error(0, "the rule is empty", "write what to look for")
        if token.kind == "OR" or (before and before.kind == "OR"):
            at = token.start if token.kind == "OR" else before.start if before else 0
            return self._error(
                at,
                "OR needs something on both sides",
                'to look for the word, quote it: "OR"',
            )
        if token.kind == ")":
            return self._error(token.start, _NOTHING + " before this parenthesis")
        return self._error(token.start, "something is missing here")

    # ---- Tokens

    def _lex(self) -> Iterator[_Token]:
        at = 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:  # only a quote begins no token
                raise self._error(
                    at, "this quote is not closed", 'add ", or remove the quote'
                )
            kind, text = match.lastgroup, match[0]
            if kind == "sign":
                yield _Token(text, text, at)
            elif kind == "quoted":
                self._check_after_quote(match.end())
                yield _Token("term", text, at)
            elif kind == "word":
                self._check_word(text, at, match.end())
                yield _Token("OR" if text == "OR" else "term", text, at)
            at = match.end()

    def _check_after_quote(self, end: int) -> None:
        following = self._text[end : end + 1]
        if following in "~$*" and following:
            raise self._error(
                end,
                f"{following} behind a quote is not in the language yet",
                "remove it",
            )
        if following not in " \t()" and not following.isspace():
            raise self._error(end, "a space is missing behind the quote")

    def _check_word(self, word: str, at: int, end: int) -> None:
        if self._text[end : end + 1] == '"':
            if word == "^":
                raise self._not_yet(at, "^ for the start of the text")
            raise self._error(
                end, "a space is missing before the quote", 'or escape it: "5\\" disk"'
            )
        curly = _CURLY.search(word)
        if curly:
            raise self._error(
                at + curly.start(), "this is no quote of the language", 'write "'
            )
        if word in _OPERATORS:
            raise self._error(
                at, f"{word} is no operator of the language", _OPERATORS[word]
            )
        if word.startswith("/") and len(word) > 1:
            raise self._not_yet(at, "a regular expression")
        if word.endswith("*"):
            raise self._not_yet(at + len(word) - 1, "* for words that begin alike")
        if field := _FIELD.match(word):
            raise self._not_yet(at, f"the field {field[0]}")

    def _not_yet(self, at: int, what: str) -> RuleSyntaxError:
        return self._error(
            at,
            f"{what} is not in the language yet",
            "to look for the text itself, quote it",
        )

    # ---- Terms

    def _term(self, token: _Token) -> Term:
        if token.text.startswith('"'):
            return self._phrase(token)
        word = token.text
        kind = _SIGNS.get(word[0])
        if kind is not None:
            self._check_signed(word, token.start)
            return kind(unicodedata.normalize("NFKC", word[0]) + word[1:])
        if _BEGINS_WORD.search(word) or any(map(_is_symbol, word)):
            return Keyword(word)
        raise self._error(
            token.start,
            f"{_NOTHING} in {word}: it has no letter and no digit",
            "remove it, or quote it to look for these very characters",
        )

    def _check_signed(self, word: str, start: int) -> None:
        body = word[1:]
        if not _BEGINS_WORD.match(body):
            raise self._error(
                start,
                f"{_NOTHING} behind {word[0]}",
                f"write a name directly behind it: {word[0]}name",
            )
        if word[0] in "#＃" and not _is_one_word(body):
            raise self._error(
                start,
                "a hashtag is one word of letters, digits and _",
                f'for words one after the other, quote them: "{word}"',
            )

    def _phrase(self, token: _Token) -> Phrase:
        text = " ".join(_ESCAPE.sub(r"\1", token.text[1:-1]).split())
        if not text:
            raise self._error(token.start, _NOTHING + " between these quotes")
        return Phrase(text)


def _joined(kind: type[And] | type[Or], parts: list[_Part]) -> And | Or:
    operands: list[Node] = []
    for part in parts:
        if isinstance(part.node, kind):
            operands.extend(part.node.operands)
        else:
            operands.append(part.node)
    return kind(tuple(operands))


def _is_one_word(text: str) -> bool:
    if text.isascii():
        return _ASCII_WORD.fullmatch(text) is not None
    return oracle.words(text) == [(0, len(text))]


def _is_symbol(character: str) -> bool:
    return ord(character) > 127 and unicodedata.category(character).startswith("S")
