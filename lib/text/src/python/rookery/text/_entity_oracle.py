"""Entities once more: the patterns that twitter-text publishes, as regular expressions.

They are those of its JavaScript library (github.com/twitter/twitter-text, version 3.1,
Apache License 2.0), one after the other and under its names. In four places they are what
its libraries for Ruby and Java agree on instead:

- Punctuation is all of ASCII's; the JavaScript library leaves two characters out.
- A cashtag may stand behind a directional mark.
- A host without a scheme may have underscores, before its last two labels.
- A URL is as long as with its host in Punycode, and with one scheme. Without a scheme,
  it is the labels of the host that is reported which may not be too long.

Letters, marks and digits are those of Python's Unicode, and the characters for private
use that the published lists have among them.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from rookery.text._tlds import TOP_LEVEL_DOMAINS


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
    """Finds the entities of a text (`extractEntitiesWithIndices`).

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


# ---- Characters. Those that end in _GROUP stand within square brackets.

SPACES_GROUP = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# What \s is in JavaScript, whereas Python's is wider.
SCRIPT_SPACES_GROUP = (
    "\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
DIRECTIONAL_GROUP = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
INVALID_GROUP = "\ufffe\ufeff\uffff"
PUNCT_GROUP = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
LATIN_ACCENT_GROUP = (
    "\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268"
    "\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
CYRILLIC_GROUP = "\u0400-\u04ff"
AT_SIGNS = "[@＠]"
HASH_SIGNS = "[#＃]"

# ---- Hashtags.

HASHTAG_SPECIAL_GROUP = (
    "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003"
    "\u0f0b\u0f0c\xb7"
)
PRIVATE_LETTERS_GROUP = "\uf870-\uf87f\uf882\uf884-\uf89f\uf8b8\uf8c1-\uf8d6"


@cache
def _valid_hashtag() -> re.Pattern[str]:
    # Python's re has no \p{L}: so the characters are listed.
    letters = _group(("L", "M")) + PRIVATE_LETTERS_GROUP
    numerals = _group(("Nd",))
    alphanumeric = f"{letters}{numerals}{HASHTAG_SPECIAL_GROUP}"
    return re.compile(
        rf"(?P<before>^|\ufe0e|\ufe0f|[^&{alphanumeric}])"
        rf"(?P<hash>{HASH_SIGNS})(?!\ufe0f|\u20e3)"
        rf"(?P<text>[{alphanumeric}]*[{letters}][{alphanumeric}]*)"
    )


_END_HASHTAG_MATCH = re.compile(f"{HASH_SIGNS}|://")


def _hashtags(text: str) -> Iterator[Entity]:
    if "#" not in text and "＃" not in text:
        return
    for match in _valid_hashtag().finditer(text):
        if not _END_HASHTAG_MATCH.match(text, match.end()):
            start, end = match.start("hash"), match.end("text")
            yield Entity("hashtag", start, end, match["text"])


# ---- Mentions and lists.

_VALID_MENTION_OR_LIST = re.compile(
    r"(?:^|[^a-zA-Z0-9_!#$%&*@＠]|(?:^|[^a-zA-Z0-9_+~.\-])(?:rt|RT|rT|Rt):?)"
    rf"(?P<at>{AT_SIGNS})"
    r"(?P<name>[a-zA-Z0-9_]{1,20})"
    r"(?P<list>/[a-zA-Z][a-zA-Z0-9_\-]{0,24})?"
)
_END_MENTION_MATCH = re.compile(rf"{AT_SIGNS}|[{LATIN_ACCENT_GROUP}]|://")


def _mentions(text: str) -> Iterator[Entity]:
    for match in _VALID_MENTION_OR_LIST.finditer(text):
        if not _END_MENTION_MATCH.match(text, match.end()):
            kind = "list" if match["list"] else "mention"
            value = match["name"] + (match["list"] or "")
            yield Entity(kind, match.start("at"), match.end(), value)


# ---- Cashtags.

_VALID_CASHTAG = re.compile(
    rf"(?:^|[{SPACES_GROUP}{DIRECTIONAL_GROUP}])"
    r"(?P<dollar>\$)(?P<cashtag>[a-zA-Z]{1,6}(?:[._][a-zA-Z]{1,2})?)"
    rf"(?=\Z|[{SCRIPT_SPACES_GROUP}]|[{PUNCT_GROUP}])"
)


def _cashtags(text: str) -> Iterator[Entity]:
    for match in _VALID_CASHTAG.finditer(text):
        start, end = match.start("dollar"), match.end("cashtag")
        yield Entity("cashtag", start, end, match["cashtag"])


# ---- URLs.

MAX_URL_LENGTH = 4096
MAX_TCO_SLUG_LENGTH = 40
MAX_DOMAIN_LABEL_LENGTH = 63

VALID_DOMAIN_CHARS = f"[^{PUNCT_GROUP}{SPACES_GROUP}{INVALID_GROUP}{DIRECTIONAL_GROUP}]"
VALID_SUBDOMAIN = (
    rf"(?:(?:{VALID_DOMAIN_CHARS}(?:[_\-]|{VALID_DOMAIN_CHARS})*)?"
    rf"{VALID_DOMAIN_CHARS}\.)"
)
VALID_DOMAIN_NAME = (
    rf"(?:(?:{VALID_DOMAIN_CHARS}(?:-|{VALID_DOMAIN_CHARS})*)?{VALID_DOMAIN_CHARS}\.)"
)
VALID_PATH_CHARS = (
    rf"[a-zA-Z{CYRILLIC_GROUP}0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{LATIN_ACCENT_GROUP}]"
)
VALID_BALANCED_PARENS = (
    rf"\((?:{VALID_PATH_CHARS}+"
    rf"|{VALID_PATH_CHARS}*\({VALID_PATH_CHARS}+\){VALID_PATH_CHARS}*)\)"
)
VALID_PATH_ENDING_CHARS = (
    rf"(?:[+\-a-zA-Z{CYRILLIC_GROUP}0-9=_#/{LATIN_ACCENT_GROUP}]"
    rf"|{VALID_BALANCED_PARENS})"
)
VALID_PATH = (
    rf"(?:{VALID_PATH_CHARS}*(?:{VALID_BALANCED_PARENS}{VALID_PATH_CHARS}*)*"
    rf"{VALID_PATH_ENDING_CHARS}|@{VALID_PATH_CHARS}+/)"
)
VALID_QUERY_CHARS = r"[a-zA-Z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]"
VALID_QUERY_ENDING_CHARS = r"[a-zA-Z0-9\-_&=#/]"
VALID_QUERY = rf"(?:\?{VALID_QUERY_CHARS}*{VALID_QUERY_ENDING_CHARS})?"
SCHEME = "[hH][tT][tT][pP][sS]?://"
_VALID_TCO_URL = re.compile(
    rf"{SCHEME}[tT]\.[cC][oO]/(?P<slug>[a-zA-Z0-9]+){VALID_QUERY}"
)


@cache
def _valid_top_level_domain() -> str:
    known = "|".join(
        "".join(map(_any_case, domain))
        for domain in sorted(TOP_LEVEL_DOMAINS, key=len, reverse=True)
    )
    return rf"(?:(?:{known})(?=[^0-9a-zA-Z@+\-]|\Z)|[xX][nN]--[\-0-9a-zA-Z]+)"


@cache
def _extract_url() -> re.Pattern[str]:
    domain = rf"{VALID_SUBDOMAIN}*{VALID_DOMAIN_NAME}{_valid_top_level_domain()}"
    return re.compile(
        # The beginning of the text comes last: if a character may stand before a host
        # that begins with the next one, it does, even if it might begin a host itself.
        rf"(?P<before>[^A-Za-z0-9@＠$#＃{INVALID_GROUP}]|[{DIRECTIONAL_GROUP}]|^)"
        rf"(?P<url>(?P<scheme>{SCHEME})?(?P<domain>{domain})(?::[0-9]+)?"
        rf"(?P<path>/{VALID_PATH}*)?{VALID_QUERY})"
    )


@cache
def _valid_ascii_domain() -> re.Pattern[str]:
    label = rf"[\-_a-zA-Z0-9{LATIN_ACCENT_GROUP}]+"
    return re.compile(rf"(?:{label}\.)+{_valid_top_level_domain()}")


def _urls(text: str) -> Iterator[Entity]:
    if "." not in text:
        return
    for match in _extract_url().finditer(text):
        if match["scheme"]:
            yield from _with_scheme(match)
        elif match["before"] not in tuple("-_./"):
            yield from _without_scheme(match)


def _with_scheme(match: re.Match[str]) -> Iterator[Entity]:
    url, domain = match["url"], match["domain"]
    if link := _VALID_TCO_URL.match(url):
        if len(link["slug"]) > MAX_TCO_SLUG_LENGTH:
            return
        url = link[0]
    if domain.startswith("xn--") and not _valid_ascii_domain().search(domain):
        return
    if _is_valid_domain(len(url), domain):
        start = match.start("url")
        yield Entity("url", start, start + len(url), url, _host(domain))


def _without_scheme(match: re.Match[str]) -> Iterator[Entity]:
    found: list[Entity] = []
    for ascii_domain in _valid_ascii_domain().finditer(match["domain"]):
        domain = ascii_domain[0]
        if _is_valid_domain(len("https://" + match["url"]), domain):
            start = match.start("domain") + ascii_domain.start()
            end = start + len(domain)
            found.append(Entity("url", start, end, domain, _host(domain)))
    if found and match["path"]:
        # A path belongs to the last of them, be it behind other characters of the host.
        rest = match["url"].removeprefix(match["domain"])
        last = found.pop()
        url = last.value + rest
        found.append(last._replace(end=match.end("url"), value=url))
    yield from found


def _is_valid_domain(url_length: int, domain: str) -> bool:
    labels = [_to_ascii(label) for label in domain.split(".")]
    url_length += len(".".join(labels)) - len(domain)
    longest = max(map(len, labels))
    return longest <= MAX_DOMAIN_LABEL_LENGTH and url_length <= MAX_URL_LENGTH


def _to_ascii(label: str) -> str:
    # What separates labels in other scripts does so in `punycode.toASCII`, but not in
    # the patterns.
    return ".".join(
        part if part.isascii() else f"xn--{part.encode('punycode').decode()}"
        for part in re.split("[\u3002\uff0e\uff61]", label)
    )


# ---- What is ours.


def _any_case(character: str) -> str:
    upper = character.upper()
    if upper == character or len(upper) > 1:
        return re.escape(character)
    return f"[{character}{upper}]"


def _group(categories: tuple[str, ...]) -> str:
    """The characters of Unicode's categories that begin so, for square brackets."""
    ranges: list[tuple[str, str]] = []
    for character in map(chr, range(sys.maxunicode + 1)):
        if not unicodedata.category(character).startswith(categories):
            continue
        if ranges and ord(ranges[-1][1]) + 1 == ord(character):
            ranges[-1] = (ranges[-1][0], character)
        else:
            ranges.append((character, character))
    return "".join(f"{first}-{last}" for first, last in ranges)


def _host(domain: str) -> str:
    lower = "".join(character.lower()[0] for character in domain)
    short = lower.removeprefix("www.")
    return short if "." in short else lower
