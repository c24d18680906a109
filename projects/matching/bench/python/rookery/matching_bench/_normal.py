"""Texts made such that a phrase is one literal: words with one space between them.

Engines that look for characters know nothing of words. Written like this, ` boulder fire `
stands wherever the phrase does, and nowhere else, so that no pattern has to be verified
afterwards; each hit that an engine reports costs more than all of this. Many texts are
made so at once, by `bytes.translate` and numpy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from rookery.matching_bench._found import Found, Integers
from rookery.text import fold

WORD: Final = re.compile(r"\w+")
GAP: Final = re.compile(r"\W+")
_SPACE: Final = ord(" ")
# No phrase stands across it, as no phrase has it.
_END: Final = ord("\n")
_BETWEEN: Final = " \n "


def _ascii_table(*, kept: str = "") -> bytes:
    return bytes(
        code if code > 127 or chr(code) in kept or WORD.match(chr(code)) else _SPACE
        for code in range(256)
    )


_WITHOUT_SIGNS: Final = _ascii_table(kept="\n")


def literal(phrase: str) -> bytes:
    """Writes a phrase as it stands in normal text.

    Args:
        phrase: Folded words with a space between them.

    Returns:
        The same in UTF-8, a space before and behind it.
    """
    return f" {phrase} ".encode()


def normal(text: str) -> str:
    """Writes one text in this way.

    Args:
        text: Folded text.

    Returns:
        Its words, with one space between, before and behind them.
    """
    if text.isascii():
        words = text.encode().translate(_WITHOUT_SIGNS).split()
        return f" {b' '.join(words).decode()} "
    return f" {GAP.sub(' ', text).strip()} "


def place(text: str, normal_text: str, start: int, words: int) -> tuple[int, int]:
    """Finds where a hit stands in the text as it was.

    Args:
        text: The text.
        normal_text: The same, as `normal` wrote it.
        start: Where the literal begins in that.
        words: How many words it has.

    Returns:
        Start and end in the text.
    """
    number = normal_text.count(" ", 0, start)
    spans = [match.span() for match in WORD.finditer(text)]
    return spans[number][0], spans[number + words - 1][1]


class Normal:
    """Many texts, folded, as one text of this kind.

    Args:
        texts: The texts, without line ends.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        folded = fold(f" {_BETWEEN.join(texts)}{_BETWEEN}")
        self._written = folded.encode()
        data = np.frombuffer(self._written.translate(_WITHOUT_SIGNS), np.uint8)
        self._ascii = folded.isascii()
        if not self._ascii:
            data = _without_signs(data)
        used = data != _SPACE
        kept = used.copy()
        kept[1:] |= used[:-1]
        kept[0] = True
        self._kept = np.flatnonzero(kept)
        self.data = data.take(self._kept).tobytes()

    def found(self, hits: Sequence[tuple[int, int, int]]) -> Found:
        """Finds out where hits stand.

        Args:
            hits: Phrase, start and end of each literal found in `data`, in bytes.

        Returns:
            The hits.
        """
        phrase, start, end = np.array(hits, np.int64).reshape(-1, 3).T
        written = np.frombuffer(self._written, np.uint8)
        # A text begins behind the end of the one before it and a space.
        first = np.append(1, np.flatnonzero(written == _END) + 2)
        row = np.searchsorted(first, self._kept[start + 1], "right") - 1
        # Characters are bytes but those that go on with one.
        further: Integers = np.empty(0, np.int64)
        if not self._ascii:
            further = np.flatnonzero((written & 0xC0) == 0x80)

        def characters(places: Integers) -> Integers:
            return places - np.searchsorted(further, places)

        begins = characters(first)[row]
        return Found(
            row,
            phrase,
            characters(self._kept[start + 1]) - begins,
            characters(self._kept[end - 2] + 1) - begins,
        )

    def texts(self) -> list[str]:
        """Returns each text by itself, with a space before and behind it."""
        return self.data.decode().split("\n")


def _without_signs(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Puts spaces for all characters beyond ASCII that belong to no word."""
    at = np.flatnonzero(data >= 0xC0)
    lead = data[at].astype(np.int64)
    size = 2 + (lead >= 0xE0) + (lead >= 0xF0)
    code = np.where(size == 2, lead & 0x1F, np.where(size == 3, lead & 0x0F, lead & 7))
    for further in range(1, 4):
        more = size > further
        code[more] = code[more] << 6 | data[at[more] + further] & 0x3F
    written = data.copy()
    signs = ~_is_word()[code]
    at, size = at[signs], size[signs]
    for further in range(4):
        written[at[size > further] + further] = _SPACE
    return written


def prepare() -> None:
    """Makes the table of characters, which else is made when it is first used."""
    _is_word()


@cache
def _is_word() -> npt.NDArray[np.bool_]:
    """Tells of every character whether it belongs to words."""
    codes = np.arange(0x110000, dtype="<u4").tobytes()
    every = codes.decode("utf-32-le", "surrogatepass")
    table = np.zeros(len(every), bool)
    for match in WORD.finditer(every):
        table[match.start() : match.end()] = True
    return table
