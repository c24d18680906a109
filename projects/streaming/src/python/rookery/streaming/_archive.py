"""The archiver: both logs into the lake, block by block."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from rookery.bus import (
    MATCHES,
    POSTS,
    Bus,
    DeadLetter,
    Message,
    StreamFull,
    Unavailable,
    bury,
)
from rookery.lake import CommitConflict, Dataset, Lake, LakeUnavailable
from rookery.matching import store
from rookery.service import Process
from rookery.streaming._blocks import (
    BLOCK_BYTES,
    Damaged,
    Gathering,
    MatchesGathering,
    PostsGathering,
)
from rookery.streaming._epoch import establish
from rookery.streaming._metrics import ArchiveMetrics
from rookery.streaming._options import (
    BLOCK_FRAMES,
    BLOCK_SECONDS,
    KEEP_MATCHES_SECONDS,
)
from rookery.streaming._patience import Patience, Stopped
from rookery.streaming._trim import Trimmer

_TRIM_SECONDS = 5.0
# Messages read ahead of the block in hand.
_AHEAD = 16


@dataclass(frozen=True)
class Limits:
    """When a block is closed, and how long the logs keep what is in the lake.

    Attributes:
        frames: Most frames in a block.
        size: About the most bytes that the posts of a block take in memory.
        seconds: Longest time from the first frame of a block to its commit.
        keep_matches: Seconds for which matches stay in the log after their commit.
    """

    frames: int = BLOCK_FRAMES
    size: int = BLOCK_BYTES
    seconds: float = BLOCK_SECONDS
    keep_matches: float = KEEP_MATCHES_SECONDS


class Archiver:
    """Commits what both logs hold, and trims them, until the process is to end.

    Asked to end, it commits what it has read. Several archivers do no harm: the one that
    loses a race discards its block and reads on behind what the other one committed.

    Args:
        process: The process; with `archive` set to `matched` posts are left out.
        bus: The bus.
        lake: The lake.
        limits: When blocks are closed and logs trimmed.
    """

    def __init__(
        self, process: Process, bus: Bus, lake: Lake, *, limits: Limits | None = None
    ) -> None:
        self._process = process
        self._bus = bus
        self._lake = lake
        self._limits = limits or Limits()
        self._metrics = ArchiveMetrics(process.registry)
        self._trimmer = Trimmer(
            bus, lake, self._metrics, keep_matches=self._limits.keep_matches
        )
        self._trim_now = asyncio.Event()
        self._copied: set[str] = set()
        self._bus_patience = Patience(
            process, check="bus", waits_for=(StreamFull, Unavailable)
        )
        self._lake_patience = Patience(
            process, check="lake", waits_for=(LakeUnavailable,), seconds=5.0
        )

    async def run(self) -> None:
        """Archives; raises `EpochMismatch` if log and lake do not belong together."""
        epoch = await establish(self._bus, self._lake)
        self._process.log.info(
            f"archiving epoch {epoch.n} to {self._lake.url}",
            action="start",
            epoch=epoch.epoch,
        )
        keep_posts = self._process.settings.archive == "all"
        logs = [
            self._log(
                POSTS,
                self._lake.posts,
                lambda first: PostsGathering(first, keep_posts=keep_posts),
            ),
            self._log(MATCHES, self._lake.matches, MatchesGathering),
        ]
        trimming = asyncio.create_task(self._trim())
        following = [asyncio.create_task(log.follow()) for log in logs]
        try:
            # All end by themselves when the process is to end.
            await asyncio.gather(*following)
        finally:
            for task in (*following, trimming):
                task.cancel()
            await asyncio.gather(*following, trimming, return_exceptions=True)
        with suppress(Unavailable, LakeUnavailable):
            await self._trimmer.trim()

    def _log(
        self, stream: str, dataset: Dataset, gather: Callable[[int], Gathering]
    ) -> _Log:
        return _Log(
            self._process,
            self._bus,
            stream,
            dataset,
            gather,
            self._limits,
            self._metrics,
            self._lake_patience,
            before_commit=self._copy_rules,
            on_commit=self._committed,
            on_damage=self._keep,
        )

    async def _copy_rules(self, gathering: Gathering) -> None:
        """Keeps the rules by which posts matched beside the matches."""
        if not isinstance(gathering, MatchesGathering):
            return
        for version in sorted(gathering.rulesets - self._copied):
            text = await self._bus_patience.until_done(
                partial(self._bus.objects(store.SNAPSHOTS).get, version),
                what="read the rules",
                through_stop=True,
            )
            if text is not None:
                await self._lake_patience.until_done(
                    partial(asyncio.to_thread, self._lake.put_rules, version, text),
                    what="keep the rules",
                    through_stop=True,
                )
            self._copied.add(version)

    async def _committed(self, gathering: Gathering) -> None:
        self._trim_now.set()
        if isinstance(gathering, MatchesGathering):
            self._metrics.matches.inc(gathering.rows)
        else:
            self._metrics.posts.inc(gathering.rows)

    async def _keep(self, stream: str, damaged: Damaged) -> None:
        """Keeps a frame that cannot be archived where a person finds it."""
        self._metrics.unreadable.inc()
        letter = DeadLetter(
            stage="archive",
            source=stream.lower(),
            where=f"{stream}:{damaged.sequence}",
            reason=damaged.reason,
            raw=damaged.raw,
            at=datetime.now(UTC),
            key=f"{self._bus.epoch}-{damaged.sequence}",
        )
        self._process.log.error(
            f"{letter.where} cannot be read: {damaged.reason}", action="dead"
        )
        await self._bus_patience.until_done(
            lambda: bury(self._bus, letter), what="keep a dead letter"
        )

    async def _trim(self) -> None:
        """Trims after each commit, and now and then for what became old enough."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TRIM_SECONDS):
                    await self._trim_now.wait()
            self._trim_now.clear()
            try:
                await self._trimmer.trim()
            except (Unavailable, LakeUnavailable) as error:
                self._process.log.debug("not trimmed", action="trim", reason=str(error))


class _Log:
    """One log on its way into one dataset.

    Args:
        process: The process.
        bus: The bus.
        stream: The log.
        dataset: Where its blocks are committed.
        gather: Begins a block at a sequence.
        limits: When a block is closed.
        metrics: Counts.
        patience: Waits for the lake.
        before_commit: Told of each block before it is committed.
        on_commit: Told of each block committed here.
        on_damage: Told of each frame that cannot be read.
    """

    def __init__(
        self,
        process: Process,
        bus: Bus,
        stream: str,
        dataset: Dataset,
        gather: Callable[[int], Gathering],
        limits: Limits,
        metrics: ArchiveMetrics,
        patience: Patience,
        *,
        before_commit: Callable[[Gathering], Awaitable[None]],
        on_commit: Callable[[Gathering], Awaitable[None]],
        on_damage: Callable[[str, Damaged], Awaitable[None]],
    ) -> None:
        self._process = process
        self._bus = bus
        self._stream = stream
        self._name = stream.lower()
        self._dataset = dataset
        self._gather = gather
        self._limits = limits
        self._metrics = metrics
        self._patience = patience
        self._before_commit = before_commit
        self._on_commit = on_commit
        self._on_damage = on_damage

    async def follow(self) -> None:
        """Commits block after block; returns when the process is to end."""
        while not self._process.stop.requested:
            watermark = await self._watermark()
            ahead: asyncio.Queue[Message] = asyncio.Queue(_AHEAD)
            reader = asyncio.create_task(self._read(watermark + 1, ahead))
            try:
                with suppress(Stopped):
                    await self._commit_all(watermark + 1, ahead, reader)
            except CommitConflict as conflict:
                self._metrics.conflicts.labels(self._name).inc()
                self._process.log.warning(
                    f"{self._name}: another archiver was faster, reading again: "
                    f"{conflict}",
                    action="conflict",
                    dataset=self._name,
                )
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    async def _watermark(self) -> int:
        async def read() -> int:
            return await asyncio.to_thread(self._dataset.watermark)

        return await self._patience.until_done(read, what="read the lake")

    async def _read(self, start: int, ahead: asyncio.Queue[Message]) -> None:
        async with aclosing(self._bus.read(self._stream, start=start)) as messages:
            async for message in messages:
                await ahead.put(message)

    async def _commit_all(
        self, first: int, ahead: asyncio.Queue[Message], reader: asyncio.Task[None]
    ) -> None:
        stopping = asyncio.create_task(self._process.stop.wait())
        try:
            while True:
                gathering = await self._fill(first, ahead, reader, stopping)
                if gathering.frames:
                    await self._commit(gathering)
                    first = gathering.last + 1
                if stopping.done() and ahead.empty():
                    return
        finally:
            stopping.cancel()

    async def _fill(
        self,
        first: int,
        ahead: asyncio.Queue[Message],
        reader: asyncio.Task[None],
        stopping: asyncio.Task[None],
    ) -> Gathering:
        """Gathers frames until a block is to be closed."""
        gathering, expected, deadline = self._gather(first), first, None
        while not (
            gathering.frames >= self._limits.frames
            or gathering.size >= self._limits.size
        ):
            message = await _next(ahead, reader, stopping, deadline)
            if message is None:
                break
            if message.sequence != expected:
                self._process.log.error(
                    f"{self._stream} {expected}..{message.sequence - 1} were removed "
                    "before they were archived",
                    action="gap",
                    first=expected,
                    last=message.sequence - 1,
                )
            expected = message.sequence + 1
            # Decompressing takes a while, so it happens off the loop.
            damaged = await asyncio.to_thread(
                gathering.add, message.sequence, message.data
            )
            if damaged is not None:
                await self._on_damage(self._stream, damaged)
            if deadline is None:
                deadline = time.monotonic() + self._limits.seconds
        return gathering

    async def _commit(self, gathering: Gathering) -> None:
        def write() -> None:
            self._dataset.commit(gathering.block(self._bus.epoch))

        async def attempt() -> None:
            await asyncio.to_thread(write)

        await self._before_commit(gathering)
        began = time.monotonic()
        await self._patience.until_done(
            attempt, what=f"commit {self._name}", through_stop=True
        )
        seconds = time.monotonic() - began
        self._metrics.commit_seconds.labels(self._name).observe(seconds)
        self._metrics.blocks.labels(self._name).inc()
        self._metrics.watermark.labels(self._name).set(gathering.last)
        self._process.log.info(
            f"{self._name} {gathering.first}..{gathering.last} archived",
            action="commit",
            dataset=self._name,
            first=gathering.first,
            last=gathering.last,
            rows=gathering.rows,
            seconds=round(seconds, 3),
        )
        await self._on_commit(gathering)


async def _next(
    ahead: asyncio.Queue[Message],
    reader: asyncio.Task[None],
    stopping: asyncio.Task[None],
    deadline: float | None,
) -> Message | None:
    """Takes the next message; None at the deadline, or when all is read at the end."""
    if stopping.done():
        reader.cancel()
    with suppress(asyncio.QueueEmpty):
        return ahead.get_nowait()
    if stopping.done():
        return None
    getting = asyncio.create_task(ahead.get())
    try:
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        await asyncio.wait(
            {getting, reader, stopping},
            timeout=timeout,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if getting.done():
            return getting.result()
        if reader.done():
            reader.result()
        return None
    finally:
        getting.cancel()
