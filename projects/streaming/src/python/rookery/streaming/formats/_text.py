"""Text in, posts out: cutting and parsing together, without any file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from rookery.records import POST, Parsed, Rejected, empty, read_csv, read_jsonl
from rookery.streaming._errors import SourceFormatError
from rookery.streaming._options import Format
from rookery.streaming.formats._cut import Cutter, Piece
from rookery.streaming.formats._ends import csv_ends, line_ends
from rookery.streaming.formats._format import Columns

BOM = b"\xef\xbb\xbf"
_RAW_BYTES = 4096


@dataclass(frozen=True)
class Step:
    """What one piece of a text held.

    Attributes:
        parsed: Its posts and the records that are none.
        consumed: How many bytes of the text it took.
        line: Number of the line that comes next.
    """

    parsed: Parsed
    consumed: int
    line: int


class TextParser:
    """Turns JSON lines or CSV into posts, as the bytes come.

    Args:
        text_format: JSON lines or CSV.
        columns: Where the columns of a post come from; JSON lines use our names.
        source: Name of the source.
        name: What to call the text in the `where` of a record that is none.
        line: Number of the first line fed, from 1.
        header: First record of a CSV, if what is fed comes behind it; else it is
            expected first.
    """

    def __init__(
        self,
        text_format: Format,
        columns: Columns,
        *,
        source: str,
        name: str,
        line: int = 1,
        header: bytes = b"",
    ) -> None:
        self._format = text_format
        self._columns = columns
        self._source = source
        self._name = name
        self._line = line
        self._find: Callable[[bytes], NDArray[np.int64]]
        self._find = csv_ends if text_format is Format.CSV else line_ends
        self._cutter = Cutter(self._find)
        self._header = header
        self._head: bytes | None = b"" if line == 1 and not header else None

    def feed(self, data: bytes) -> None:
        """Adds what comes next in the text.

        Args:
            data: Any number of bytes.
        """
        if self._head is None:
            self._cutter.feed(data)
        else:
            self._head += data

    def next(self, now: datetime, *, final: bool = False) -> Step | None:
        """Parses the next piece.

        Args:
            now: The time at which it is taken in.
            final: Whether the text ends with what was fed.

        Returns:
            The piece, or None if no record is whole. A CSV whose header lacks a
            column raises `SourceFormatError`.
        """
        consumed = self._begin(final) if self._head is not None else 0
        if consumed is None:
            return None
        piece = self._cutter.cut(final=final)
        if piece is None:
            if not consumed:
                return None
            piece = Piece(b"")
        parsed = self._parse(piece, now)
        self._line += piece.lines
        return Step(parsed, consumed + len(piece.data), self._line)

    def _begin(self, final: bool) -> int | None:
        """Takes the mark of UTF-8 and the header off the beginning."""
        head = self._head or b""
        if not final and len(head) < len(BOM):
            return None
        mark = len(BOM) if head.startswith(BOM) else 0
        body = head[mark:]
        header = b""
        if self._format is Format.CSV:
            cutter = Cutter(self._find, max_records=1)
            cutter.feed(body)
            first = cutter.cut(final=final)
            if first is None:
                return None
            if first.broken is not None:
                raise SourceFormatError(f"{self._name}: the header: {first.broken}")
            header = first.data
            check_header(header, self._columns, self._name)
        self._head = None
        self._header = (
            header if header.endswith(b"\n") or not header else header + b"\n"
        )
        self._line += header.count(b"\n")
        self._cutter.feed(body[len(header) :])
        return mark + len(header)

    def _parse(self, piece: Piece, now: datetime) -> Parsed:
        if piece.broken is not None or not piece.data:
            return Parsed(empty(POST), self._broken(piece))
        if self._format is Format.JSONL:
            return read_jsonl(
                piece.data,
                source=self._source,
                ingested_at=now,
                where=self._name,
                first_line=self._line,
            )
        return read_csv(
            self._header + piece.data,
            source=self._source,
            ingested_at=now,
            where=self._name,
            first_line=self._line - self._header.count(b"\n"),
            columns=self._columns.names,
            time=self._columns.time,
        )

    def _broken(self, piece: Piece) -> tuple[Rejected, ...]:
        if not piece.broken:
            return ()
        where = f"{self._name}:{self._line}"
        return (Rejected(where, piece.broken, piece.data[:_RAW_BYTES]),)


def read_header(head: bytes) -> bytes:
    """Takes the first record off the beginning of a CSV.

    Args:
        head: The beginning of the file, with the whole header in it.

    Returns:
        The header with its line feed, without the mark of UTF-8.
    """
    body = head.removeprefix(BOM)
    ends = csv_ends(body)
    return body[: ends[0]] if len(ends) else body + b"\n"


def check_header(header: bytes, columns: Columns, name: str) -> None:
    """Refuses a CSV that cannot give a single post.

    Args:
        header: Its first record.
        columns: Where the columns of a post come from.
        name: What to call it.

    Raises:
        SourceFormatError: If a column is missing; the text says which and how to name
            it.
    """
    text = header.decode("utf-8", "replace")
    given = [field.strip() for field in next(csv.reader(io.StringIO(text)), [])]
    needed = {ours: columns.names.get(ours, ours) for ours in ("id", "text")}
    needed |= columns.names
    if columns.time is None:
        needed["created_at"] = columns.names.get("created_at", "created_at")
    elif columns.time != "snowflake":
        needed["created_at"] = columns.time
    missing = [(o, t) for o, t in needed.items() if t.strip() not in given]
    if missing:
        ours, theirs = missing[0]
        hint = (
            "--time snowflake|<column>"
            if ours == "created_at"
            else f"--columns {ours}='<their name>'"
        )
        raise SourceFormatError(
            f"{name}: no column {theirs!r} for {ours}; the header has "
            f"{', '.join(map(repr, given)) or 'nothing'}. Name it with {hint}"
        )
