"""What is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class TermKind(IntEnum):
    """How a term is found.

    Attributes:
        WORDS: As whole words, one after the other.
        PREFIX: The same, but its last word may go on.
        SUBSTRING: As its characters, anywhere.
    """

    WORDS = 0
    PREFIX = 1
    SUBSTRING = 2


@dataclass(frozen=True, slots=True)
class Term:
    """A phrase, and how and where it is found.

    Attributes:
        text: The phrase.
        kind: How it is found.
        at_start: Whether it has to be the first of its text: no word before it, or no
            character before a substring.
        at_end: Whether it has to be the last.
    """

    text: str
    kind: TermKind = TermKind.WORDS
    at_start: bool = False
    at_end: bool = False
