"""From a piece of a rule to its leaf."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from rookery.matching._language._leaves import (
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
from rookery.matching._language._lexer import CURLED, QUOTED, unquoted
from rookery.matching._language._pattern import parse_pattern
from rookery.matching._language._regex import PatternError
from rookery.matching._language._words import (
    has_symbol,
    has_word,
    is_word_character,
    split_words,
)

MAX_DISTANCE: Final = 100
MAX_NEAR_WORDS: Final = 16

_SIGNS: Final = {
    kind.value: kind for kind in (Kind.HASHTAG, Kind.MENTION, Kind.CASHTAG)
}
_QUOTATION: Final = re.compile(
    rf"(\^?)({QUOTED})(?:~(?P<distance>[0-9]*)|(?P<end>\$)|)", re.DOTALL
)
_FIELD: Final = re.compile(r"([A-Za-z_]+):(.*)", re.DOTALL)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_SUBSTRING: Final = "substring"
_FIELDS: Final = (*FieldName, _SUBSTRING)
_NO_WORD: Final = "search for at least one letter or digit"
_NEAR: Final = 'such as "near words"~3: three other words may stand among them'
# In quotation marks they are words like any other.
RESERVED: Final = {
    "OR": "OR stands between two terms",
    "AND": "a space already means AND",
    "NOT": "a negation is written -drill",
}
_BARS: Final = {"|": "OR", "||": "OR", "&": "a space", "&&": "a space", "+": "a space"}
# Wide, or longer, than the signs that they are typed for.
_DASHES: Final = "‐‑‒–—―−－"
_LOOKALIKES: Final = {"（": "(", "）": ")"}
# What other languages of this kind call it. Nothing: posts do not say so.
_ELSEWHERE: Final = {
    **dict.fromkeys(("author", "user", "by"), "from:nasa"),
    **dict.fromkeys(("to", "mention", "mentions", "retweets_of"), "@nasa"),
    **dict.fromkeys(("hashtag", "tag"), "#fire"),
    **dict.fromkeys(("cashtag", "symbol"), "$AAPL"),
    **dict.fromkeys(("http", "https", "link", "site", "domain"), "url:bbc.co.uk"),
    **dict.fromkeys(("url_title", "url_contains", "in_url"), "url:bbc.co.uk"),
    **dict.fromkeys(("language", "locale"), "lang:en"),
    **dict.fromkeys(("contains", "keyword", "text"), "substring:東京"),
}
_HAS_ELSEWHERE: Final = {
    **dict.fromkeys(("images", "image", "videos", "video", "video_link"), Has.MEDIA),
    **dict.fromkeys(("link", "url", "urls"), Has.LINKS),
    **dict.fromkeys(("symbols", "cashtag"), Has.CASHTAGS),
}


class TermError(Exception):
    """A piece that is no term.

    Args:
        reason: What is wrong.
        place: Where, in characters of the piece from 0.
        hint: What to write instead.
    """

    def __init__(self, reason: str, place: int = 0, hint: str = "") -> None:
        super().__init__(reason, place, hint)
        self.reason = reason
        self.place = place
        self.hint = hint


@lru_cache(maxsize=262_144)
def leaf_of(piece: str) -> Leaf:
    """Reads a leaf; rules share the ones that are written alike.

    Args:
        piece: A piece that is neither a bracket nor a sign between leaves.

    Returns:
        The leaf. What is none is a `TermError`.
    """
    if piece.isascii() and piece.isalnum() and piece not in RESERVED:
        return Term(Kind.KEYWORD, piece)
    if piece[0] == '"' or piece.startswith('^"'):
        return _quotation(piece)
    if piece[0] == "/":
        return _regex(piece)
    if field := _FIELD.fullmatch(piece):
        return _field(field[1], field[2])
    return _word(piece)


def _word(text: str) -> Leaf:
    if text in RESERVED:
        hint = f'{RESERVED[text]}; the word itself: "{text}"'
        raise TermError(f"{text} is no term", hint=hint)
    if text[0] == "^":
        raise TermError("^ stands before a quotation", hint='such as ^"first words"')
    if text[0] == "-":
        hint = "write -drill, without a space; the sign itself stands for nothing"
        raise TermError("- stands directly before what it refuses", hint=hint)
    if text in _BARS:
        hint = "between terms OR means one of them, and a space both"
        raise TermError(f"{text!r} holds no word", hint=hint)
    _check_signs(text)
    kind = _SIGNS.get(text[0], Kind.KEYWORD)
    bare = text if kind is Kind.KEYWORD else text[1:]
    if not has_word(bare) and not (kind is Kind.KEYWORD and has_symbol(bare)):
        raise TermError(f"{text!r} holds no word", hint=_NO_WORD)
    if kind is not Kind.KEYWORD and not has_word(bare[0]):
        raise TermError(f"a name must follow {kind.value!r} directly", 1)
    if text[-1] == "*":
        return _prefix(kind, bare[:-1], len(text) - 1)
    return Term(kind, bare)


def _check_signs(text: str) -> None:
    """Refuses signs that were meant as others: they would change what a rule means."""
    if text[0] == "!" and len(text) > 1:
        raise TermError("! is no negation", hint="write -drill")
    if text.isascii():
        return
    if text in CURLED:
        hint = f'write ", as in "boulder fire"; between such marks {text} is text'
        raise TermError(f"{text} is no quotation mark of rules", hint=hint)
    if text[0] in _DASHES and has_word(text):
        hint = 'write -drill; in quotation marks it is text: "–drill"'
        raise TermError(f"{text[0]} is no minus sign", hint=hint)
    for place, character in enumerate(text):
        if character in _LOOKALIKES:
            hint = f"write {_LOOKALIKES[character]}; in quotation marks it is text"
            raise TermError(f"{character} is no bracket of rules", place, hint)
    name, colon, _ = text.partition("：")
    if colon and name.lower() in _FIELDS:
        raise TermError("： is no colon of rules", len(name), f"write {name}:")
    if text[-1] == "＊":
        raise TermError("＊ is no asterisk of rules", len(text) - 1, "write wild*")


def _prefix(kind: Kind, text: str, place: int) -> Leaf:
    if not all(map(is_word_character, text)) or not has_word(text[:1]):
        raise TermError(
            "* stands behind the beginning of one word",
            place,
            "such as wild*; words in a row have none",
        )
    return Prefix(kind.value, text)


def _quotation(written: str) -> Leaf:
    found = _QUOTATION.match(written)
    if found is None:
        raise TermError("the quotation is not closed", hint='close it with "')
    if found.end() < len(written):
        sign = written[found.end() - 1]
        raise TermError(f"a space is missing behind {sign!r}", found.end())
    start, text, end = bool(found[1]), unquoted(found[2]), found["end"] is not None
    if found["distance"] is not None:
        return _near(text, found["distance"], start, found.end(2))
    if start or end:
        if not has_word(text):
            raise TermError("the quotation holds no word", hint=_NO_WORD)
        return Edge(text, start, end)
    if not (has_word(text) or has_symbol(text)):
        raise TermError("the quotation holds no word", hint=_NO_WORD)
    return Term(Kind.PHRASE, text)


def _near(text: str, distance: str, start: bool, place: int) -> Leaf:
    if start:
        raise TermError(
            "words near each other have no place at the start",
            hint="leave out ^, or the ~ behind the quotation",
        )
    if not distance or len(distance) > 4 or int(distance) > MAX_DISTANCE:
        raise TermError(f"behind ~ stands a number up to {MAX_DISTANCE}", place, _NEAR)
    words = split_words(text)
    if not 2 <= len(words) <= MAX_NEAR_WORDS:
        raise TermError(
            f"~ asks for 2 to {MAX_NEAR_WORDS} words, and not {len(words)}", hint=_NEAR
        )
    return Near(text, int(distance))


def _field(name: str, written: str) -> Leaf:
    place = len(name) + 1
    known = name.lower()
    if known not in _FIELDS:
        raise TermError(
            f"the operator {name}: is not available", hint=_operators(known)
        )
    value = unquoted(written) if written.startswith('"') else written
    if not value.strip():
        raise TermError(f"something is missing behind {known}:", place)
    if known == _SUBSTRING:
        return Substring(value)
    return _named(FieldName(known), value, place)


def _operators(name: str) -> str:
    """Says what there is, and what is likely to have been meant."""
    there = ", ".join(f"{one}:" for one in _FIELDS)
    hint = f"there are {there}; in quotation marks it is text"
    if name == "is":
        return f'{hint}; posts passed on begin with RT: -^"RT"'
    if name in _ELSEWHERE:
        return f"write {_ELSEWHERE[name]}; {hint}"
    close = get_close_matches(name, _FIELDS, n=1)
    return f"write {close[0]}:; {hint}" if close else hint


def _named(name: FieldName, value: str, place: int) -> Leaf:
    match name:
        case FieldName.FROM:
            value = value.lstrip("@＠")
            if not value.strip():
                raise TermError("a name is missing behind from:", place)
        case FieldName.URL:
            if not has_word(strip_address(value)):
                raise TermError(f"{value!r} holds no word", place, _NO_WORD)
        case FieldName.LANG:
            if not _LANGUAGE.fullmatch(value):
                hint = "such as lang:en or lang:pt-BR"
                raise TermError(f"{value!r} is no language", place, hint)
        case FieldName.HAS:
            value = value.lower()
            if value not in tuple(Has):
                hint = "there are " + ", ".join(f"has:{one}" for one in Has)
                if value in _HAS_ELSEWHERE:
                    hint = f"write has:{_HAS_ELSEWHERE[value]}; {hint}"
                raise TermError(f"has:{value} is not available", place, hint)
        case FieldName.SOURCE:
            pass
    return Field(name, value)


def _regex(written: str) -> Leaf:
    if len(written) == 1:
        raise TermError(
            "the regular expression is not closed",
            hint=r"close it with / and a space; / itself is \/ within, or"
            ' "/" in quotation marks',
        )
    source = written[1:-1].replace("\\/", "/")
    try:
        parse_pattern(source)
    except PatternError as error:
        # Each slash that was unescaped stands one further to the right.
        place = error.place + 1
        place += source[: error.place].count("/")
        raise TermError(error.reason, place, error.hint) from error
    return Regex(source)
