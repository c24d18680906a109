"""Posts from CSV.

Arrow reads the columns, unless something about the quotes or the number of fields is
wrong: then Python's reader goes record by record, to find out where.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.csv

from rookery.records._arrow import Array
from rookery.records._arrow import kernels as pc
from rookery.records._errors import SchemaError
from rookery.records._lines import csv_record_starts, lines_before, not_blank
from rookery.records._naming import SNOWFLAKE, columns_wanted, reason_of, require_needed
from rookery.records._parsed import Parsed, Rejected
from rookery.records._posts import posts_from_columns
from rookery.records._snowflake import snowflake_times

_BOM = b"\xef\xbb\xbf"
_UNCLOSED = "a quoted field is not closed before the end"
_MAX_UNCLOSED = 16
# The header is looked for here first.
_HEAD_BYTES = 4096
_IDS = ("id", "reply_to", "repost_of", "quote_of")


@dataclass
class _Record:
    """A record, and where it stands; `broken` says why it is none."""

    fields: list[str]
    start: int
    end: int
    broken: str | None


@dataclass
class _Table:
    """Records as read.

    Attributes:
        columns: Our name to bytes, for the good records.
        bounds: Gives offsets of the first byte of a good record, and behind it.
        bad: Offsets of records that are none, to the reason.
    """

    columns: dict[str, Array]
    bounds: Callable[[int], tuple[int, int]]
    bad: dict[tuple[int, int], str] = field(default_factory=dict)


def read_csv(
    data: bytes,
    *,
    source: str,
    ingested_at: datetime,
    where: str = "<csv>",
    first_line: int = 1,
    columns: Mapping[str, str] | None = None,
    time: str | None = None,
) -> Parsed:
    """Reads posts from CSV.

    Args:
        data: A header and records, with commas and double quotes (RFC 4180), in UTF-8.
            Lists are JSON arrays. Columns that nobody knows are ignored.
        source: Name of the source.
        ingested_at: When the posts are taken in, with a time zone.
        where: What to call the text.
        first_line: Number of its first line, the header's.
        columns: Our name to theirs; what is not here goes by our name.
        time: Their name of `created_at`; `snowflake` if it is in the id. Ids may stand
            in single quotes.

    Returns:
        The posts, and the records that are none, with the number of their first line. A
        header without a column that was named raises `SchemaError`.
    """
    body = data.removeprefix(_BOM)
    names, start = _header(body)
    wanted = columns_wanted(names, columns, time)
    records = body[start:]
    table = _read_whole(records, len(names), wanted)
    if table is None:
        table = _read_each(records, len(names), wanted)
    _unquote_ids(table.columns)
    if time == SNOWFLAKE and "id" in table.columns:
        table.columns["created_at"] = snowflake_times(table.columns["id"])
    parsed = posts_from_columns(
        table.columns,
        source=source,
        ingested_at=ingested_at,
        where=str,
        raw=lambda row: b"",
    )
    if not parsed.rejected and not table.bad:
        return parsed
    bad = dict(table.bad)
    for one in parsed.rejected:
        bad[table.bounds(int(one.where))] = reason_of(one.reason, time)
    offsets = np.array([begin for begin, _ in bad], np.int64)
    lines = lines_before(records, offsets) + body.count(b"\n", 0, start) + first_line
    rejected = [
        (begin, Rejected(f"{where}:{line}", why, records[begin:end].rstrip(b"\r\n")))
        for ((begin, end), why), line in zip(bad.items(), lines.tolist(), strict=True)
    ]
    rejected.sort(key=lambda pair: pair[0])
    return Parsed(parsed.posts, tuple(one for _, one in rejected))


def check_header(
    header: bytes, columns: Mapping[str, str] | None, time: str | None
) -> None:
    """Refuses a header with which no record can become a post.

    Args:
        header: The first record.
        columns: Our name to theirs.
        time: Their name of `created_at`, or `snowflake`.

    A column that was named, or that a post must have, and is missing raises
    `SchemaError`.
    """
    names, _ = _header(header)
    require_needed(columns_wanted(names, columns, time), names, columns, time)


def _header(body: bytes) -> tuple[list[str], int]:
    head = body[:_HEAD_BYTES]
    starts = csv_record_starts(head)
    if len(head) < len(body) and len(starts) < 3:
        starts = csv_record_starts(body)
    end = int(starts[1]) if len(starts) > 1 else len(body)
    text = body[:end].decode("utf-8", "replace")
    names = next(csv.reader(text.splitlines(keepends=True)), [])
    if not names:
        raise SchemaError("the CSV has no header: its first line is empty")
    return names, end


def _unquote_ids(columns: dict[str, Array]) -> None:
    for name in _IDS:
        if name in columns:
            # Spreadsheets are kept from rounding ids by single quotes around them.
            columns[name] = pc.replace_substring_regex(
                columns[name], r"^\s*'([^']*)'\s*$", r"\1"
            )


def _read_whole(data: bytes, width: int, wanted: dict[str, int]) -> _Table | None:
    """Reads with Arrow; None if not every record is as it should be."""
    # An open quote at the end would swallow records, and Arrow would not say so.
    if data.count(b'"') % 2:
        return None
    if not data or data.isspace():
        return _Table({}, lambda row: (0, 0))
    names = [str(index) for index in range(width)]
    chosen = [str(index) for index in wanted.values()]
    try:
        read = pyarrow.csv.read_csv(
            io.BytesIO(data),
            pyarrow.csv.ReadOptions(
                use_threads=False, block_size=len(data) + 1, column_names=names
            ),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            # As bytes, so that text that is not UTF-8 costs only its own record.
            pyarrow.csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(chosen, pa.binary()),
                include_columns=chosen,
            ),
        ).combine_chunks()
    except pa.ArrowInvalid:
        return None
    starts = csv_record_starts(data)
    pieces = not_blank(data, starts)
    if len(pieces) != read.num_rows:
        return None
    columns = {
        ours: read.column(str(index)).combine_chunks() for ours, index in wanted.items()
    }
    return _Table(
        columns, lambda row: (int(starts[pieces[row]]), int(starts[pieces[row] + 1]))
    )


def _read_each(data: bytes, width: int, wanted: dict[str, int]) -> _Table:
    """Reads with Python's reader, record by record."""
    good: list[_Record] = []
    bad: dict[tuple[int, int], str] = {}
    start = unclosed = 0
    while start < len(data):
        end = len(data)
        for record in _records(data, start):
            if record.broken == _UNCLOSED and unclosed < _MAX_UNCLOSED:
                # What the record would swallow is read again from its second line on,
                # so that one bad record costs no other.
                unclosed += 1
                end = data.find(b"\n", record.start) + 1 or len(data)
                bad[record.start, end] = _UNCLOSED
            elif reason := record.broken or _wrong_width(record.fields, width):
                bad[record.start, record.end] = reason
            else:
                good.append(record)
        start = end
    columns: dict[str, Array] = {
        ours: pa.array([one.fields[at].encode("latin-1") for one in good], pa.binary())
        for ours, at in wanted.items()
    }
    return _Table(columns, lambda row: (good[row].start, good[row].end), bad)


def _wrong_width(fields: list[str], width: int) -> str | None:
    if len(fields) == width:
        return None
    plural = "" if len(fields) == 1 else "s"
    return f"the record has {len(fields)} field{plural}, and the header {width}"


def _records(data: bytes, start: int) -> Iterator[_Record]:
    """Reads records from an offset on, skipping blank lines."""
    # Byte by byte as Latin-1, which loses nothing: fields need not be UTF-8.
    lines = list(io.StringIO(data[start:].decode("latin-1"), newline="\n"))
    offsets = [start, *(np.cumsum([len(line) for line in lines]) + start).tolist()]
    if not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    # Behind the text stands one more line. If a quote is open, it ends up inside of it.
    reader = csv.reader([*lines, "end"])
    first = 0
    while first < len(lines):
        fields: list[str] = []
        broken = None
        try:
            fields = next(reader)
        except csv.Error as error:
            broken = f"the record cannot be read: {error}"
        last = reader.line_num
        if last > len(lines):
            last, broken = len(lines), _UNCLOSED
        if broken or len(fields) > 1 or "".join(fields).strip():
            yield _Record(fields, offsets[first], offsets[last], broken)
        first = last
