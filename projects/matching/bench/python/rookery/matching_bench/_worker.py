"""A process for each side, so that its memory and the time it takes are its own.

What it is asked for comes over a pipe, one request after the other, and each is answered
by an `Answer` or an error. Time is that of the processor for sides with one thread, which
a busy machine disturbs least, and that of the clock for those with several.
"""

from __future__ import annotations

import gc
import pickle  # nosec B403
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from rookery.matching_bench._data import Posts
from rookery.matching_bench._found import Found, joined
from rookery.matching_bench._rules import AUTHORS, BenchRule
from rookery.matching_bench._sides import Batch, Side, Work, Workload
from rookery.records import posts_from_columns

# How many posts are tried first, to see how many are a round.
_FEW: Final = 20
_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"


@dataclass(frozen=True)
class Input:
    """What all sides of one size are given.

    Attributes:
        posts: The posts.
        phrases: The phrases of the one workload.
        rules: The rules of the other.
        batch: How many posts are a batch.
    """

    posts: Posts
    phrases: list[str]
    rules: list[BenchRule]
    batch: int


@dataclass(frozen=True)
class Answer:
    """What a side has to say.

    Attributes:
        posts: How many posts it went through.
        seconds: How long that took.
        found: What it found in them, where that was asked for.
        peak: How far memory has ever risen above what it was before there were any
            rules, in bytes; None where the system does not tell.
    """

    posts: int
    seconds: float
    found: Found | None = None
    peak: int | None = None


def serve(connection: Connection, path: Path, side: Side) -> None:
    """Answers requests until there are no more.

    Args:
        connection: Over which they come: `build`, `check` with a number of seconds,
            `round` with a number of seconds.
        path: A file with the `Input`, pickled by the process that sends them.
        side: What is measured.
    """
    given: Input = pickle.loads(path.read_bytes())  # nosec B301
    runner = _Runner(given, side)
    connection.send(None)
    while True:
        try:
            name, argument = connection.recv()
        except EOFError:
            return
        try:
            connection.send(getattr(runner, name)(argument))
        except Exception as error:  # noqa: B902  (whatever a library raises is told)
            connection.send(error_text(error))


def error_text(error: Exception) -> str:
    """Writes an error in one line.

    Args:
        error: The error.

    Returns:
        Its type and what it says.
    """
    return " ".join(f"{type(error).__name__}: {error}".split())


class _Runner:
    def __init__(self, given: Input, side: Side) -> None:
        self._side = side
        self._clock: Callable[[], float] = (
            time.process_time if side.threads == 1 else time.perf_counter
        )
        phrases = side.workload is Workload.PHRASES
        self._rules: list[Any] = [*(given.phrases if phrases else given.rules)]
        self._batches = _batches(given)
        self._total = len(given.posts.texts)
        self._size = given.batch
        self._work: Work | None = None
        self._slow: list[Batch] = []
        self._next = 0
        make = side.make()
        self._make = make
        del given
        gc.collect()
        self._before = _start_peak()

    def build(self, argument: object) -> Answer:
        """Makes the side; not with the clock, for that a build has one thread."""
        start = time.process_time()
        self._work = self._make(self._rules)
        return Answer(0, time.process_time() - start, peak=self._peak())

    def check(self, limit: float) -> Answer:
        """Finds what there is in as many posts as the time allows."""
        assert self._work is not None  # nosec B101
        few = _slice(self._batches[0], 0, _FEW)
        # The first time, caches are filled.
        self._work.find(few)
        begin = self._clock()
        parts = [(0, self._work.found(self._work.find(few)))]
        spent = self._clock() - begin
        done = len(few.texts)
        if spent / done * self._size > limit:
            # Too slow for a whole batch: rounds go through so few at a time as well.
            whole = max(int(limit / spent * done), 1)
            rest = _slice(self._batches[0], done, max(whole, done))
            if rest.texts:
                parts.append((done, self._work.found(self._work.find(rest))))
            done += len(rest.texts)
            self._slow = [
                _slice(self._batches[0], at, at + max(whole // 4, 1))
                for at in range(0, max(whole, 1), max(whole // 4, 1))
            ]
            return Answer(done, self._clock() - begin, joined(parts))
        parts.clear()
        done = 0
        for batch in self._batches:
            parts.append((done, self._work.found(self._work.find(batch))))
            done += len(batch.texts)
            if self._clock() - begin > limit:
                break
        return Answer(done, self._clock() - begin, joined(parts))

    def round(self, least: float) -> Answer:
        """Goes on through the posts for at least so long."""
        assert self._work is not None  # nosec B101
        batches = self._slow or self._batches
        find, clock, posts = self._work.find, self._clock, 0
        start = clock()
        while (spent := clock() - start) < least or not posts:
            batch = batches[self._next % len(batches)]
            self._next += 1
            find(batch)
            posts += len(batch.texts)
        return Answer(posts, spent, peak=self._peak())

    def _peak(self) -> int | None:
        if self._before is None:
            return None
        return max(_memory("VmHWM") - self._before, 0)


def _batches(given: Input) -> list[Batch]:
    posts = given.posts
    authors = [f"user{number % AUTHORS}" for number in range(len(posts.texts))]
    ids = [str(number) for number in range(len(posts.texts))]
    now = datetime(2013, 1, 1, tzinfo=UTC)
    parsed = posts_from_columns(
        {
            "id": ids,
            "text": posts.texts,
            "author": authors,
            "language": posts.languages,
            "created_at": [now] * len(ids),
        },
        source="bench",
        ingested_at=now,
        where=ids,
    )
    if parsed.rejected:
        raise ValueError(f"a post is none: {parsed.rejected[0]}")
    batches: list[Batch] = []
    for at in range(0, len(ids), given.batch):
        # Each batch has buffers of its own, as those have that come over a network.
        table = pa.Table.from_batches([parsed.posts.slice(at, given.batch)])
        [batch] = (
            table.take(pa.array(range(table.num_rows))).combine_chunks().to_batches()
        )
        part = slice(at, at + given.batch)
        batches.append(
            Batch(
                posts.texts[part],
                posts.languages[part],
                authors[part],
                batch.column("text"),
                batch,
            )
        )
    return batches


def _slice(batch: Batch, start: int, end: int) -> Batch:
    rows = batch.posts.slice(start, max(end - start, 0))
    return Batch(
        batch.texts[start:end],
        batch.languages[start:end],
        batch.authors[start:end],
        rows.column("text"),
        rows,
    )


def _start_peak() -> int | None:
    """Begins to record how far memory rises, and tells where it is now."""
    try:
        _CLEAR.write_text(_RESET_PEAK)
        return _memory("VmRSS")
    except OSError:
        return None


def _memory(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{_STATUS} has no {name}")
