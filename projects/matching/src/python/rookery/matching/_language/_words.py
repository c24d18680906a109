"""What characters are, for the language of rules; as `rookery.text` has it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from rookery.text import fold

_BEGINS_WORD: Final = re.compile(r"\w")
_WORDS: Final = re.compile(r"\w+", re.ASCII)
_SIGNS: Final = {"#": "#", "＃": "#", "@": "@", "＠": "@", "$": "$"}


def has_word(text: str) -> bool:
    """Tells whether a text holds a word at all.

    Args:
        text: Any text.

    Returns:
        Whether a character of it begins a word: letter, number, underscore.
    """
    return _BEGINS_WORD.search(text) is not None


def is_word_character(character: str) -> bool:
    """Tells whether a character can continue a word: letter, mark, number, underscore.

    Args:
        character: One character.

    Returns:
        Whether `rookery.text` counts it as part of the word before it.
    """
    return has_word(character) or unicodedata.category(character)[0] == "M"


def has_symbol(text: str) -> bool:
    """Tells whether a text holds something that is no word and yet worth finding.

    Args:
        text: Any text.

    Returns:
        Whether a character of it is a symbol beyond ASCII, such as an emoji.
    """
    return not text.isascii() and any(
        ord(character) > 127 and unicodedata.category(character)[0] == "S"
        for character in text
    )


def split_words(text: str) -> list[tuple[int, int]]:
    """Finds the words of a rule's text.

    Args:
        text: Any text.

    Returns:
        Where each begins and ends, in characters.
    """
    if text.isascii():
        return [found.span() for found in _WORDS.finditer(text)]
    words: list[tuple[int, int]] = []
    start = -1
    for place, character in enumerate(text):
        if start < 0 and has_word(character):
            start = place
        elif start >= 0 and not is_word_character(character):
            words.append((start, place))
            start = -1
    return words if start < 0 else [*words, (start, len(text))]


def signed_words(text: str) -> list[str]:
    """Lists the words of a rule's text in folded case.

    Args:
        text: Any text.

    Returns:
        Each word, behind the `#`, `@` or `$` that stands directly before it.
    """
    return [
        _sign_before(text, start) + fold(text[start:end])
        for start, end in split_words(text)
    ]


def phrase_of(text: str) -> str:
    """Brings a phrase into the one form that all phrases of its meaning have.

    Args:
        text: Any text with a word.

    Returns:
        Its words in folded case, behind the sign that stands before the first.
    """
    if text.isascii():
        found = _WORDS.search(text)
        if found is not None:
            words = " ".join(_WORDS.findall(text.lower()))
            return _sign_before(text, found.start()) + words
    spans = split_words(text)
    words = " ".join([fold(text[start:end]) for start, end in spans])
    return _sign_before(text, spans[0][0]) + words


def _sign_before(text: str, start: int) -> str:
    return _SIGNS.get(text[start - 1], "") if start else ""
