"""What the kernel does, written once more so that it is plain to see.

Naive and slow: tests compare the kernel with it, and where one short text is explained
to a person it says why. It shares no code and no table with the kernel.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rookery.text._entity_oracle import Entity, entities

__all__ = ["Entity", "Hit", "entities", "find", "fold", "words"]

_SIGNS = {"#": "#", "＃": "#", "@": "@", "＠": "@", "$": "$"}


class Hit(NamedTuple):
    """Where a phrase stands.

    Attributes:
        row: Index of the text.
        phrase: Index of the phrase.
        start: Where it begins, in characters.
        end: Where it ends, exclusive, in characters.
    """

    row: int
    phrase: int
    start: int
    end: int


def fold(text: str) -> str:
    """Folds case, one character into one.

    Args:
        text: Any text.

    Returns:
        The text under Unicode's simple case folding.
    """
    return "".join(map(_fold_character, text))


def _fold_character(character: str) -> str:
    for candidate in (character, character.lower()):
        if len(candidate.casefold()) == 1:
            return candidate.casefold()
    # What folds to several characters folds to one only if lower case has the same.
    lower = character.lower()
    same = len(lower) == 1 and lower.casefold() == character.casefold()
    return lower if same else character


def words(text: str) -> list[tuple[int, int]]:
    """Finds words.

    Args:
        text: Any text.

    Returns:
        Start and end of each, in characters.
    """
    # Every character becomes one letter that says what it is.
    kinds = "".join(map(_kind, text))
    return [match.span() for match in re.finditer("w[wm]*", kinds)]


def _kind(character: str) -> str:
    if re.fullmatch(r"\w", character):
        return "w"
    return "m" if unicodedata.category(character).startswith("M") else " "


def find(
    phrases: Sequence[str], texts: Sequence[str | None], *, boundaries: bool = True
) -> list[Hit]:
    """Finds all phrases in all texts, by trying each everywhere.

    Args:
        phrases: The phrases.
        texts: The texts.
        boundaries: Whether phrases are found as whole words only.

    Returns:
        The hits, sorted by row, start, phrase.
    """
    search = _find_words if boundaries else _find_characters
    return sorted(
        (
            Hit(row, index, start, end)
            for row, text in enumerate(texts)
            if text is not None
            for index, phrase in enumerate(phrases)
            for start, end in search(phrase, text)
        ),
        key=lambda hit: (hit.row, hit.start, hit.phrase, hit.end),
    )


def _find_words(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    spans = words(phrase)
    wanted = [fold(phrase[start:end]) for start, end in spans]
    sign = _sign_before(phrase, spans[0][0])
    found = words(text)
    for first in range(len(found) - len(wanted) + 1):
        run = found[first : first + len(wanted)]
        if [fold(text[start:end]) for start, end in run] != wanted:
            continue
        start, end = run[0][0], run[-1][1]
        if not sign:
            yield start, end
        elif _sign_before(text, start) == sign:
            yield start - 1, end


def _sign_before(text: str, start: int) -> str | None:
    return _SIGNS.get(text[start - 1]) if start else None


def _find_characters(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    wanted, folded = fold(phrase), fold(text)
    start = folded.find(wanted)
    while start >= 0:
        yield start, start + len(wanted)
        start = folded.find(wanted, start + 1)
