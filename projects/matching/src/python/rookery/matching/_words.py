"""What characters are, for the language of rules; as `rookery.text` has it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BEGINS_WORD: Final = re.compile(r"\w")


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
    return any(
        ord(character) > 127 and unicodedata.category(character)[0] == "S"
        for character in text
    )
