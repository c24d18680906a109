"""Entities once more: the patterns that twitter-text publishes, as regular expressions.

They are those of its JavaScript library (github.com/twitter/twitter-text, version 3.1,
Apache License 2.0), one after the other, with three differences: punctuation is that of
ASCII, a host without a scheme is checked for its own length only, and keeps its port and
query if it has no path.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from rookery.text._tlds import TOP_LEVEL_DOMAINS

_SPACES = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_DIRECTIONAL = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVALID = "\ufffe\ufeff\uffff"
_PUNCTUATION = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_ACCENTED = (
    "\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268"
    "\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_CYRILLIC = "\u0400-\u04ff"
_HASHTAG_SPECIAL = (
    "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003"
    "\u0f0b\u0f0c\xb7"
)
_MAX_LABEL, _MAX_URL, _MAX_SLUG = 63, 4096, 40


class Entity(NamedTuple):
    """An entity of a text.

    Attributes:
        kind: hashtag, mention, list, cashtag or url.
        start: Where it begins, with its sign, in characters.
        end: Where it ends, exclusive, in characters.
        value: What it is, without its sign.
        domain: The host of a URL, in lower case and without `www.`, else empty.
    """

    kind: str
    start: int
    end: int
    value: str
    domain: str = ""


def entities(text: str) -> list[Entity]:
    """Finds the entities of a text.

    Args:
        text: Any text.

    Returns:
        The entities in their order; of those that overlap, the first.
    """
    found = [*_urls(text), *_mentions(text), *_hashtags(text), *_cashtags(text)]
    kept: list[Entity] = []
    for entity in sorted(found, key=lambda entity: entity.start):
        if not kept or kept[-1].end <= entity.start:
            kept.append(entity)
    return kept


def _hashtags(text: str) -> Iterator[Entity]:
    # Every character becomes one that says what it is.
    kinds = "".join(map(_hashtag_kind, text))
    for match in re.finditer(
        "(^|[ev]|[^lndevk&])([#＃])(?![vk])([lndevk]*[levk][lndevk]*)", kinds
    ):
        start, end = match.span(3)
        if not re.match("[#＃]|://", text[end:]):
            yield Entity("hashtag", match.start(2), end, text[start:end])


def _hashtag_kind(character: str) -> str:
    """Letter, number, dash and the like, two variation selectors, keycap, or none."""
    category = unicodedata.category(character)
    if character in "\ufe0e\ufe0f\u20e3":
        return {"\ufe0e": "e", "\ufe0f": "v", "\u20e3": "k"}[character]
    if category[0] in "LM":
        return "l"
    if category == "Nd":
        return "n"
    if character in _HASHTAG_SPECIAL:
        return "d"
    return character if character in "#＃&" else " "


_MENTION = re.compile(
    r"(^|[^a-zA-Z0-9_!#$%&*@＠]|(?:^|[^a-zA-Z0-9_+~.\-])(?:rt|RT|rT|Rt):?)"
    r"([@＠])([a-zA-Z0-9_]{1,20})(/[a-zA-Z][a-zA-Z0-9_\-]{0,24})?"
)
_AFTER_MENTION = re.compile(rf"[@＠]|[{_ACCENTED}]|://")


def _mentions(text: str) -> Iterator[Entity]:
    for match in _MENTION.finditer(text):
        if not _AFTER_MENTION.match(text, match.end()):
            kind = "list" if match[4] else "mention"
            value = match[3] + (match[4] or "")
            yield Entity(kind, match.start(2), match.end(), value)


_CASHTAG = re.compile(
    rf"(^|[{_SPACES}{_DIRECTIONAL}])(\$)([a-zA-Z]{{1,6}}(?:[._][a-zA-Z]{{1,2}})?)"
    rf"(?=\Z|[{_SPACES}{_PUNCTUATION}])"
)


def _cashtags(text: str) -> Iterator[Entity]:
    for match in _CASHTAG.finditer(text):
        yield Entity("cashtag", match.start(2), match.end(), match[3])


def _any_case(character: str) -> str:
    upper = character.upper()
    if upper == character or len(upper) > 1:
        return re.escape(character)
    return f"[{character}{upper}]"


@cache
def _tld() -> str:
    known = "|".join(
        "".join(map(_any_case, domain))
        for domain in sorted(TOP_LEVEL_DOMAINS, key=len, reverse=True)
    )
    return rf"(?:(?:{known})(?=[^0-9a-zA-Z@+\-]|\Z)|[xX][nN]--[\-0-9a-zA-Z]+)"


@cache
def _url() -> re.Pattern[str]:
    host = rf"[^{_PUNCTUATION}{_SPACES}{_INVALID}{_DIRECTIONAL}]"
    subdomain = rf"(?:(?:{host}(?:[_\-]|{host})*)?{host}\.)"
    name = rf"(?:(?:{host}(?:-|{host})*)?{host}\.)"
    path = rf"[a-zA-Z{_CYRILLIC}0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_ACCENTED}]"
    balanced = rf"\((?:{path}+|{path}*\({path}+\){path}*)\)"
    path_end = rf"(?:[+\-a-zA-Z{_CYRILLIC}0-9=_#/{_ACCENTED}]|{balanced})"
    return re.compile(
        rf"(?P<before>^|[^A-Za-z0-9@＠$#＃{_INVALID}])"
        r"(?P<url>(?P<scheme>[hH][tT][tT][pP][sS]?://)?"
        rf"(?P<host>{subdomain}*{name}{_tld()})(?::[0-9]+)?"
        rf"(?P<path>/(?:{path}*(?:{balanced}{path}*)*{path_end})*)?"
        rf"{_QUERY})"
    )


_QUERY = r"(?:\?[a-zA-Z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-zA-Z0-9\-_&=#/])?"
_SHORT_LINK = re.compile(
    rf"[hH][tT][tT][pP][sS]?://[tT]\.[cC][oO]/([a-zA-Z0-9]+){_QUERY}"
)


@cache
def _plain_host() -> re.Pattern[str]:
    return re.compile(rf"(?:[\-a-zA-Z0-9{_ACCENTED}]+\.)+{_tld()}")


def _urls(text: str) -> Iterator[Entity]:
    if "." not in text:
        return
    for match in _url().finditer(text):
        if match["scheme"]:
            yield from _with_scheme(match)
        elif not match["before"] or match["before"] not in "-_./":
            yield from _without_scheme(match)


def _with_scheme(match: re.Match[str]) -> Iterator[Entity]:
    url = match["url"]
    if link := _SHORT_LINK.match(url):
        if len(link[1]) > _MAX_SLUG:
            return
        url = link[0]
    if _is_short(url, match["host"]):
        start = match.start("url")
        yield Entity("url", start, start + len(url), url, _domain(match["host"]))


def _without_scheme(match: re.Match[str]) -> Iterator[Entity]:
    for host in _plain_host().finditer(match["host"]):
        at_end = host.end() == len(match["host"])
        rest = match["url"][len(match["host"]) :] if at_end else ""
        start = match.start("host") + host.start()
        url = host[0] + rest
        if _is_short("https://" + url, host[0]):
            yield Entity("url", start, start + len(url), url, _domain(host[0]))


def _is_short(url: str, host: str) -> bool:
    labels = [
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
        for label in host.split(".")
    ]
    length = len(url) - len(host) + len(".".join(labels))
    return max(map(len, labels)) <= _MAX_LABEL and length <= _MAX_URL


def _domain(host: str) -> str:
    lower = "".join(character.lower()[0] for character in host)
    short = lower.removeprefix("www.")
    return short if "." in short else lower
