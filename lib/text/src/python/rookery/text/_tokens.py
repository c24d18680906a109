"""The words of texts, and case folding."""

from __future__ import annotations

from dataclasses import dataclass

from rookery.text._columns import Array, Integers, column, integers
from rookery.text._errors import ColumnError
from rookery.text_native import kernel

UNICODE_VERSION = kernel.UNICODE_VERSION


@dataclass(frozen=True, eq=False)
class Tokens:
    """Where words stand, sorted by row and start.

    Attributes:
        row: Index of the text, int32.
        start: Where the word begins, in characters (code points), int32.
        end: Where it ends, exclusive, in characters, int32.
    """

    row: Integers
    start: Integers
    end: Integers

    def __len__(self) -> int:
        return len(self.row)


def tokens(texts: Array) -> Tokens:
    """Finds the words of texts: the units that phrases are made of.

    A word is a run of Unicode letters, numbers, underscores, and the combining marks
    behind them. A mark behind something else, such as an emoji, is part of no word.

    Args:
        texts: Array of string or large_string; nulls have no words.

    Returns:
        The words.

    Raises:
        ColumnError: If the array does not hold text, or is damaged.
    """
    try:
        packed = kernel.words(column(texts))
    except ValueError as error:
        raise ColumnError(f"the array is damaged: {error}") from error
    return Tokens(*integers(packed, 3))


def fold(text: str) -> str:
    """Folds case, one character into one, so that offsets stay what they are.

    Args:
        text: Any text.

    Returns:
        The text under Unicode's simple case folding (CaseFolding.txt, statuses C and
        S): `ẞ` becomes `ß`, the Kelvin sign `k`; `ß` and `İ` stay.
    """
    return kernel.fold(text)
