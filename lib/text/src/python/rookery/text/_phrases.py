"""Many phrases, found in many texts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from rookery.text._columns import Array, Integers, column, integers
from rookery.text._errors import ColumnError, PhraseError
from rookery.text._terms import Term, TermKind
from rookery.text._threads import over_slices
from rookery.text_native import kernel

# The kernel has the sides of a term in the bits above those of its kind.
_KIND: Final = 3
_AT_START: Final = 4
_AT_END: Final = 8


@dataclass(frozen=True, eq=False)
class Hits:
    """Where phrases stand, sorted by row, start, phrase.

    Attributes:
        row: Index of the text, int32.
        phrase: Index of the phrase, int32.
        start: Where it begins, in characters (code points), int32. A phrase that
            begins with a sign begins at its sign.
        end: Where it ends, exclusive, in characters, int32; with a prefix, where the
            word ends that begins with it.
        first_word: Index of its first word among the words of the text, int32; of a
            substring, of the first word that ends behind its start.
        last_word: Index of its last word, int32; of a substring, of the last word that
            begins before its end, so that it is less than `first_word` where the
            substring touches no word.
    """

    row: Integers
    phrase: Integers
    start: Integers
    end: Integers
    first_word: Integers
    last_word: Integers

    def __len__(self) -> int:
        return len(self.row)


class PhraseTable:
    """Phrases in a form in which they are found fast; immutable, shared by threads.

    A word is a run of letters, numbers, underscores, and the combining marks behind
    them. With boundaries, a phrase is its words: they are found where they stand as
    whole words one after the other, whatever stands between them that is no word, so
    that `boulder fire` is found in `Boulder, #fire`. If `#`, `@` or `$` stands directly
    before its first word, it has to stand there in the text too (the first two also in
    full width). Of a prefix, the last word may go on: `boulder fi` is found in `boulder
    fires`, and ends where `fires` does. A substring is its characters, found anywhere.
    A term may have to stand at the start of its text, or at its end.

    Case is folded by Unicode's simple folding; diacritics make a difference.

    Args:
        phrases: The phrases.
        table: The same in the kernel.
    """

    def __init__(self, phrases: tuple[str | Term, ...], table: kernel.Table) -> None:
        self._phrases = phrases
        self._table = table

    @classmethod
    def build(
        cls, phrases: Sequence[str | Term], *, boundaries: bool = True
    ) -> PhraseTable:
        """Builds a table.

        Args:
            phrases: The phrases; one that is there twice is found twice.
            boundaries: Whether those that are no `Term` are found as whole words, else
                as substrings.

        Returns:
            The table.

        Raises:
            PhraseError: If one has no word, or, as a substring, no character.
        """
        phrases = tuple(phrases)
        plain = TermKind.WORDS if boundaries else TermKind.SUBSTRING
        kinds = bytes(
            [_kind(phrase) if isinstance(phrase, Term) else plain for phrase in phrases]
        )
        texts = [
            phrase.text if isinstance(phrase, Term) else phrase for phrase in phrases
        ]
        try:
            array = pa.array(texts, pa.large_string())
        except UnicodeEncodeError as error:
            raise PhraseError(f"a phrase is no valid Unicode: {error}") from error
        try:
            return cls(phrases, kernel.Table(column(array), kinds))
        except IndexError as error:
            (index,) = error.args
            is_substring = kinds[index] & _KIND == TermKind.SUBSTRING
            missing = "character" if is_substring else "word"
            raise PhraseError(
                f"phrase {index}, {texts[index]!r}, has no {missing} to look for"
            ) from None

    @property
    def native(self) -> kernel.Table:
        """The same in the kernel, for other parts of this package."""
        return self._table

    @property
    def phrases(self) -> tuple[str | Term, ...]:
        """The phrases, as they were given."""
        return self._phrases

    def __len__(self) -> int:
        return len(self._phrases)

    def find(self, texts: Array, *, threads: int = 1) -> Hits:
        """Finds all phrases in all texts; the GIL is released meanwhile.

        Overlapping phrases are all found. The time is linear in the length of the
        texts, times the number of words of the longest phrase in the worst case, plus
        that of writing the hits down.

        Args:
            texts: Array of string or large_string; nulls have no hits.
            threads: How many slices of the texts are read at the same time; the hits
                are the same for any number.

        Returns:
            The hits.

        Raises:
            ColumnError: If the array does not hold text, or is damaged.
            ValueError: If there is to be no thread.
        """
        if threads < 1:
            raise ValueError(f"{threads} threads find nothing: give at least one")
        try:
            found = over_slices(self._find, texts, threads)
        except ValueError as error:
            raise ColumnError(f"the array is damaged: {error}") from error
        if len(found) == 1:
            return Hits(*found[0][1])
        columns = [np.concatenate(parts) for parts in zip(*(hits for _, hits in found))]
        at = 0
        for first, (rows, *_) in found:
            columns[0][at : at + len(rows)] += first
            at += len(rows)
        for values in columns:
            values.flags.writeable = False
        return Hits(*columns)

    def _find(self, texts: Array) -> tuple[Integers, ...]:
        return tuple(integers(self._table.find(column(texts)), 6))


def _kind(term: Term) -> int:
    return term.kind | _AT_START * term.at_start | _AT_END * term.at_end
