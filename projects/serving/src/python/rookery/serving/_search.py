"""Finds the posts of a page, newest first, in lake and tail alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from rookery.lake import LakeUnavailable
from rookery.matching import Matcher
from rookery.records import MATCH, POST
from rookery.serving._filters import MINUTE_US, Filter, Place
from rookery.serving._posts import (
    KEY_COLUMNS,
    by_row,
    in_order,
    newest,
    pick,
    with_time,
)
from rookery.serving._tail import TailFrame
from rookery.serving._view import View

# How many posts are put through a search at once, and for one page.
SEARCH_CHUNK = 2_000
SEARCH_LIMIT = 20_000
# How many frames whose posts had to make room are read again for one page.
LOAD_LIMIT = 200
_FOREVER = 2**31 - 1

Load = Callable[[Sequence[int]], Mapping[int, pa.RecordBatch]]


@dataclass(frozen=True)
class Page:
    """Some posts and where to go on.

    Attributes:
        posts: `rookery.records.MATCH` and `counted`, newest first. Under a search the
            spans of the search stand behind those of the rules.
        next: Where the next page begins; None: there are no more.
        searched: How many posts were put through the search.
        skipped: Frames of the log that were too many to be read again: their posts
            are missing from the page until the archiver has caught up.
    """

    posts: pa.Table
    next: Place | None
    searched: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class _Window:
    """The newest minutes that hold enough posts."""

    minutes: Sequence[int]
    before: int
    asked: Filter

    @property
    def low(self) -> int:
        return self.minutes[-1]


class Finder:
    """Finds pages of posts in one view.

    Args:
        view: Lake and tail.
        load: Reads the posts of frames of the log again, by their sequences.
    """

    def __init__(self, view: View, load: Load) -> None:
        self._view = view
        self._load = load
        self._loaded: dict[int, pa.RecordBatch] = {}
        self._skipped: set[int] = set()

    def page(
        self,
        asked: Filter,
        *,
        below: Place | None = None,
        limit: int = 50,
        search: Matcher | None = None,
    ) -> Page:
        """Finds the newest posts that pass a filter and a search.

        Args:
            asked: The filter.
            below: Where the page before ended; None: from the newest on.
            limit: How many posts at most.
            search: What their text has to match, None: anything.

        Returns:
            The page.
        """
        found: list[pa.Table] = []
        count = searched = 0
        place = below
        chunk = limit if search is None else SEARCH_CHUNK
        for window in self._windows(asked, below, chunk):
            keys = self._keys(window)
            exhausted = False
            while not exhausted:
                wanted = limit - count if search is None else chunk
                top = newest(keys, window.asked, below=place, limit=wanted)
                exhausted = top.num_rows < wanted
                if not top.num_rows:
                    break
                place = _place(top, top.num_rows - 1)
                posts = self._full(window, top)
                if search is not None:
                    searched += posts.num_rows
                    posts = _matching(posts, search)
                found.append(posts.slice(0, limit - count))
                count += found[-1].num_rows
                if count >= limit or searched >= SEARCH_LIMIT:
                    if search is not None and count >= limit:
                        place = _place(found[-1], found[-1].num_rows - 1)
                    return self._result(found, place, searched)
        return self._result(found, None, searched)

    def _result(self, found: list[pa.Table], next: Place | None, searched: int) -> Page:
        schema = MATCH.append(pa.field("counted", pa.int64(), nullable=False))
        posts = by_row(found, schema)
        return Page(posts, next, searched, len(self._skipped))

    def _windows(
        self, asked: Filter, below: Place | None, chunk: int
    ) -> Iterator[_Window]:
        cubes = self._view.cubes
        before = _FOREVER if below is None else below.counted // MINUTE_US + 1
        while minutes := cubes.minutes(asked, before=before, at_least=chunk):
            narrowed = replace(
                asked, start=_later(asked.start, minutes[-1]), end=asked.end
            )
            yield _Window(minutes, before, narrowed)
            before = minutes[-1]

    def _keys(self, window: _Window) -> pa.Table:
        tables = [self._read(window, KEY_COLUMNS, _within(window))]
        for batch in self._tail(window):
            tables.append(pa.Table.from_batches([batch]).select(list(KEY_COLUMNS)))
        schema = pa.schema([MATCH.field(name) for name in KEY_COLUMNS])
        return with_time(by_row(tables, schema))

    def _full(self, window: _Window, keys: pa.Table) -> pa.Table:
        ids = keys["id"].to_pylist()
        wanted = _within(window) & ds.field("id").isin(ids)
        tables = [self._read(window, MATCH.names, wanted)]
        for batch in self._tail(window):
            tables.append(pick(pa.Table.from_batches([batch]), ids))
        return in_order(with_time(by_row(tables, MATCH)), keys)

    def _read(
        self, window: _Window, columns: Sequence[str], rows: ds.Expression
    ) -> pa.Table:
        snapshot = self._view.history.around(window.minutes)
        try:
            return snapshot.dataset("matches").to_table(list(columns), rows)
        except (OSError, pa.ArrowInvalid) as error:
            raise LakeUnavailable(
                f"posts of the lake cannot be read ({error}): see"
                " `python -m rookery.lake check --lake URL`"
            ) from error

    def _tail(self, window: _Window) -> list[pa.RecordBatch]:
        frames = [frame for frame in self._view.frames if _overlaps(frame, window)]
        gone = [
            frame.sequence
            for frame in frames
            if frame.posts is None and frame.sequence not in self._loaded
        ]
        room = LOAD_LIMIT - len(self._loaded)
        needed = gone[max(0, len(gone) - room) :]
        self._skipped.update(gone[: len(gone) - len(needed)])
        if needed:
            self._loaded.update(self._load(needed))
            self._skipped.update(set(needed) - self._loaded.keys())
        batches = (frame.posts or self._loaded.get(frame.sequence) for frame in frames)
        return [batch for batch in batches if batch is not None]


def _overlaps(frame: TailFrame, window: _Window) -> bool:
    if frame.first_event is None or frame.last_event is None:
        return False
    first = int(frame.first_event.timestamp()) // 60
    last = int(frame.last_event.timestamp()) // 60
    return first < window.before and last >= window.low


def _within(window: _Window) -> ds.Expression:
    """Posts whose time lies in the window, by one time or the other.

    Which of the two counts is decided afterwards, exactly.
    """
    low, high = _moment(window.low), None
    if window.before < _FOREVER:
        high = _moment(window.before)

    def lies_within(column: str) -> ds.Expression:
        expression = ds.field(column) >= pa.scalar(low, pa.timestamp("us", "UTC"))
        if high is not None:
            expression &= ds.field(column) < pa.scalar(high, pa.timestamp("us", "UTC"))
        return expression

    suspect = ds.field("time_suspect")
    return lies_within("created_at") | (suspect & lies_within("ingested_at"))


def _matching(posts: pa.Table, search: Matcher) -> pa.Table:
    """Keeps the posts that a search matches, and marks its words too."""
    if not posts.num_rows:
        return posts
    batch = posts.select(list(POST.names)).combine_chunks().to_batches()[0]
    hits = search(batch.cast(POST))
    kept = posts.take(hits.column("row"))
    marked: Iterator[tuple[Any, Any]] = zip(
        kept["spans"].to_pylist(), hits.column("spans").to_pylist(), strict=True
    )
    spans = [[*before, *marks] for before, marks in marked]
    place = kept.schema.get_field_index("spans")
    field = kept.schema.field(place)
    kept = kept.set_column(place, field, pa.array(spans, field.type))
    order = pc.sort_indices(kept, [("counted", "descending"), ("id", "descending")])
    return kept.take(order)


def _place(posts: pa.Table, row: int) -> Place:
    return Place(posts["counted"][row].as_py(), posts["id"][row].as_py())


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _later(start: datetime | None, minute: int) -> datetime:
    moment = _moment(minute)
    return moment if start is None else max(start, moment)
