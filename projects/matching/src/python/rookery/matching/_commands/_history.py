"""Posts of the past: out of a lake, or out of files."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from rookery.matching._commands._input import Misuse, Reading, Unreadable
from rookery.matching._commands._rejections import Rejections
from rookery.matching._language._expression import leaves
from rookery.matching._language._leaves import Field
from rookery.matching._rules import RuleSet
from rookery.records import POST, concat, counted_at

if TYPE_CHECKING:
    from rookery.lake import Snapshot

# Posts that are matched at a time: a lake may have many small files.
_ROWS: Final = 16 * 1024
_ALWAYS: Final = (
    *("id", "source", "text", "created_at", "ingested_at", "time_suspect"),
    "author",
)
_FOR_FIELDS: Final = ("language", "url", "links", "media")
_AGO: Final = re.compile(r"(\d{1,6})([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Stretch:
    """A stretch of time.

    Attributes:
        since: Its first moment; None for no limit.
        until: The first moment after it; None for no limit.
    """

    since: datetime | None = None
    until: datetime | None = None

    def of(self, posts: pa.RecordBatch) -> pa.RecordBatch:
        """Leaves out posts that are not counted in it.

        Args:
            posts: A batch of `POST`.

        Returns:
            The others.
        """
        if self.since is None and self.until is None:
            return posts
        times = counted_at(posts).cast(pa.int64()).to_numpy()
        kept = np.ones(len(times), np.bool_)
        if self.since is not None:
            kept &= times >= _microseconds(self.since)
        if self.until is not None:
            kept &= times < _microseconds(self.until)
        return posts.filter(pa.array(kept))


@dataclass(frozen=True)
class History:
    """Where posts of the past come from.

    Attributes:
        total: How much there is of it, about; None if that is not known.
        unit: What `total` counts: `B` or `posts`.
        note: What a person should know of it; empty where there is nothing.
        batches: Makes the posts; is given what counts progress and bad records.
    """

    total: int | None
    unit: str
    note: str
    batches: Callable[[Callable[[int], None], Rejections], Iterator[pa.RecordBatch]]


def open_history(
    over: Sequence[str], rules: RuleSet, reading: Reading, stretch: Stretch
) -> History:
    """Finds posts of the past.

    Args:
        over: Addresses or folders of lakes, or files or patterns of their names. All of
            them are files, or there is one lake.
        rules: What is asked of them: columns nothing is asked of are not read.
        reading: How files are to be read.
        stretch: Which posts are wanted.

    Returns:
        The posts; nothing has been read of them yet.

    Raises:
        Misuse: What is named is several lakes, or a lake and files.
    """
    lakes = [one for one in map(_lake_url, over) if one is not None]
    if not lakes:
        return _of_files(
            [path for one in over for path in _paths(one)], reading, stretch
        )
    if len(over) > 1:
        raise Misuse("--over takes one lake, or files: name nothing beside the lake")
    return _of_lake(lakes[0], rules, stretch)


def _lake_url(over: str) -> str | None:
    if "://" in over:
        return over
    path = Path(over)
    if not path.is_dir():
        return None
    if (path / "epochs").is_dir():
        return path.resolve().as_uri()
    raise Misuse(
        f"{over}: is a folder, but no lake: name files, as in '{over}/*.jsonl'"
    )


def _paths(over: str) -> list[Path]:
    if over == "-" or Path(over).exists() or not glob.has_magic(over):
        return [Path(over)]
    found = sorted(glob.glob(over, recursive=True))
    if not found:
        raise Unreadable(f"{over}: there is no such file")
    return [Path(one) for one in found]


def _of_files(paths: list[Path], reading: Reading, stretch: Stretch) -> History:
    def batches(
        count: Callable[[int], None], rejections: Rejections
    ) -> Iterator[pa.RecordBatch]:
        counted = replace(reading, count=count)
        for path in paths:
            for parsed in counted.read(path):
                rejections.add(parsed.rejected)
                yield stretch.of(parsed.posts)

    return History(reading.check(paths), "B", "", batches)


def _of_lake(url: str, rules: RuleSet, stretch: Stretch) -> History:
    # Imported late: files need none of it.
    from rookery.lake import Lake

    if url.startswith("file://") and not Path(_folder(url), "epochs").is_dir():
        raise Unreadable(f"{url}: there is no lake, or nothing was archived in it yet")
    lake = Lake.open(url, read_only=True)
    part, note = "posts", ""
    snapshot = lake.posts.snapshot()
    if not snapshot.rows("posts"):
        matched = lake.matches.snapshot()
        if matched.rows("matches"):
            # With ROOKERY_ARCHIVE=matched, no others are kept.
            snapshot, part = matched, "matches"
            note = (
                "the lake has only posts that rules in force matched: what others a rule "
                "would match is not known, and shares are of these posts"
            )
    return History(
        _rows(snapshot, part, stretch),
        "posts",
        note,
        _reader(snapshot, part, rules, stretch),
    )


def _folder(url: str) -> str:
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(url).path)


def _rows(snapshot: Snapshot, part: str, stretch: Stretch) -> int:
    """Says how many rows the files have that may have posts of a stretch of time."""
    return sum(
        commit.rows.get(part, 0)
        for commit in snapshot.commits
        if commit.first_event is not None
        and commit.last_event is not None
        and (stretch.since is None or commit.last_event >= stretch.since)
        and (stretch.until is None or commit.first_event < stretch.until)
    )


def _reader(
    snapshot: Snapshot, part: str, rules: RuleSet, stretch: Stretch
) -> Callable[[Callable[[int], None], Rejections], Iterator[pa.RecordBatch]]:
    columns = [*_ALWAYS, *(_FOR_FIELDS if _asks_fields(rules) else ())]

    def batches(
        count: Callable[[int], None], rejections: Rejections
    ) -> Iterator[pa.RecordBatch]:
        del rejections  # what is in a lake are posts
        read = snapshot.batches(
            part, columns=columns, start=stretch.since, end=stretch.until
        )
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for batch in read:
            for start in range(0, batch.num_rows, _ROWS):
                waiting.append(_as_posts(batch.slice(start, _ROWS)))
                rows += waiting[-1].num_rows
                if rows >= _ROWS:
                    yield concat(waiting, POST)
                    count(rows)
                    waiting, rows = [], 0
        if rows:
            yield concat(waiting, POST)
            count(rows)

    return batches


def _asks_fields(rules: RuleSet) -> bool:
    return any(
        isinstance(leaf, Field)
        for rule in rules.rules
        for leaf in leaves(rule.expression.node)
    )


def _as_posts(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Fills columns that were not read."""
    columns: list[pa.Array[Any]] = []
    for field in POST:
        if field.name in batch.schema.names:
            columns.append(batch.column(field.name).cast(field.type))
        elif pa.types.is_list(field.type):
            none: list[Any] = [[]] * batch.num_rows
            columns.append(pa.array(none, field.type))
        else:
            columns.append(pa.nulls(batch.num_rows, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=POST)


def parse_moment(text: str | None, option: str, now: datetime) -> datetime | None:
    """Reads what `--since` and `--until` take.

    Args:
        text: A day, or a time, in UTC unless it says another zone; or how long ago: 90m,
            12h, 7d, 4w. None for nothing.
        option: The name of the option.
        now: What time it is.

    Returns:
        The moment; None for nothing.

    Raises:
        Misuse: It is none of them.
    """
    if text is None:
        return None
    if ago := _AGO.fullmatch(text.strip()):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise Misuse(f"{option}: {text!r} is before all times") from None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Misuse(
            f"{option}: {text!r} is no time: write a day (2024-05-01), a time "
            "(2024-05-01T12:00Z), or how long ago (12h, 7d)"
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
