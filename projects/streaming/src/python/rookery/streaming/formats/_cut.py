"""Cuts a stream of bytes into pieces of whole records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_RECORDS = 1000
MAX_PIECE_BYTES = 512 * 1024
MAX_RECORD_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Piece:
    """Bytes taken off the front of a stream.

    Attributes:
        data: Whole records, unless `broken`.
        broken: Why these bytes are not records; empty for those that belong to a record
            whose beginning was broken already.
    """

    data: bytes
    broken: str | None = None

    @property
    def lines(self) -> int:
        """How many line feeds it holds."""
        return self.data.count(b"\n")


class Cutter:
    """Cuts what it is fed into pieces of whole records, holding back what is not whole.

    A record that does not end within the limit (a quote that is never closed, a line
    without end) loses its first line, or itself if it is but one line. What comes behind
    it is cut as if it had not been there, so that one bad record costs no other.

    Args:
        ends: Gives the offsets behind the records in a buffer that begins with one.
        max_records: Most records in a piece.
        max_bytes: Most bytes in a piece of more than one record.
        max_record: Most bytes in one record.
    """

    def __init__(
        self,
        ends: Callable[[bytes], NDArray[np.int64]],
        *,
        max_records: int = MAX_RECORDS,
        max_bytes: int = MAX_PIECE_BYTES,
        max_record: int = MAX_RECORD_BYTES,
    ) -> None:
        self._find = ends
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._max_record = max_record
        self._buffer = b""
        self._start = 0  # of what is not cut yet
        self._ends: NDArray[np.int64] = np.empty(0, np.int64)
        self._next = 0  # into _ends: the first one behind _start
        self._overlong = False  # inside a line that was given up

    def feed(self, data: bytes) -> None:
        """Adds what comes next in the stream.

        Args:
            data: Any number of bytes.
        """
        self._refill(self._buffer[self._start :] + data)

    def cut(self, *, final: bool = False) -> Piece | None:
        """Takes the next piece.

        Args:
            final: Whether the stream ends with what was fed, so that its last record
                needs no line feed.

        Returns:
            The piece, or None if no record is whole.
        """
        if self._overlong:
            return self._skip()
        if self._next < len(self._ends):
            return Piece(self._take(self._last_fitting()))
        rest = len(self._buffer) - self._start
        if rest > self._max_record:
            limit = f"{self._max_record:,} bytes"
            return self._break(f"the record does not end within {limit}")
        if final and rest:
            return self._cut_last()
        return None

    def _last_fitting(self) -> int:
        limit = np.searchsorted(self._ends, self._start + self._max_bytes, "right")
        following = min(self._next + self._max_records, len(self._ends), int(limit))
        self._next = max(following, self._next + 1)
        return int(self._ends[self._next - 1])

    def _cut_last(self) -> Piece:
        # As if the line feed were there: does a record end with it?
        rest = self._buffer[self._start :]
        ends = self._find(rest + b"\n")
        if len(ends) and ends[-1] == len(rest) + 1:
            return Piece(self._take(len(self._buffer)))
        return self._break("a quoted field is not closed before the end")

    def _break(self, reason: str) -> Piece:
        """Gives up the first line of the rest."""
        line_feed = self._buffer.find(b"\n", self._start)
        self._overlong = line_feed < 0 and len(self._buffer) > self._max_record
        end = line_feed + 1 if line_feed >= 0 else len(self._buffer)
        piece = Piece(self._take(end), reason)
        self._refill(self._buffer[self._start :])
        return piece

    def _skip(self) -> Piece | None:
        line_feed = self._buffer.find(b"\n", self._start)
        self._overlong = line_feed < 0
        end = line_feed + 1 if line_feed >= 0 else len(self._buffer)
        skipped = self._take(end)
        self._refill(self._buffer[self._start :])
        return Piece(skipped, "") if skipped else None

    def _take(self, end: int) -> bytes:
        data = self._buffer[self._start : end]
        self._start = end
        return data

    def _refill(self, buffer: bytes) -> None:
        self._buffer = buffer
        self._start = self._next = 0
        self._ends = np.empty(0, np.int64) if self._overlong else self._find(buffer)
