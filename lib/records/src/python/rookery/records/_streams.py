"""Posts out of files of any size, piece by piece."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet

from rookery.records._csv import check_header, read_csv
from rookery.records._errors import RecordsError, SchemaError
from rookery.records._jsonl import read_jsonl
from rookery.records._lines import csv_record_starts
from rookery.records._naming import require_needed
from rookery.records._parquet import read_rows, wanted_columns
from rookery.records._parsed import Parsed, Rejected
from rookery.records._schemas import POST, empty

PIECE_BYTES = 2 * 1024 * 1024
PIECE_ROWS = 16 * 1024
# A record that does not end within so many bytes is none: its text is 64 KiB at most.
MAX_RECORD_BYTES = 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_TOO_LONG = f"the record does not end within {MAX_RECORD_BYTES:,} bytes"
_UNCLOSED = "a quoted field is not closed before the end"


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Reads on.

        Args:
            size: How many bytes at most.

        Returns:
            Some bytes, as soon as there are any; none at the end.
        """


def stream_jsonl(
    file: Readable,
    *,
    source: str,
    ingested_at: datetime,
    where: str = "<jsonl>",
    piece_bytes: int = PIECE_BYTES,
) -> Iterator[Parsed]:
    """Reads posts from JSON lines, as `read_jsonl` does, in bounded memory.

    Args:
        file: The text.
        source: Name of the source.
        ingested_at: When the posts are taken in, with a time zone.
        where: What to call the text.
        piece_bytes: How many bytes to read at a time.

    Yields:
        The posts of the whole lines that have come so far, and lines that are none.
    """
    for data, line, broken in _pieces(file, _last_line_end, 1, piece_bytes):
        if broken:
            yield _rejected(where, line, broken, data)
            continue
        yield read_jsonl(
            data,
            source=source,
            ingested_at=ingested_at,
            where=where,
            first_line=line,
        )


def stream_csv(
    file: Readable,
    *,
    source: str,
    ingested_at: datetime,
    where: str = "<csv>",
    columns: Mapping[str, str] | None = None,
    time: str | None = None,
    piece_bytes: int = PIECE_BYTES,
) -> Iterator[Parsed]:
    """Reads posts from CSV, as `read_csv` does, in bounded memory.

    Args:
        file: The text.
        source: Name of the source.
        ingested_at: When the posts are taken in, with a time zone.
        where: What to call the text.
        columns: Our name to theirs; what is not here goes by our name.
        time: Their name of `created_at`; `snowflake` if it is in the id.
        piece_bytes: How many bytes to read at a time.

    Yields:
        The posts of the whole records that have come so far, and records that are none.
        A header without a column that was named, or that a post must have, raises
        `SchemaError`.

    Raises:
        RecordsError: If the header does not end.
        SchemaError: If there is none.
    """
    header = b""
    for data, line, broken in _pieces(file, _last_record_end, 1, piece_bytes):
        if not header:
            if broken:
                raise RecordsError(f"{where}: the header: {broken}")
            end = _header_end(data)
            header, data = data[:end], data[end:]
            check_header(header, columns, time)
            line += header.count(b"\n")
            if not header.endswith(b"\n"):
                header += b"\n"
        if broken:
            yield _rejected(where, line, broken, data)
            continue
        yield read_csv(
            header + data,
            source=source,
            ingested_at=ingested_at,
            where=where,
            first_line=line - header.count(b"\n"),
            columns=columns,
            time=time,
        )
    if not header:
        raise SchemaError("the CSV has no header: it is empty")


def stream_parquet(
    file: BinaryIO | pa.NativeFile,
    *,
    source: str,
    ingested_at: datetime,
    where: str = "<parquet>",
    columns: Mapping[str, str] | None = None,
    time: str | None = None,
    piece_rows: int = PIECE_ROWS,
) -> Iterator[Parsed]:
    """Reads posts from Parquet, as `read_parquet` does, a row group at a time.

    Args:
        file: The file; it has to be one that can be read from any place.
        source: Name of the source.
        ingested_at: When the posts are taken in, with a time zone.
        where: What to call the file.
        columns: Our name to theirs; what is not here goes by our name.
        time: Their name of `created_at`; `snowflake` if it is in the id.
        piece_rows: How many rows to read at a time.

    Yields:
        The posts, and the rows that are none. A file without a column that was named, or
        that a post must have, raises `SchemaError`.

    Raises:
        RecordsError: If it is no Parquet file, or a damaged one.
    """
    try:
        with pyarrow.parquet.ParquetFile(file) as opened:
            wanted = wanted_columns(opened, columns, time)
            require_needed(wanted, opened.schema_arrow.names, columns, time)
            row = 1
            # All groups at once would be read ahead of what is asked for.
            batches = itertools.chain.from_iterable(
                opened.iter_batches(
                    piece_rows,
                    row_groups=[group],
                    columns=list(wanted.values()),
                    use_threads=False,
                )
                for group in range(opened.num_row_groups)
            )
            for batch in batches:
                yield read_rows(
                    {ours: batch.column(theirs) for ours, theirs in wanted.items()},
                    source=source,
                    ingested_at=ingested_at,
                    where=where,
                    first_row=row,
                    time=time,
                )
                row += batch.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RecordsError(f"{where} is not a Parquet file: {error}") from error


def _rejected(where: str, line: int, reason: str, data: bytes) -> Parsed:
    raw = data.rstrip(b"\r\n")
    return Parsed(empty(POST), (Rejected(f"{where}:{line}", reason, raw),))


def _pieces(
    file: Readable,
    last_end: Callable[[bytes], int],
    line: int,
    piece_bytes: int,
) -> Iterator[tuple[bytes, int, str]]:
    """Cuts a text into whole records, each piece with the number of its first line.

    The third of what it yields is empty, or says why a line was given up.
    """
    rest = b""
    while data := file.read(piece_bytes):
        rest += data
        if line == 1 and len(rest) >= len(_BOM):
            rest = rest.removeprefix(_BOM)
        while True:
            if end := last_end(rest):
                yield rest[:end], line, ""
                line += rest.count(b"\n", 0, end)
                rest = rest[end:]
            if len(rest) <= MAX_RECORD_BYTES:
                break
            # The record loses its first line, so that it costs no other.
            feed = rest.find(b"\n") + 1
            yield rest[: feed or len(rest)], line, _TOO_LONG
            rest = rest[feed:] if feed else _skip_line(file, piece_bytes)
            line += 1
    yield from _last(rest.removeprefix(_BOM) if line == 1 else rest, last_end, line)


def _last(
    rest: bytes, last_end: Callable[[bytes], int], line: int
) -> Iterator[tuple[bytes, int, str]]:
    """What stands at the end, where the last line needs no line feed."""
    while rest:
        end = min(last_end(rest + b"\n"), len(rest))
        if end:
            yield rest[:end], line, ""
        else:
            end = rest.find(b"\n") + 1 or len(rest)
            yield rest[:end], line, _UNCLOSED
        line += rest.count(b"\n", 0, end)
        rest = rest[end:]


def _skip_line(file: Readable, piece_bytes: int) -> bytes:
    while data := file.read(piece_bytes):
        if feed := data.find(b"\n") + 1:
            return data[feed:]
    return b""


def _last_line_end(data: bytes) -> int:
    return data.rfind(b"\n") + 1


def _last_record_end(data: bytes) -> int:
    """Finds the end of the last record that is whole: a line feed outside of quotes."""
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"')
    if not end or (quotes - data.count(b'"', end)) % 2 == 0:
        return end
    starts = csv_record_starts(data[:end])
    # The last one is the end of the text, whatever stands there.
    return int(starts[-2]) if len(starts) > 1 else 0


def _header_end(data: bytes) -> int:
    starts = csv_record_starts(data)
    return int(starts[1]) if len(starts) > 1 else len(data)
