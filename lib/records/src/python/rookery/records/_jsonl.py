"""Posts from JSON lines.

Arrow reads them where every line is an object with the types that were expected: it makes
columns at once, and other threads go on meanwhile. Where it refuses anything, msgspec reads
them, which takes more types of values and says of each line what is wrong with it.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json

from rookery.records._arrow import Array
from rookery.records._arrow import kernels as pc
from rookery.records._columns import Column
from rookery.records._lines import line_starts, not_blank
from rookery.records._parsed import Parsed, Rejected
from rookery.records._posts import posts_from_columns
from rookery.records._schemas import POST

_BOM = b"\xef\xbb\xbf"
_OBJECT = ord("{")
_LINE_FEED = ord("\n")
# So many lines tell which columns a text has; it has to be long enough to be worth it.
_SAMPLE = 20
_ARROW_BYTES = (4096, 2**30)
_Id = str | int | None
_Count = int | float | str | None


# Without cycles there is nothing for the collector of garbage to look for.
class _Line(msgspec.Struct, gc=False):
    """The columns of a post that a line may have; others are skipped."""

    id: _Id = None
    author: _Id = None
    author_name: str | None = None
    text: str | None = None
    language: str | None = None
    created_at: str | int | float | None = None
    url: str | None = None
    reply_to: _Id = None
    repost_of: _Id = None
    quote_of: _Id = None
    likes: _Count = None
    reposts: _Count = None
    replies: _Count = None
    followers: _Count = None
    links: list[str] | None = None
    media: list[str] | None = None


_NAMES = _Line.__struct_fields__
_DECODER = msgspec.json.Decoder(_Line)


# A number may also stand where text is expected; which of the two it is a sample tells.
_TYPES: dict[str, pa.DataType] = {
    name: pa.string() if name == "created_at" else POST.field(name).type
    for name in _NAMES
}
_NUMBERS = ("id", "author", "created_at", "reply_to", "repost_of", "quote_of")


@dataclass
class _Read:
    """Lines as read.

    Attributes:
        columns: The good ones, by column.
        at: Which line of the text each of them is, from 0.
        bad: Line to the reason why it is no post.
    """

    columns: Mapping[str, Column]
    at: Sequence[int]
    bad: dict[int, str] = field(default_factory=dict)


def read_jsonl(
    data: bytes,
    *,
    source: str,
    ingested_at: datetime,
    where: str = "<jsonl>",
    first_line: int = 1,
) -> Parsed:
    """Reads posts from JSON lines.

    Args:
        data: One object a line, with the columns of `POST` by name; blank lines are
            skipped, so are members that nobody knows.
        source: Name of the source.
        ingested_at: When the posts are taken in, with a time zone.
        where: What to call the text.
        first_line: Number of its first line.

    Returns:
        The posts, and the lines that are none, with their numbers.
    """
    body = data.removeprefix(_BOM)
    read = _read_columns(body) or _read_all(body) or _read_each(body)
    parsed = posts_from_columns(
        read.columns,
        source=source,
        ingested_at=ingested_at,
        where=lambda row: str(read.at[row]),
        raw=lambda row: b"",
    )
    if not read.bad and not parsed.rejected:
        return parsed
    bad = read.bad | {int(one.where): one.reason for one in parsed.rejected}
    bounds = line_starts(body)
    rejected = (
        Rejected(
            f"{where}:{first_line + line}",
            bad[line],
            body[bounds[line] : bounds[line + 1]].rstrip(b"\r\n"),
        )
        for line in sorted(bad)
    )
    return Parsed(parsed.posts, tuple(rejected))


def _read_columns(body: bytes) -> _Read | None:
    """Reads all lines with Arrow; None if one of them is not what is expected."""
    if not _ARROW_BYTES[0] <= len(body) <= _ARROW_BYTES[1]:
        return None
    starts = np.flatnonzero(np.frombuffer(body, np.uint8) == _LINE_FEED) + 1
    begins = np.frombuffer(body, np.uint8)[starts[starts < len(body)]]
    # Arrow (pyarrow 26) ends the process over a text that begins with `null`.
    if body[0] != _OBJECT or not np.all(begins == _OBJECT):
        return None
    schema, is_all = _expected(body)
    if not len(schema):
        return None
    table = _arrow_table(body, schema, "error" if is_all else "ignore")
    if table is None and is_all:
        # A column that the sample does not have.
        every = pa.schema([(name, _type(schema, name)) for name in _NAMES])
        table = _arrow_table(body, every, "ignore")
    if table is None or table.num_rows != len(begins) + 1:
        return None
    columns: dict[str, Array] = {
        name: table.column(name).combine_chunks() for name in table.column_names
    }
    for name, column in columns.items():
        if pa.types.is_list(_TYPES[name]) and pc.list_flatten(column).null_count:
            return None
    return _Read(columns, range(table.num_rows))


def _type(schema: pa.Schema, name: str) -> pa.DataType:
    at = schema.get_field_index(name)
    return _TYPES[name] if at < 0 else schema.field(at).type


def _expected(body: bytes) -> tuple[pa.Schema, bool]:
    """Says which columns a text seems to have, and whether it has no others."""
    seen: dict[str, pa.DataType] = {}
    is_all = True
    for line in itertools.islice(io.BytesIO(body), _SAMPLE):
        try:
            values = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return pa.schema([]), False
        for name, value in values.items():
            if name not in _TYPES:
                is_all = False
            elif name in _NUMBERS and type(value) is int:
                seen[name] = pa.int64()
            else:
                seen.setdefault(name, _TYPES[name])
    if not is_all:
        # Members nobody knows are ignored, and so would be ours that are missing here.
        seen = _TYPES | seen
    return pa.schema(list(seen.items())), is_all


def _arrow_table(
    body: bytes, schema: pa.Schema, unexpected: Literal["error", "ignore"]
) -> pa.Table | None:
    try:
        return pyarrow.json.read_json(
            io.BytesIO(body),
            pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
            pyarrow.json.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior=unexpected
            ),
        )
    except pa.ArrowException:
        return None


def _read_all(body: bytes) -> _Read | None:
    """Reads all lines at once; None if one of them is not what it should be."""
    try:
        lines = _DECODER.decode_lines(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    # The decoder looks for objects, not for lines: one may be on two, or two on one.
    if len(lines) == body.count(b"\n") + (not body.endswith(b"\n")):
        return _Read(_by_column(lines), range(len(lines)))
    at = not_blank(body, line_starts(body)).tolist()
    return _Read(_by_column(lines), at) if len(lines) == len(at) else None


def _by_column(lines: list[_Line]) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for name in _NAMES:
        column = list(map(attrgetter(name), lines))
        # Most columns are in no line of a file; searching one is done in no time.
        if column.count(None) != len(column):
            columns[name] = column
    if lines and not columns:
        columns["id"] = [None] * len(lines)
    return columns


def _read_each(body: bytes) -> _Read:
    starts = line_starts(body)
    bounds = starts.tolist()
    lines: list[_Line] = []
    at: list[int] = []
    bad: dict[int, str] = {}
    for line in not_blank(body, starts).tolist():
        try:
            one = _DECODER.decode(body[bounds[line] : bounds[line + 1]].rstrip())
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            bad[line] = _reason(error)
            continue
        lines.append(one)
        at.append(line)
    return _Read(_by_column(lines), at, bad)


def _reason(error: Exception) -> str:
    match error:
        case UnicodeDecodeError():
            return "the line is not valid UTF-8"
        case RecursionError():
            return "the line is nested too deep"
        case msgspec.ValidationError():
            # "Expected `str`, got `int` - at `$.text`", "... - at `$.links[...]`"
            said, _, path = str(error).partition(" - at `$.")
            name = path.rstrip("`").partition("[")[0].partition(".")[0]
            said = said.replace("`", "").replace("Expected", "expected", 1)
            return f"{name}: {said}" if name else f"the line is no post: {said}"
        case _:
            return f"the line is not JSON: {error}"
