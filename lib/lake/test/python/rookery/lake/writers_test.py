"""Two writers of one dataset, interleaved in every order, crashing anywhere."""

import queue
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from rookery.lake import Block, Commit, CommitConflict, Lake
from rookery.lake._check import check
from rookery.lake._store import Store
from rookery.lake._url import open_store

LOG_LAST = 12


class Crash(BaseException):
    """What kill -9 is to a writer: it does nothing more."""


class Turns:
    """Lets one of several writers do its next operation, when it is told to.

    A writer stops before each operation on the store. The test says who goes on, so an
    order found to fail is found again. Commits that a writer reads side by side, in
    threads of its own, never change: which comes first makes no difference, so those
    reads take no turns.
    """

    def __init__(self) -> None:
        self.writer: threading.Thread | None = None
        self.waiting: queue.Queue[None] = queue.Queue()
        self.go: queue.Queue[bool] = queue.Queue()
        self.over = threading.Event()

    def take(self) -> None:
        """Called by the writer before an operation."""
        if threading.current_thread() is not self.writer:
            return
        self.waiting.put(None)
        if not self.go.get(timeout=30):
            raise Crash

    def step(self, *, crash: bool) -> None:
        """Called by the test: one operation, or the crash before it."""
        if self.over.is_set():
            return
        self.go.put(not crash)
        self.waiting.get(timeout=30)


class SteppedStore(Store):
    """A real store whose operations wait for their turn."""

    def __init__(self, store: Store, turns: Turns) -> None:
        super().__init__(store._store, store.url)
        self._turns = turns

    @override
    def get(self, path: str) -> bytes | None:
        self._turns.take()
        return super().get(path)

    @override
    def create(self, path: str, data: bytes) -> bool:
        self._turns.take()
        return super().create(path, data)

    @override
    def delete(self, path: str) -> None:
        self._turns.take()
        super().delete(path)


def write_all(
    url: str, turns: Turns, sizes: list[int], samples: Any, told: list[Commit]
) -> None:
    """Does what the archiver does: on from the watermark, block by block."""
    turns.writer = threading.current_thread()
    try:
        turns.take()
        lake = Lake(SteppedStore(open_store(url), turns))
        for size in sizes:
            first = lake.posts.watermark() + 1
            if first > LOG_LAST:
                break
            last = min(first + size - 1, LOG_LAST)
            block: Block = samples.posts_block(first, last)
            try:
                told.append(lake.posts.commit(block))
            except CommitConflict:
                continue
    except Crash:
        pass
    finally:
        turns.over.set()
        turns.waiting.put(None)


def started(
    url: str, sizes: list[int], samples: Any, told: list[Commit]
) -> tuple[threading.Thread, Turns]:
    turns = Turns()
    thread = threading.Thread(
        target=write_all, args=(url, turns, sizes, samples, told), daemon=True
    )
    thread.start()
    turns.waiting.get(timeout=30)
    return thread, turns


def run(
    url: str, schedule: list[tuple[int, int, bool]], sizes: list[int], samples: Any
) -> list[Commit]:
    """Runs two writers in one order, and returns what they were told is committed."""
    told: list[Commit] = []
    lake = Lake.open(url)
    lake.open_epoch("e1", starts={"posts": 1, "matches": 1})
    writers = [started(url, each, samples, told) for each in (sizes, sizes[::-1])]
    for who, steps, crash in schedule:
        thread, turns = writers[who]
        for _ in range(steps):
            turns.step(crash=False)
        if crash:
            turns.step(crash=True)
            thread.join(30)
            # A supervisor starts it again.
            writers[who] = started(url, sizes, samples, told)
    for thread, turns in writers:
        while not turns.over.is_set():
            turns.step(crash=False)
        thread.join(30)
        assert not thread.is_alive()
    return told


def verify(url: str, samples: Any, told: list[Commit]) -> None:
    lake = Lake.open(url)
    while (first := lake.posts.watermark() + 1) <= LOG_LAST:
        lake.posts.commit(samples.posts_block(first))
    snapshot = lake.posts.snapshot()
    # Whoever was told that a block is committed trims its log.
    assert {commit.id for commit in told} <= {c.id for c in snapshot.commits}
    covered = [n for c in snapshot.commits for n in range(c.first, c.last + 1)]
    assert covered == list(range(1, LOG_LAST + 1))
    assert snapshot.table("posts").equals(samples.posts(*covered))
    report = check(lake)
    assert report.is_whole
    # What a crash leaves is not read, and known.
    assert {finding.kind for finding in report.findings} <= {"pending"}


schedules = st.lists(
    st.tuples(
        st.integers(0, 1), st.integers(1, 15), st.sampled_from([False] * 4 + [True])
    ),
    max_size=16,
)
block_sizes = st.lists(st.integers(1, 4), min_size=1, max_size=6)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(schedule=schedules, sizes=block_sizes)
def test_every_sequence_ends_in_exactly_one_commit(
    samples: Any, schedule: list[tuple[int, int, bool]], sizes: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = Path(folder, "lake").as_uri()
        told = run(url, schedule, sizes, samples)
        verify(url, samples, told)


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(3))
def test_every_sequence_ends_in_exactly_one_commit_in_a_bucket(
    s3: str, samples: Any, seed: int
) -> None:
    schedule = [(n % 2, (n * 5 + seed) % 12 + 1, n % 5 == seed) for n in range(16)]
    told = run(s3, schedule, [1, 3, 2], samples)
    verify(s3, samples, told)


def test_writers_at_full_speed_write_everything_once(url: str, samples: Any) -> None:
    lake = Lake.open(url)
    lake.open_epoch("e1", starts={"posts": 1, "matches": 1})
    told: list[Commit] = []

    def write() -> None:
        own = Lake.open(url)
        while (first := own.posts.watermark() + 1) <= LOG_LAST:
            try:
                told.append(own.posts.commit(samples.posts_block(first)))
            except CommitConflict:
                continue

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(told) == LOG_LAST
    verify(url, samples, told)
    assert check(lake).findings == ()
