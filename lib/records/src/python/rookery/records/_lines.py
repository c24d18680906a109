"""Offsets of lines, to say where a record stands."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Offsets: TypeAlias = NDArray[np.int64]

_LINE_FEED, _QUOTE = b'\n"'
_WHITE_SPACE = b" \t\r\n"
_BLANK = np.zeros(256, np.bool_)
_BLANK[list(_WHITE_SPACE)] = True


def line_starts(data: bytes) -> Offsets:
    """Finds where lines begin.

    Args:
        data: Text.

    Returns:
        int64: offset of the first byte of each line, and the end of the text behind them.
    """
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_FEED) + 1
    if not len(ends) or ends[-1] != len(data):
        ends = np.append(ends, len(data))
    return np.concatenate(([0], ends)) if data else np.zeros(1, np.int64)


def csv_record_starts(data: bytes) -> Offsets:
    """Finds where records of a CSV begin: behind line feeds outside of quotes.

    Args:
        data: CSV whose quotes stand only around fields, and doubled within.

    Returns:
        Like `line_starts`, of records.
    """
    starts = line_starts(data)
    quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE)
    outside = np.searchsorted(quotes, starts) % 2 == 0
    outside[-1] = True
    return np.asarray(starts[outside])


def not_blank(data: bytes, starts: Offsets) -> NDArray[np.int64]:
    """Finds the pieces of a text that hold more than white space.

    Args:
        data: The text.
        starts: Where the pieces begin, and the end of the text.

    Returns:
        int64: indexes of those pieces.
    """
    if len(starts) < 2:
        return np.zeros(0, np.int64)
    is_blank = _BLANK[np.frombuffer(data, np.uint8)[starts[:-1]]]
    for piece in np.flatnonzero(is_blank).tolist():
        # Few begin with white space at all.
        text = data[starts[piece] : starts[piece + 1]]
        is_blank[piece] = not text.strip(_WHITE_SPACE)
    return np.flatnonzero(~is_blank)


def lines_before(data: bytes, offsets: Offsets) -> NDArray[np.int64]:
    """Counts line feeds.

    Args:
        data: The text.
        offsets: Offsets into it.

    Returns:
        int64: how many line feeds stand before each offset.
    """
    feeds = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_FEED)
    return np.searchsorted(feeds, offsets)
