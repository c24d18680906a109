"""From a token of a rule to its leaf."""

from __future__ import annotations

import re
from typing import Final

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._leaves import (
    Edge,
    Field,
    FieldName,
    Has,
    Kind,
    Leaf,
    Near,
    Prefix,
    Regex,
    Substring,
    Term,
    strip_address,
)
from rookery.matching._lexer import Token, unquoted
from rookery.matching._pattern import parse_pattern
from rookery.matching._regex import PatternError
from rookery.matching._words import has_symbol, has_word, is_word_character, split_words

MAX_DISTANCE: Final = 100
MAX_NEAR_WORDS: Final = 16

_SIGNS: Final = {
    kind.value: kind for kind in (Kind.HASHTAG, Kind.MENTION, Kind.CASHTAG)
}
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_SUBSTRING: Final = "substring"
_RESERVED: Final = ("OR", "AND")
_FIELDS: Final = (*FieldName, _SUBSTRING)
_NO_WORD: Final = "search for at least one letter or digit"


def leaf_of(token: Token, rule: str) -> Leaf:
    """Reads a leaf.

    Args:
        token: A token that is neither a bracket nor a sign between leaves.
        rule: The rule it is of.

    Returns:
        The leaf. What is none is a `RuleSyntaxError`.
    """
    if token.kind == "plain" and token.text not in _RESERVED:
        return Term(Kind.KEYWORD, token.text)
    return _Reader(token, rule).read()


class _Reader:
    def __init__(self, token: Token, rule: str) -> None:
        self._token = token
        self._rule = rule

    def read(self) -> Leaf:
        token = self._token
        match token.kind:
            case "plain" | "word":
                return self._word(token.text)
            case "quoted":
                return self._quotation(token.text)
            case "field":
                return self._field(token.text)
            case "regex":
                return self._regex(token.text)
            case "slash":
                raise self._error(
                    "the regular expression is not closed",
                    hint=r"close it with / and a space; / itself is \/ within, or"
                    ' "/" in quotation marks',
                )
            case _:
                raise self._error("the quotation is not closed", hint='close it with "')

    def _word(self, text: str) -> Leaf:
        if text in _RESERVED:
            hint = (
                "OR stands between two terms"
                if text == "OR"
                else "a space already means AND"
            )
            raise self._error(
                f"{text} is no term", hint=f'{hint}; the word itself: "{text}"'
            )
        if text[0] == "^":
            raise self._error(
                "^ stands before a quotation", hint='such as ^"first words"'
            )
        kind = _SIGNS.get(text[0], Kind.KEYWORD)
        bare = text if kind is Kind.KEYWORD else text[1:]
        if not has_word(bare) and not (kind is Kind.KEYWORD and has_symbol(bare)):
            raise self._error(f"{text!r} holds no word", hint=_NO_WORD)
        if kind is not Kind.KEYWORD and not has_word(bare[0]):
            raise self._error(f"a name must follow {kind.value!r} directly", 1)
        if text[-1] == "*":
            return self._prefix(kind, bare[:-1])
        return Term(kind, bare)

    def _prefix(self, kind: Kind, text: str) -> Leaf:
        if not all(map(is_word_character, text)) or not has_word(text[:1]):
            raise self._error(
                "* stands behind the beginning of one word",
                len(self._token.text) - 1,
                "such as wild*; words in a row have none",
            )
        return Prefix(kind.value, text)

    def _quotation(self, written: str) -> Leaf:
        start = written.startswith("^")
        end = written.endswith("$")
        close = written.rindex('"')
        text = unquoted(written[start : close + 1])
        tail = written[close + 1 :]
        if tail.startswith("~"):
            return self._near(text, tail[1:], start, close + 1)
        if start or end:
            if not has_word(text):
                raise self._error("the quotation holds no word", hint=_NO_WORD)
            return Edge(text, start, end)
        if not (has_word(text) or has_symbol(text)):
            raise self._error("the quotation holds no word", hint=_NO_WORD)
        return Term(Kind.PHRASE, text)

    def _near(self, text: str, distance: str, start: bool, place: int) -> Leaf:
        if start:
            raise self._error(
                "words near each other have no place at the start",
                hint="leave out ^, or the ~ behind the quotation",
            )
        if not distance or len(distance) > 4 or int(distance) > MAX_DISTANCE:
            raise self._error(
                f"behind ~ stands a number up to {MAX_DISTANCE}",
                place,
                'such as "near words"~3: three other words may stand among them',
            )
        words = split_words(text)
        if not 2 <= len(words) <= MAX_NEAR_WORDS:
            raise self._error(
                f"~ asks for 2 to {MAX_NEAR_WORDS} words, and not {len(words)}",
                hint='such as "near words"~3',
            )
        return Near(text, int(distance))

    def _field(self, written: str) -> Leaf:
        name, _, rest = written.partition(":")
        place = len(name) + 1
        known = name.lower()
        if known not in _FIELDS:
            raise self._error(
                f"the operator {name}: is not available",
                hint="there are "
                + ", ".join(f"{one}:" for one in _FIELDS)
                + "; in quotation marks it is text",
            )
        value = unquoted(rest) if rest.startswith('"') else rest
        if not value.strip():
            raise self._error(f"something is missing behind {known}:", place)
        if known == _SUBSTRING:
            return Substring(value)
        return self._named(FieldName(known), value, place)

    def _named(self, name: FieldName, value: str, place: int) -> Leaf:
        match name:
            case FieldName.FROM:
                value = value.lstrip("@")
                if not value.strip():
                    raise self._error("a name is missing behind from:", place)
            case FieldName.URL:
                if not has_word(strip_address(value)):
                    raise self._error(f"{value!r} holds no word", place, _NO_WORD)
            case FieldName.LANG:
                if not _LANGUAGE.fullmatch(value):
                    raise self._error(
                        f"{value!r} is no language",
                        place,
                        "such as lang:en or lang:pt-BR",
                    )
            case FieldName.HAS:
                value = value.lower()
                if value not in tuple(Has):
                    raise self._error(
                        f"has:{value} is not available",
                        place,
                        "there are " + ", ".join(f"has:{one}" for one in Has),
                    )
            case FieldName.SOURCE:
                pass
        return Field(name, value)

    def _regex(self, written: str) -> Leaf:
        source = written[1:-1].replace("\\/", "/")
        try:
            parse_pattern(source)
        except PatternError as error:
            # Each slash that was unescaped stands one further to the right.
            place = error.place + 1
            place += source[: error.place].count("/")
            raise self._error(error.reason, place, error.hint) from error
        return Regex(source)

    def _error(self, reason: str, place: int = 0, hint: str = "") -> RuleSyntaxError:
        return RuleSyntaxError(reason, self._rule, self._token.column + place, hint)
