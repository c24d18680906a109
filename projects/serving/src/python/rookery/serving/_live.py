"""Keeps lake and tail in memory, and looks after the rest of the platform."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
from prometheus_client import CollectorRegistry, Counter, Gauge

from rookery.bus import (
    DEAD,
    MATCHES,
    POSTS,
    Bus,
    ConsumerState,
    StreamState,
    Unavailable,
)
from rookery.lake import Lake, LakeUnavailable
from rookery.matching import MatchingError, RuleSet, store
from rookery.records import RecordsError, decode
from rookery.service import Process
from rookery.serving._errors import NotReady
from rookery.serving._history import History, opened
from rookery.serving._parts import Names
from rookery.serving._tail import MAX_POSTS, ForeignFrame, Tail, count
from rookery.serving._view import View

GROUP = "match"
INGEST = "INGEST"
# Between two looks at the lake, at least, and at most that share of the time is spent.
REFRESH_SECONDS = 1.0
REFRESH_SHARE = 0.2
SAMPLE_SECONDS = 1.0
# A view is used for so long: many pages that ask at once share one.
VIEW_SECONDS = 0.25


class IngestTotals(msgspec.Struct, frozen=True):
    """What the ingest of one source has counted over all its runs."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Sample:
    """The state of the platform at one moment.

    Attributes:
        at: The moment.
        connected: Whether the bus answered.
        posts: The log of posts.
        matches: The log of matches.
        dead: The dead letters.
        match: How far the match workers are; None before the first one.
    """

    at: datetime
    connected: bool
    posts: StreamState
    matches: StreamState
    dead: StreamState
    match: ConsumerState | None

    @property
    def matched(self) -> int:
        """The sequence of POSTS up to which every frame is matched."""
        floor = self.match.ack_floor if self.match else 0
        return max(floor, self.posts.first - 1)

    @property
    def unmatched(self) -> int:
        """Frames of posts that are not matched yet."""
        return max(0, self.posts.last - self.matched)


@dataclass(frozen=True)
class Archived:
    """What the lake holds of the posts themselves.

    Attributes:
        epoch: The log that the lake continues; None for an empty lake.
        watermark: The last sequence of POSTS that is committed.
        posts: Posts over all epochs.
    """

    epoch: str | None = None
    watermark: int = 0
    posts: int = 0


@dataclass
class Progress:
    """How long a stage that has work has not moved, to tell slow from stuck."""

    done: int = -1
    since: float = field(default_factory=time.monotonic)

    def see(self, done: int, waiting: int) -> None:
        """Notes how far the stage is.

        Args:
            done: The last thing it has done.
            waiting: How many things wait.
        """
        if done != self.done or not waiting:
            self.done, self.since = done, time.monotonic()

    @property
    def still(self) -> float:
        """Seconds since it last moved, or last had nothing to do."""
        return time.monotonic() - self.since


class Live:
    """Everything answers are computed from, kept up to date in the background.

    The tail is read from the watermark that the lake had before it was listed, so a
    frame is in the snapshot or in the tail; and a snapshot takes the place of the one
    before in the same step that drops its frames from the tail, so it is never in both.

    Args:
        process: Health, metrics and log of the process.
        bus: The bus.
        lake: The lake.
        max_posts: How many posts of the tail are kept in memory.
    """

    def __init__(
        self, process: Process, bus: Bus, lake: Lake, *, max_posts: int = MAX_POSTS
    ) -> None:
        self.bus = bus
        self.lake = lake
        self.names = Names()
        self.tail = Tail(max_posts)
        self.archived = Archived()
        self.rules: RuleSet | None = None
        self.sample: Sample | None = None
        self.ingest: dict[str, IngestTotals] = {}
        self.damaged = 0
        self.matching = Progress()
        self._process = process
        self._history: History | None = None
        self._lake_error: str | None = None
        self._rules_error = ""
        self._loader = store.Loader(bus)
        self._caught_up = False
        self._target: int | None = None
        self._view: View | None = None
        self._viewed = 0.0
        self._metrics = Metrics(process.registry)
        for name in ("bus", "lake", "tail"):
            process.health.set(name, False, "starting")

    async def run(self) -> None:
        """Keeps everything up to date until it is cancelled.

        What cannot be waited out, such as a log that was replaced, is raised.
        """
        start = await self._first_watermark() + 1
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(start), name="follow")
            tasks.create_task(self._refresh(), name="refresh")
            tasks.create_task(self._sample(), name="sample")
            tasks.create_task(self._watch_rules(), name="rules")
            tasks.create_task(self._watch_ingest(), name="ingest")

    @property
    def lake_error(self) -> str | None:
        """Why the lake could not be read the last time, None if it could."""
        return self._lake_error

    @property
    def epoch_differs(self) -> bool:
        """Whether the lake continues another log than the one on the bus."""
        history = self._history
        if history is None or history.snapshot.epoch is None:
            return False
        return history.snapshot.epoch != self.bus.epoch

    def view(self) -> View:
        """Returns lake and tail as they are now, or were a moment ago.

        Returns:
            A view that never changes.

        Raises:
            NotReady: The lake is not counted yet, or the tail not read.
        """
        if self._history is None or not self._caught_up:
            what = (
                "the lake is being counted"
                if self._history is None
                else (f"the log is being read, at {self.tail.last} of {self._target}")
            )
            reason = f" ({self._lake_error})" if self._lake_error else ""
            raise NotReady(f"starting: {what}{reason}; ask again in a moment")
        view, now = self._view, time.monotonic()
        if view is None or (
            view.last != self.tail.last and now - self._viewed > VIEW_SECONDS
        ):
            view = self._view = View(
                self._history, self.tail.frames, self.tail.watermark, self.tail.last
            )
            self._viewed = now
        return view

    def load(self, sequences: Sequence[int]) -> dict[int, pa.RecordBatch]:
        """Reads posts from the log again; called from a worker thread.

        Args:
            sequences: Frames of MATCHES.

        Returns:
            The posts of those that are still there, by sequence.
        """
        found: dict[int, pa.RecordBatch] = {}
        for sequence in sequences:
            wanted = asyncio.run_coroutine_threadsafe(
                self.bus.get(MATCHES, sequence), self._loop
            )
            message = wanted.result(timeout=30)
            if message is not None:
                found[sequence] = decode(message.data).batch
        return found

    async def _first_watermark(self) -> int:
        self._loop = asyncio.get_running_loop()
        while True:
            try:
                watermark = await asyncio.to_thread(self.lake.matches.watermark)
                epoch = await asyncio.to_thread(self.lake.current_epoch)
            except LakeUnavailable as error:
                self._lake_fails(error)
                await asyncio.sleep(REFRESH_SECONDS)
                continue
            same = epoch is not None and epoch.epoch == self.bus.epoch
            return watermark if same else 0

    async def _follow(self, start: int) -> None:
        state = await self._wait_for_state()
        self._target = state.last
        self._catch_up()
        async for message in self.bus.read(MATCHES, start=start):
            try:
                frame = await asyncio.to_thread(
                    count, message.sequence, message.time, message.data, self.names
                )
            except (RecordsError, ForeignFrame) as error:
                self.damaged += 1
                self._metrics.damaged.inc()
                self._process.log.error(
                    "frame left out",
                    action="decode",
                    sequence=message.sequence,
                    reason=str(error),
                )
                self.tail.pass_over(message.sequence)
            else:
                self.tail.add(frame)
            self._catch_up()

    async def _wait_for_state(self) -> StreamState:
        while True:
            try:
                return await self.bus.state(MATCHES)
            except Unavailable as error:
                self._process.health.set("bus", False, str(error))
                await asyncio.sleep(SAMPLE_SECONDS)

    def _catch_up(self) -> None:
        if self._caught_up or self._target is None:
            return
        seen = max(self.tail.last, self.tail.watermark)
        self._caught_up = self._history is not None and seen >= self._target
        detail = "" if self._caught_up else f"at {seen} of {self._target}"
        self._process.health.set("tail", self._caught_up, detail)

    async def _refresh(self) -> None:
        while True:
            began = time.monotonic()
            try:
                history, self.archived = await asyncio.to_thread(self._read_lake)
            except LakeUnavailable as error:
                self._lake_fails(error)
            else:
                self._install(history)
            spent = time.monotonic() - began
            await asyncio.sleep(max(REFRESH_SECONDS, spent / REFRESH_SHARE))

    def _read_lake(self) -> tuple[History, Archived]:
        if self._history is None:
            history = opened(self.lake.matches, self.names)
        else:
            history = self._history.advance(self.lake.matches.snapshot())
        posts = self.lake.posts.snapshot()
        return history, Archived(posts.epoch, posts.watermark, posts.rows("posts"))

    def _install(self, history: History) -> None:
        """Takes the next snapshot; there is no await between its two halves."""
        changed = history is not self._history
        self._history = history
        if not self.epoch_differs:
            self.tail.drop(history.watermark)
        if changed:
            self._view = None
        self._lake_error = None
        self._process.health.set("lake", True)
        self._catch_up()

    def _lake_fails(self, error: Exception) -> None:
        self._lake_error = str(error)
        self._process.health.set("lake", False, self._lake_error)

    async def _sample(self) -> None:
        while True:
            try:
                async with asyncio.timeout(5):
                    posts = await self.bus.state(POSTS)
                    matches = await self.bus.state(MATCHES)
                    dead = await self.bus.state(DEAD)
                    match = await self.bus.consumer(POSTS, GROUP)
            except (Unavailable, TimeoutError) as error:
                self._process.health.set("bus", False, str(error) or "no answer")
                if self.sample is not None:
                    self.sample = replace(self.sample, connected=False)
            else:
                self._process.health.set("bus", True)
                self.sample = Sample(
                    at=datetime.now(UTC),
                    connected=True,
                    posts=posts,
                    matches=matches,
                    dead=dead,
                    match=match,
                )
                self.matching.see(self.sample.matched, self.sample.unmatched)
            self._observe()
            await asyncio.sleep(SAMPLE_SECONDS)

    async def _watch_rules(self) -> None:
        while True:
            try:
                async with aclosing(store.follow(self.bus)) as pointers:
                    async for pointer in pointers:
                        await self._read_rules(pointer.version)
            except (store.MissingRules, Unavailable) as error:
                self._complain_of_rules(error)
            await asyncio.sleep(REFRESH_SECONDS)

    async def _read_rules(self, version: str) -> None:
        if self.rules is not None and self.rules.version == version:
            return
        try:
            self.rules = await self._loader.load(version)
        except store.MissingRules:
            raise
        except MatchingError as error:
            # The same rules would be read the same again: others have to come.
            self._complain_of_rules(error)
        else:
            self._rules_error = ""

    def _complain_of_rules(self, error: Exception) -> None:
        """Says once that the rules cannot be read; counts do not need them."""
        if str(error) != self._rules_error:
            self._rules_error = str(error)
            self._process.log.warning(
                "rules not readable", action="watch", reason=self._rules_error
            )

    async def _watch_ingest(self) -> None:
        """Follows the totals of every source.

        A bucket is a stream that keeps the newest message of each key, so reading it
        gives the keys that are there and then every change.
        """
        await self._wait_for_totals()
        async for message in self.bus.read(f"KV_{INGEST}"):
            source = message.subject.removeprefix(f"$KV.{INGEST}.")
            try:
                totals = msgspec.json.decode(message.data, type=IngestTotals)
            except msgspec.DecodeError as error:
                self._process.log.warning(
                    "totals not readable",
                    action="decode",
                    source=source,
                    reason=str(error),
                )
            else:
                self.ingest[source] = totals

    async def _wait_for_totals(self) -> None:
        """Waits until the bucket exists: asking for any key creates it."""
        while True:
            try:
                await self.bus.values(INGEST).get("exists")
            except Unavailable:
                await asyncio.sleep(REFRESH_SECONDS)
            else:
                return

    def _observe(self) -> None:
        metrics = self._metrics
        metrics.watermark.set(self.tail.watermark)
        metrics.tail_frames.set(len(self.tail))
        metrics.tail_posts.set(self.tail.kept_posts)
        sample = self.sample
        if sample is not None:
            metrics.archive_lag.set(sample.matches.last - self.tail.watermark)
            metrics.match_lag.set(sample.unmatched)


class Metrics:
    """What the serving process shows under /metrics.

    Args:
        registry: Where the metrics are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"rookery_serving_{name}", text, registry=registry)

        self.watermark = gauge("watermark", "Last sequence of MATCHES in the lake")
        self.tail_frames = gauge("tail_frames", "Frames behind the watermark")
        self.tail_posts = gauge("tail_posts", "Posts of the tail kept in memory")
        self.archive_lag = gauge("archive_lag_frames", "Frames of MATCHES not archived")
        self.match_lag = gauge("match_lag_frames", "Frames of POSTS not matched")
        self.damaged = Counter(
            "rookery_serving_damaged_frames",
            "Frames that could not be read and are not counted",
            registry=registry,
        )
