"""Hashtags, mentions, cashtags and addresses in texts, as twitter-text defines them.

Patterns after twitter-text (github.com/twitter/twitter-text). What it knows and this does
not yet: addresses without `http://`, and hosts beyond ASCII that are not in Punycode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import pyarrow as pa

from rookery.text._columns import Array, column
from rookery.text._errors import ColumnError
from rookery.text_native import kernel

Lists: TypeAlias = "pa.ListArray[Any]"

_HASH, _AT, _DOLLAR, _SCHEME = 1, 2, 4, 8

# Characters that are no letters, and stand in hashtags all the same.
_IN_HASHTAG = frozenset(
    "\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003"
    "\u0f0b\u0f0c\u00b7"
)
_ACCENTED = "À-ÖØ-öø-ɏ"


@dataclass(frozen=True, eq=False)
class Entities:
    """What stands in texts, each as a list per text, in the order of the text.

    An entity that stands there twice is there twice. A null text has empty lists.

    Attributes:
        hashtags: Without their `#`, as they are written.
        mentions: Without their `@`, as they are written.
        cashtags: Without their `$`, as they are written.
        urls: As they are written.
        domains: The host of each address, in lower case and without `www.`.
    """

    hashtags: Lists
    mentions: Lists
    cashtags: Lists
    urls: Lists
    domains: Lists


@dataclass
class _Found:
    """Values of one kind, and where those of each text end."""

    values: list[str]
    offsets: list[int]

    @classmethod
    def nothing(cls) -> _Found:
        return cls([], [0])

    def add(self, values: Iterable[str] = ()) -> None:
        self.values.extend(values)
        self.offsets.append(len(self.values))

    def array(self) -> Lists:
        return pa.ListArray.from_arrays(
            pa.array(self.offsets, pa.int32()), pa.array(self.values, pa.string())
        )


@dataclass(frozen=True)
class _Patterns:
    hashtag: re.Pattern[str]
    mention: re.Pattern[str]
    cashtag: re.Pattern[str]
    url: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    path = rf"[\w!*';:=+,.$/%#\[\]\-–~@|&{_ACCENTED}Ѐ-ӿ]"
    path_end = rf"[\w=#/+\-{_ACCENTED}Ѐ-ӿ]"
    # Bounded, so that parentheses that are never closed cost linear time only.
    balanced = rf"\((?:{path}|\({path}{{0,64}}\)){{0,256}}\)"
    return _Patterns(
        # Its end is found character by character: Python's `\w` has no marks.
        hashtag=re.compile(r"[#＃]((?:\w|[^\x00-\x7f＃])+)(?=(://|[#＃])?)"),
        mention=re.compile(
            r"(?:(?<![A-Za-z0-9_!#$%&*@＠])|(?<![A-Za-z0-9_+~.-])[Rr][Tt]:?)"
            rf"[@＠]([A-Za-z0-9_]{{1,20}}+)(?![@＠{_ACCENTED}]|://)"
        ),
        cashtag=re.compile(
            r"(?<!\S)\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)"
            r"(?=$|\s|[!'#%&\"()*+,\\\-./:;<=>?@\[\]^_{|}~$])"
        ),
        url=re.compile(
            r"(?<![A-Za-z0-9@＠$#＃\u202a-\u202e])https?://"
            r"((?:[^\W_](?:[\w-]{0,62}[^\W_])?\.)+(?:xn--[a-z0-9-]{2,59}|[a-z]{2,63}))"
            r"(?![a-z0-9@]|-[a-z0-9])(?::[0-9]{1,5})?"
            rf"(?:/(?:{balanced}|(?:{path}|{balanced})*(?:{path_end}|{balanced}))?)?"
            r"(?:\?[\w!?*'@();:&=+$/%#\[\]\-.,~|]*[\w\-&=#/])?",
            re.IGNORECASE | re.ASCII,
        ),
    )


def entities(texts: Array) -> Entities:
    """Finds entities.

    Texts in which no sign of one occurs, as the kernel sees at once, are not looked at.

    Args:
        texts: Array of string or large_string.

    Returns:
        The entities of each text.

    Raises:
        ColumnError: If the array does not hold text, or is damaged.
    """
    try:
        marks = kernel.marks(column(texts))
    except ValueError as error:
        raise ColumnError(f"the array is damaged: {error}") from error
    found = [_Found.nothing() for _ in range(5)]
    for row, signs in enumerate(marks):
        if signs:
            _search(texts[row].as_py(), signs, found)
        else:
            for kind in found:
                kind.add()
    return Entities(*(kind.array() for kind in found))


def _search(text: str, signs: int, found: list[_Found]) -> None:
    hashtags, mentions, cashtags, urls, domains = found
    patterns = _patterns()
    addresses = list(patterns.url.finditer(text)) if signs & _SCHEME else []
    urls.add(address[0] for address in addresses)
    domains.add(_domain(address[1]) for address in addresses)
    if addresses:
        # What stands within an address is nothing else.
        text = patterns.url.sub(lambda address: " " * len(address[0]), text)
    hashtags.add(_hashtags(text) if signs & _HASH else ())
    mentions.add(
        mention[1] for mention in patterns.mention.finditer(text) if signs & _AT
    )
    cashtags.add(
        cashtag[1] for cashtag in patterns.cashtag.finditer(text) if signs & _DOLLAR
    )


def _domain(host: str) -> str:
    return host.lower().removeprefix("www.")


def _hashtags(text: str) -> Iterable[str]:
    for match in _patterns().hashtag.finditer(text):
        start = match.start()
        if start and (text[start - 1] == "&" or _in_hashtag(text[start - 1])):
            continue
        tag = match[1]
        ends_itself = True
        if not tag.isascii():
            size = next((i for i, c in enumerate(tag) if not _in_hashtag(c)), len(tag))
            ends_itself, tag = size == len(tag), tag[:size]
        if ends_itself and match[2]:
            continue
        if any(c.isalpha() or kernel.word_class(c) == 1 for c in tag) and not (
            tag.startswith(("\ufe0f", "\u20e3"))
        ):
            yield tag


def _in_hashtag(character: str) -> bool:
    if character in "\ufe0e\ufe0f":
        return False
    return kernel.word_class(character) > 0 or character in _IN_HASHTAG
