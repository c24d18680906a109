"""The leaves of a rule: what it asks of a post, each as it is written and compared.

A leaf has a `key`: leaves of the same key are true of the same posts. Its first character
says how the leaf is evaluated (see `Group`), the rest what is looked for.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final

from typing_extensions import override

from rookery.matching._language._lexer import CURLED, SPACE
from rookery.matching._language._pattern import Pattern, parse_pattern
from rookery.matching._language._words import has_word, phrase_of, signed_words
from rookery.text import fold

_BARE: Final = re.compile(rf'[^{SPACE}()"\\{CURLED}]+')
_WWW: Final = re.compile(r"^(?:https?://)?(?:www\.)?", re.IGNORECASE)


class Group(StrEnum):
    """How leaves are evaluated.

    The first ones are eager: looked for in all posts at once. The others are lazy:
    looked at only in posts and rules that the eager ones leave.
    """

    PHRASE = "w"
    CHARACTERS = "c"
    PREFIX = "p"
    EDGE = "e"
    NEAR = "n"
    AUTHOR = "f"
    SOURCE = "s"
    ADDRESS = "u"
    ALWAYS = "a"
    REGEX = "r"
    LANGUAGE = "l"
    HAS = "h"


EAGER: Final = (
    Group.PHRASE,
    Group.CHARACTERS,
    Group.PREFIX,
    Group.EDGE,
    Group.NEAR,
    Group.AUTHOR,
    Group.SOURCE,
    Group.ADDRESS,
    Group.ALWAYS,
)
LAZY: Final = (Group.REGEX, Group.LANGUAGE, Group.HAS)
# Looking up a member takes longer than what is done with most leaves.
_PHRASE: Final = Group.PHRASE.value


class Kind(Enum):
    """What a term asks of the text; the value is the sign it is written with."""

    KEYWORD = ""
    PHRASE = '"'
    HASHTAG = "#"
    MENTION = "@"
    CASHTAG = "$"


@dataclass(frozen=True, slots=True)
class _Keyed:
    """What all leaves have.

    Attributes:
        key: What a leaf is compared by. It is made with the leaf: a leaf is made once, and
            compared in many rules.
    """

    key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self._key())

    @abstractmethod
    def _key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Term(_Keyed):
    """Something that must stand in the text: a word, words in a row, a symbol.

    Attributes:
        kind: What it is.
        text: What was written, without quotes or sign.
    """

    kind: Kind
    text: str

    @property
    def is_symbol(self) -> bool:
        """Whether it has no word, as an emoji has none, and is found anywhere."""
        return not has_word(self.text)

    @override
    def _key(self) -> str:
        kind, text = self.kind, self.text
        if kind is not Kind.KEYWORD and kind is not Kind.PHRASE:
            return f"{_PHRASE}{phrase_of(kind.value + text)}"
        if text.isascii() and text.isalnum():
            return f"{_PHRASE}{text.lower()}"
        if self.is_symbol:
            # A symbol may stand there with or without a wish how to draw it.
            return f"{Group.CHARACTERS}{fold(text).rstrip(_VARIANTS)}"
        return f"{_PHRASE}{phrase_of(text)}"

    @override
    def __str__(self) -> str:
        """Returns the term as it is written in a rule."""
        if self.kind is Kind.KEYWORD:
            return self.text
        if self.kind is Kind.PHRASE:
            return quoted(self.text)
        return f"{self.kind.value}{self.text}"


_VARIANTS: Final = "\ufe0e\ufe0f"


@dataclass(frozen=True, slots=True)
class Prefix(_Keyed):
    """The beginning of a word.

    Attributes:
        sign: `#`, `@` or `$` if it has to stand before the word, else nothing.
        text: The characters the word begins with.
    """

    sign: str
    text: str

    @override
    def _key(self) -> str:
        return f"{Group.PREFIX}{self.sign}{fold(self.text)}"

    @override
    def __str__(self) -> str:
        """Returns the prefix as it is written in a rule."""
        return f"{self.sign}{self.text}*"


@dataclass(frozen=True, slots=True)
class Substring(_Keyed):
    """Characters, wherever they stand.

    Attributes:
        text: The characters.
    """

    text: str

    @override
    def _key(self) -> str:
        return f"{Group.CHARACTERS}{fold(self.text)}"

    @override
    def __str__(self) -> str:
        """Returns the characters as they are written in a rule."""
        return f"substring:{value(self.text)}"


@dataclass(frozen=True, slots=True)
class Edge(_Keyed):
    """Words in a row with which the text begins, or ends, or both.

    Attributes:
        text: The words.
        start: Whether no word may stand before them.
        end: Whether no word may stand behind them.
    """

    text: str
    start: bool
    end: bool

    @override
    def _key(self) -> str:
        sides = "^" * self.start + "$" * self.end
        return f"{Group.EDGE}{sides} {phrase_of(self.text)}"

    @property
    def phrase(self) -> Term:
        """What has to stand in the text, wherever."""
        return Term(Kind.PHRASE, self.text)

    @override
    def __str__(self) -> str:
        """Returns the words as they are written in a rule."""
        return "^" * self.start + quoted(self.text) + "$" * self.end


@dataclass(frozen=True, slots=True)
class Near(_Keyed):
    """Words close to each other, in any order.

    Attributes:
        text: The words, two at least.
        distance: How many other words may stand among them.
    """

    text: str
    distance: int

    @override
    def _key(self) -> str:
        return f"{Group.NEAR}{self.distance} {' '.join(self.words)}"

    @property
    def words(self) -> tuple[str, ...]:
        """Its words in folded case, behind their signs; one may be there twice."""
        return tuple(sorted(signed_words(self.text)))

    @override
    def __str__(self) -> str:
        """Returns the words as they are written in a rule."""
        return f"{quoted(self.text)}~{self.distance}"


@dataclass(frozen=True, slots=True)
class Regex(_Keyed):
    """A regular expression.

    Attributes:
        source: What was written between the slashes, `/` itself without its escape.
    """

    source: str

    @override
    def _key(self) -> str:
        return f"{Group.REGEX}{self.source}"

    @property
    def pattern(self) -> Pattern:
        """The expression as it was read."""
        return parse_pattern(self.source)

    @override
    def __str__(self) -> str:
        """Returns the expression as it is written in a rule."""
        return f"/{self.source.replace('/', chr(92) + '/')}/"


class FieldName(StrEnum):
    """What a rule can ask of a post beside its text."""

    FROM = "from"
    SOURCE = "source"
    URL = "url"
    LANG = "lang"
    HAS = "has"


class Has(StrEnum):
    """What `has:` asks for."""

    CASHTAGS = "cashtags"
    HASHTAGS = "hashtags"
    LINKS = "links"
    MEDIA = "media"
    MENTIONS = "mentions"


_GROUPS: Final = {
    FieldName.FROM: Group.AUTHOR,
    FieldName.SOURCE: Group.SOURCE,
    FieldName.URL: Group.ADDRESS,
    FieldName.LANG: Group.LANGUAGE,
    FieldName.HAS: Group.HAS,
}


@dataclass(frozen=True, slots=True)
class Field(_Keyed):
    """Something that is asked of a column.

    Attributes:
        name: Which one.
        value: What it has to be, as it was written.
    """

    name: FieldName
    value: str

    @override
    def _key(self) -> str:
        return f"{_GROUPS[self.name]}{self._compared()}"

    @property
    def is_selective(self) -> bool:
        """Whether few enough posts have it for a rule to ask for nothing else."""
        return self.name not in (FieldName.LANG, FieldName.HAS)

    def _compared(self) -> str:
        match self.name:
            case FieldName.URL:
                return phrase_of(strip_address(self.value))
            case FieldName.LANG:
                return self.value.lower().replace("_", "-")
            case _:
                return fold(self.value)

    @override
    def __str__(self) -> str:
        """Returns the field as it is written in a rule."""
        return f"{self.name}:{value(self.value)}"


Leaf = Term | Prefix | Substring | Edge | Near | Regex | Field


def quoted(text: str) -> str:
    """Puts text in quotation marks.

    Args:
        text: Any text.

    Returns:
        How it is written in a rule.
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def strip_address(text: str) -> str:
    """Leaves out of an address what all have.

    Args:
        text: An address, or a part of one.

    Returns:
        The text without `https://` and `www.`.
    """
    return _WWW.sub("", text)


def value(text: str) -> str:
    """Writes what stands behind the colon of a field.

    Args:
        text: Any text.

    Returns:
        The text, in quotation marks where it needs them.
    """
    return text if _BARE.fullmatch(text) else quoted(text)
