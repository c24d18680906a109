"""The one validator: columns from anywhere in, posts out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pyarrow as pa

from rookery.records._arrow import Array
from rookery.records._arrow import kernels as pc
from rookery.records._columns import (
    Column,
    Converted,
    counts,
    empty_lists,
    list_bytes,
    null_where_empty,
    outside_of,
    show,
    string_lists,
    strings,
    times,
)
from rookery.records._errors import RecordsError, SchemaError
from rookery.records._naming import NEEDED
from rookery.records._parsed import MAX_RAW_BYTES, Parsed, Rejected
from rookery.records._schemas import POST, TIME

MAX_TEXT_BYTES = 64 * 1024
MAX_ID_BYTES = 512
MAX_STRING_BYTES = 4096
MAX_LIST_BYTES = 32 * 1024

Where = Sequence[str] | Callable[[int], str]

_IDS = ("id", "reply_to", "repost_of", "quote_of")
_NUMBERS_WILL_DO = (*_IDS, "author")
# Set here, whatever the input says.
_OURS = ("source", "ingested_at", "time_suspect")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_SOURCE = re.compile(r"[^\s:\x00-\x1f\x7f]{1,128}")


def posts_from_columns(
    columns: Mapping[str, Column],
    *,
    source: str,
    ingested_at: datetime,
    where: Where,
    raw: Callable[[int], bytes] | None = None,
) -> Parsed:
    """Makes posts of columns.

    A row becomes a post if `id`, `text` and `created_at` are there and each of its values
    is what its column asks for: text is valid UTF-8 and at most 64 KiB (ids 512 bytes,
    other strings 4 KiB, lists 32 KiB), counts are from 0 to 10^12, times are RFC 3339 or
    microseconds since 1970. `id` and what refers to posts may be native: they get the
    name of the source before them. Empty strings are nulls where a column may have them,
    lists default to empty. `source`, `ingested_at` and `time_suspect` are set here;
    columns that nobody knows are ignored.

    Args:
        columns: Name in `POST` to values, all of the same length.
        source: Name of the source, without spaces and colons.
        ingested_at: When the posts are taken in, with a time zone.
        where: Says of each row where it stands, as in `tweets.csv:17`.
        raw: Gives a row as it came; by default its columns as JSON.

    Returns:
        Good rows as posts, the others with their reason. A name of a source, or a time
        of ingest, that cannot be used raises `RecordsError`; columns of different
        lengths raise `SchemaError`.
    """
    _check_arguments(source, ingested_at)
    rows = _rows(columns)
    converted = {
        name: _convert(name, columns.get(name), rows, source)
        for name in POST.names
        if name not in _OURS
    }
    arrays = {name: one.values for name, one in converted.items()}
    arrays |= _ours(arrays["created_at"], source, ingested_at)
    bad = _first_reasons(converted)
    if bad:
        keep = pa.array([row not in bad for row in range(rows)], pa.bool_())
        arrays = {name: array.filter(keep) for name, array in arrays.items()}
    posts = pa.RecordBatch.from_arrays(
        [arrays[name] for name in POST.names], schema=POST
    )
    as_it_came = raw or (lambda row: _as_json(columns, row))
    rejected = tuple(
        Rejected(_place(where, row), reason, as_it_came(row))
        for row, reason in sorted(bad.items())
    )
    return Parsed(posts, rejected)


def _check_arguments(source: str, ingested_at: datetime) -> None:
    if not _SOURCE.fullmatch(source):
        raise RecordsError(
            f"a source cannot be called {source!r}: give it a name of at most 128 "
            "characters without spaces and colons"
        )
    if ingested_at.utcoffset() is None:
        raise RecordsError("ingested_at has no time zone: give it one")


def _rows(columns: Mapping[str, Column]) -> int:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise SchemaError(f"the columns are of different lengths: {shown}")
    return next(iter(lengths.values()), 0)


def _convert(name: str, column: Column | None, rows: int, source: str) -> Converted:
    kind = POST.field(name).type
    if column is None:
        if pa.types.is_list(kind):
            return Converted(empty_lists(rows))
        missing = Converted(pa.nulls(rows, kind))
    elif pa.types.is_list(kind):
        return _checked_lists(string_lists(column))
    elif pa.types.is_timestamp(kind):
        missing = times(column)
    elif pa.types.is_integer(kind):
        return counts(column)
    else:
        missing = _checked_strings(
            name, strings(column, numbers=name in _NUMBERS_WILL_DO), source
        )
    if name in NEEDED and missing.values.null_count:
        missing.flag(missing.values.is_null(), "is missing")
    return missing


def _checked_strings(name: str, column: Converted, source: str) -> Converted:
    if name in _IDS:
        column.values = pc.utf8_trim_whitespace(column.values)
    lengths = pc.binary_length(column.values)
    ends = pc.min_max(lengths)
    if name == "text":
        blank = pc.utf8_is_space(column.values)
        if ends["min"].as_py() == 0 or pc.any(blank).as_py():
            column.flag(pc.or_(blank, pc.equal(lengths, 0)), "is empty")
    elif ends["min"].as_py() == 0:
        column.values = null_where_empty(column.values)
    limit = _limit(name)
    if (ends["max"].as_py() or 0) > limit:
        column.flag(
            pc.greater(lengths, limit),
            lambda row: f"is too long: {lengths[row].as_py():,} bytes, "
            f"{limit:,} at most",
        )
    if name in _IDS:
        column.values = _with_source(column.values, source)
    return column


def _limit(name: str) -> int:
    if name == "text":
        return MAX_TEXT_BYTES
    return MAX_ID_BYTES if name in _IDS else MAX_STRING_BYTES


def _with_source(ids: Array, source: str) -> Array:
    prefix = f"{source}:"
    has = pc.starts_with(ids, prefix)
    joined: Array = pc.binary_join_element_wise(pa.scalar(source), ids, ":")
    if pc.any(has).as_py():
        joined = pc.if_else(has, ids, joined)
    return joined


def _checked_lists(column: Converted) -> Converted:
    sizes = list_bytes(column.values)
    if (outside := outside_of(sizes, 0, MAX_LIST_BYTES)) is not None:
        column.flag(
            outside,
            lambda row: f"is too long: {sizes[row].as_py():,} bytes, "
            f"{MAX_LIST_BYTES:,} at most",
        )
    return column


def _ours(created: Array, source: str, ingested_at: datetime) -> dict[str, Array]:
    rows = len(created)
    now = ingested_at.astimezone(UTC)
    suspect = pc.or_(
        pc.less(created, pa.scalar(_EARLIEST, TIME)),
        pc.greater(created, pa.scalar(now + timedelta(days=1), TIME)),
    )
    return {
        "source": pa.repeat(pa.scalar(source), rows),
        "ingested_at": pa.repeat(pa.scalar(now, TIME), rows),
        "time_suspect": suspect,
    }


def _first_reasons(columns: Mapping[str, Converted]) -> dict[int, str]:
    bad: dict[int, str] = {}
    for name, column in columns.items():
        for row, reason in column.bad.items():
            bad.setdefault(row, f"{name}: {reason}")
    return bad


def _place(where: Where, row: int) -> str:
    return where(row) if callable(where) else where[row]


def _as_json(columns: Mapping[str, Column], row: int) -> bytes:
    values: dict[str, object] = {}
    for name, column in columns.items():
        value = column[row]
        if isinstance(value, pa.Scalar):
            try:
                value = value.as_py()
            except (ValueError, OverflowError, pa.ArrowException):
                value = value.type.id
        values[name] = _writable(value)
    return msgspec.json.encode(values)[:MAX_RAW_BYTES]


def _writable(value: object) -> object:
    if isinstance(value, bytes):
        return value[:MAX_RAW_BYTES].decode("utf-8", "replace")
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return show(value, MAX_RAW_BYTES)
    return value
