"""Posts from JSON lines.

Read with msgspec and not with Arrow's own reader, which is no faster with columns as many
as these and which ends the process (pyarrow 26) over a line that is `null`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from rookery.records._lines import line_starts, not_blank
from rookery.records._parsed import Parsed, Rejected
from rookery.records._posts import posts_from_columns

_BOM = b"\xef\xbb\xbf"
_Id = str | int | None
_Count = int | float | str | None


class _Line(msgspec.Struct):
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


@dataclass
class _Read:
    """Lines as read.

    Attributes:
        lines: The good ones.
        at: Which line of the text each of them is, from 0.
        bad: Line to the reason why it is no post.
    """

    lines: list[_Line]
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
    read = _read_all(body) or _read_each(body)
    rows = zip(*map(msgspec.structs.astuple, read.lines), strict=True)
    columns = {
        name: column
        for name, column in zip(_NAMES, rows, strict=False)
        # Most columns are in no line of a file; searching one is done in no time.
        if column.count(None) != len(column)
    }
    if read.lines and not columns:
        columns = {"id": (None,) * len(read.lines)}
    parsed = posts_from_columns(
        columns,
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


def _read_all(body: bytes) -> _Read | None:
    """Reads all lines at once; None if one of them is not what it should be."""
    try:
        lines = _DECODER.decode_lines(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    # The decoder looks for objects, not for lines: one may be on two, or two on one.
    if len(lines) == body.count(b"\n") + (not body.endswith(b"\n")):
        return _Read(lines, range(len(lines)))
    at = not_blank(body, line_starts(body)).tolist()
    return _Read(lines, at) if len(lines) == len(at) else None


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
    return _Read(lines, at, bad)


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
