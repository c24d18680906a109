"""What the kernel does, written once more so that it is plain to see.

Naive and slow: tests compare the kernel with it, and where one short text is explained
to a person it says why. It shares no code and no table with the kernel.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from rookery.text._entity_oracle import Entity, entities
from rookery.text._terms import Term, TermKind

__all__ = ["Entity", "Hit", "entities", "find", "fold", "words"]

_SIGNS = {"#": "#", "＃": "#", "@": "@", "＠": "@", "$": "$"}


class Hit(NamedTuple):
    """Where a phrase stands.

    Attributes:
        row: Index of the text.
        phrase: Index of the phrase.
        start: Where it begins, in characters.
        end: Where it ends, exclusive, in characters.
        first_word: Index of the first word that ends behind its start.
        last_word: Index of the last word that begins before its end.
    """

    row: int
    phrase: int
    start: int
    end: int
    first_word: int
    last_word: int


def fold(text: str) -> str:
    """Folds case, one character into one.

    Args:
        text: Any text.

    Returns:
        The text under Unicode's simple case folding.
    """
    return "".join(map(_fold_character, text))


@cache
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


@cache
def _kind(character: str) -> str:
    if re.fullmatch(r"\w", character):
        return "w"
    return "m" if unicodedata.category(character).startswith("M") else " "


def find(
    phrases: Sequence[str | Term],
    texts: Sequence[str | None],
    *,
    boundaries: bool = True,
) -> list[Hit]:
    """Finds all phrases in all texts, by trying each everywhere.

    Args:
        phrases: The phrases.
        texts: The texts.
        boundaries: Whether those that are no `Term` are found as whole words, else as
            substrings.

    Returns:
        The hits, sorted by row, start, phrase.
    """
    plain = TermKind.WORDS if boundaries else TermKind.SUBSTRING
    terms = [
        phrase if isinstance(phrase, Term) else Term(phrase, plain)
        for phrase in phrases
    ]
    hits: list[Hit] = []
    for row, text in enumerate(texts):
        spans = [] if text is None else words(text)
        for index, term in enumerate(terms):
            for start, end in [] if text is None else _places(term, text):
                first = sum(word_end <= start for _, word_end in spans)
                last = sum(word_start < end for word_start, _ in spans) - 1
                before, behind = first, len(spans) - 1 - last
                if term.kind is TermKind.SUBSTRING:
                    before, behind = start, len(text or "") - end
                if (term.at_start and before) or (term.at_end and behind):
                    continue
                hits.append(Hit(row, index, start, end, first, last))
    return sorted(hits, key=lambda hit: (hit.row, hit.start, hit.phrase, hit.end))


def _places(term: Term, text: str) -> Iterator[tuple[int, int]]:
    if term.kind is TermKind.SUBSTRING:
        return _find_characters(term.text, text)
    return _find_words(term.text, text, is_prefix=term.kind is TermKind.PREFIX)


def _find_words(
    phrase: str, text: str, *, is_prefix: bool
) -> Iterator[tuple[int, int]]:
    spans = words(phrase)
    *wanted, last = [fold(phrase[start:end]) for start, end in spans]
    sign = _sign_before(phrase, spans[0][0])
    found = words(text)
    for first in range(len(found) - len(wanted)):
        run = found[first : first + len(wanted) + 1]
        *before, end_word = [fold(text[start:end]) for start, end in run]
        ends = end_word.startswith(last) if is_prefix else end_word == last
        if before != wanted or not ends:
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
