"""Where records end in a buffer of text, so that it can be cut between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEWLINE = 0x0A
_QUOTE = 0x22


def line_ends(data: bytes) -> NDArray[np.int64]:
    """Finds the ends of lines.

    Args:
        data: Bytes that begin with a line.

    Returns:
        int64[n], rising: for each complete line the offset behind its line feed.
    """
    return np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1


def csv_ends(data: bytes, *, delimiter: bytes = b",") -> NDArray[np.int64]:
    """Finds the ends of CSV records, which may hold line breaks inside quotes.

    A quote opens a quoted field only where a field begins (RFC 4180); elsewhere it is a
    character like any other, as in `5" pipe`.

    Args:
        data: Bytes that begin with a record.
        delimiter: What stands between fields, one byte.

    Returns:
        int64[n], rising: for each complete record the offset behind its line feed. What
        comes behind the last one is the beginning of a record.
    """
    view = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(view == _NEWLINE)
    quotes = np.flatnonzero(view == _QUOTE)
    if not len(quotes):
        return newlines + 1
    # Quotes alternate between opening and closing ("" inside a field closes and opens at
    # once) as long as each that opens stands at the beginning of a field.
    opening = quotes[::2]
    before = view[opening - 1]
    well_formed = (
        (opening == 0)
        | (before == _NEWLINE)
        | (before == delimiter[0])
        | (before == _QUOTE)
    )
    if not well_formed.all():
        return _scan(data, delimiter)
    inside = np.searchsorted(quotes, newlines) % 2
    ends: NDArray[np.int64] = newlines[inside == 0] + 1
    return ends


def _scan(data: bytes, delimiter: bytes) -> NDArray[np.int64]:
    """Does what `csv_ends` does, one field at a time: exact, and slower."""
    ends: list[int] = []
    start = 0  # of a field
    size = len(data)
    while start < size:
        if data.startswith(b'"', start):
            start = _closing(data, start + 1)
            if start < 0:
                break
        newline = data.find(b"\n", start)
        comma = data.find(delimiter, start, newline if newline >= 0 else size)
        if comma >= 0:
            start = comma + 1
        elif newline >= 0:
            start = newline + 1
            ends.append(start)
        else:
            break
    return np.array(ends, np.int64)


def _closing(data: bytes, start: int) -> int:
    """Finds the offset behind the quote that closes a field, -1 if none does."""
    while (quote := data.find(b'"', start)) >= 0:
        if not data.startswith(b'"', quote + 1):
            return quote + 1
        start = quote + 2
    return -1
