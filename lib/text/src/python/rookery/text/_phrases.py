"""Many phrases, found in many texts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from rookery.text._columns import Array, Integers, column, integers
from rookery.text._errors import ColumnError, PhraseError
from rookery.text_native import kernel


@dataclass(frozen=True, eq=False)
class Hits:
    """Where phrases stand, sorted by row, start, phrase.

    Attributes:
        row: Index of the text, int32.
        phrase: Index of the phrase, int32.
        start: Where it begins, in characters (code points), int32. A phrase that
            begins with a sign begins at its sign.
        end: Where it ends, exclusive, in characters, int32.
    """

    row: Integers
    phrase: Integers
    start: Integers
    end: Integers

    def __len__(self) -> int:
        return len(self.row)


class PhraseTable:
    """Phrases in a form in which they are found fast; immutable, shared by threads.

    A word is a run of letters, numbers, underscores, and the combining marks behind
    them. With boundaries, a phrase is its words: they are found where they stand as
    whole words one after the other, whatever stands between them that is no word, so
    that `boulder fire` is found in `Boulder, #fire`. If `#`, `@` or `$` stands directly
    before its first word, it has to stand there in the text too (the first two also in
    full width). Without boundaries, a phrase is its characters, found anywhere.

    Case is folded by Unicode's simple folding; diacritics make a difference.

    Args:
        phrases: The phrases.
        table: The same in the kernel.
    """

    def __init__(self, phrases: tuple[str, ...], table: kernel.Table) -> None:
        self._phrases = phrases
        self._table = table

    @classmethod
    def build(cls, phrases: Sequence[str], *, boundaries: bool = True) -> PhraseTable:
        """Builds a table.

        Args:
            phrases: The phrases; one that is there twice is found twice.
            boundaries: Whether they are found as whole words only.

        Returns:
            The table.

        Raises:
            PhraseError: If one has no word, or without boundaries no character.
        """
        phrases = tuple(phrases)
        try:
            texts = pa.array(phrases, pa.large_string())
        except UnicodeEncodeError as error:
            raise PhraseError(f"a phrase is no valid Unicode: {error}") from error
        try:
            return cls(phrases, kernel.Table(column(texts), boundaries))
        except IndexError as error:
            (index,) = error.args
            missing = "word" if boundaries else "character"
            raise PhraseError(
                f"phrase {index}, {phrases[index]!r}, has no {missing} to look for"
            ) from None

    @property
    def phrases(self) -> tuple[str, ...]:
        """The phrases, as they were given."""
        return self._phrases

    def __len__(self) -> int:
        return len(self._phrases)

    def find(self, texts: Array) -> Hits:
        """Finds all phrases in all texts; the GIL is released meanwhile.

        Overlapping phrases are all found. The time is linear in the length of the
        texts, times the number of words of the longest phrase in the worst case.

        Args:
            texts: Array of string or large_string; nulls have no hits.

        Returns:
            The hits.

        Raises:
            ColumnError: If the array does not hold text, or is damaged.
        """
        try:
            packed = self._table.find(column(texts))
        except ValueError as error:
            raise ColumnError(f"the array is damaged: {error}") from error
        return Hits(*integers(packed, 4))
