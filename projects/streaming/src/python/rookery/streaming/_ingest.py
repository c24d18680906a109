"""Ingest: from a source to the log, each post once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rookery.bus import Bus, DeadLetter
from rookery.lake import Lake
from rookery.records import Parsed, Rejected, SourceOrigin, decode, encode, split
from rookery.service import Process
from rookery.streaming._epoch import check_log
from rookery.streaming._log import SourceLog
from rookery.streaming._metrics import IngestMetrics
from rookery.streaming._patience import Stopped
from rookery.streaming._position import IngestPosition, Totals
from rookery.streaming._shown import ShownTotals
from rookery.streaming._strings import strings
from rookery.streaming._window import WINDOW_IDS, Window
from rookery.streaming.sources import Source

# Batches read ahead of the log.
_AHEAD = 2


@dataclass(frozen=True)
class Batch:
    """What a source gave, and where.

    Attributes:
        parsed: Its posts, and the records that are none.
        before: Position of the source before it.
        after: Position of the source behind it.
    """

    parsed: Parsed
    before: bytes
    after: bytes


@dataclass(frozen=True)
class Slice:
    """Posts for one frame, and the position behind them.

    Attributes:
        posts: Posts that are new; none behind a batch of known ones.
        position: Where an ingest goes on behind them.
    """

    posts: pa.RecordBatch
    position: IngestPosition


class Slicer:
    """Turns batches of a source into what goes into frames: without I/O.

    Args:
        window: The ids that came last.
        resumed: Where the source goes on.
    """

    def __init__(self, window: Window, resumed: IngestPosition) -> None:
        self._window = window
        self._totals = resumed.totals
        self._skip = resumed.skip

    @property
    def totals(self) -> Totals:
        """What was done up to the last slice."""
        return self._totals

    def slices(self, batch: Batch) -> Iterator[Slice]:
        """Leaves out what is known and cuts the rest to the size of frames.

        Args:
            batch: The next batch; its rejected records are counted with its last slice.

        Yields:
            At least one slice; only the last one can be empty.
        """
        skipped = min(self._skip, batch.parsed.posts.num_rows)
        self._skip -= skipped
        posts = batch.parsed.posts.slice(skipped)
        is_new = self._window.add(strings(posts["id"]))
        accepted = posts if is_new.all() else posts.filter(pa.array(is_new))
        rows: NDArray[np.int64] = np.flatnonzero(is_new)
        parts = split(accepted) if accepted.num_rows else [accepted]
        before, done = self._totals, 0
        for part in parts[:-1]:
            done += part.num_rows
            read = int(rows[done - 1]) + 1
            self._totals = before.plus(accepted=done, duplicates=read - done)
            # A source that cannot be rewound begins behind what it gave, whatever that.
            skip = skipped + read if batch.before else 0
            yield Slice(part, IngestPosition(batch.before, self._totals, skip))
        self._totals = before.plus(
            accepted=accepted.num_rows,
            duplicates=posts.num_rows - accepted.num_rows,
            rejected=len(batch.parsed.rejected),
        )
        # What is still to be skipped lies behind this batch.
        yield Slice(parts[-1], IngestPosition(batch.after, self._totals, self._skip))


class Ingest:
    """Reads one source to its end, or until the process is to end.

    Args:
        process: The process.
        bus: The bus.
        lake: The lake.
        source: The source, not opened yet.
        window_ids: How many ids are remembered to tell duplicates.
        now: Gives the time of day, UTC.
    """

    def __init__(
        self,
        process: Process,
        bus: Bus,
        lake: Lake,
        source: Source,
        *,
        window_ids: int = WINDOW_IDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._process = process
        self._bus = bus
        self._lake = lake
        self._source = source
        self._now = now
        self._window_ids = window_ids
        self._log = SourceLog(process, bus, lake, source.name)
        self._window = Window(source.name, size=window_ids)
        self._shown = ShownTotals(process, bus, source.name)
        self._metrics = IngestMetrics(process.registry, source.name)

    async def run(self) -> None:
        """Reads and publishes."""
        with suppress(Stopped):
            await check_log(self._bus, self._lake)
            resumed = await self._resume()
            try:
                await self._source.open(resumed.source or None)
                async with self._shown.kept():
                    await self._pump(Slicer(self._window, resumed))
            finally:
                await self._source.close()

    async def _resume(self) -> IngestPosition:
        position = await self._log.recover()
        if position is None:
            return IngestPosition()
        resumed = IngestPosition.decode(position)
        await self._remember()
        totals = resumed.totals
        self._process.log.info(
            f"going on with {self._source.name}: {totals.read:,} records were read "
            f"before ({totals.accepted:,} accepted, {totals.duplicates:,} duplicates, "
            f"{totals.rejected:,} rejected)",
            action="resume",
            source=self._source.name,
            **msgspec.structs.asdict(totals),
        )
        self._shown.set(totals)
        return resumed

    async def _remember(self) -> None:
        """Fills the window: from the lake, then with what only the log has."""
        snapshot = await asyncio.to_thread(self._lake.posts.snapshot)
        self._window.add(
            await asyncio.to_thread(
                snapshot.recent_ids, self._source.name, self._window_ids
            )
        )
        async for frame in self._log.unarchived():
            self._window.add(strings(decode(frame).batch["id"]))

    async def _pump(self, slicer: Slicer) -> None:
        """Publishes what the source gives, which is read meanwhile."""
        ahead: asyncio.Queue[Batch | None] = asyncio.Queue(_AHEAD)
        reader = asyncio.create_task(self._read(ahead))
        stopping = asyncio.create_task(self._process.stop.wait())
        before = slicer.totals
        try:
            while (batch := await _next(ahead, reader, stopping)) is not None:
                await self._publish(batch, slicer)
        finally:
            for task in (reader, stopping):
                task.cancel()
            await asyncio.gather(reader, stopping, return_exceptions=True)
        totals = slicer.totals
        self._shown.set(totals)
        what = "asked to end" if self._process.stop.requested else "read to its end"
        self._process.log.info(
            f"{self._source.name} {what}: {totals.read - before.read:,} records read, "
            f"{totals.accepted - before.accepted:,} accepted, "
            f"{totals.duplicates - before.duplicates:,} duplicates, "
            f"{totals.rejected - before.rejected:,} rejected; "
            f"{totals.read:,} read in all",
            action="done",
            source=self._source.name,
            **msgspec.structs.asdict(totals),
        )

    async def _read(self, ahead: asyncio.Queue[Batch | None]) -> None:
        source = self._source
        before = source.position()
        while (parsed := await source.next_batch()) is not None:
            after = source.position()
            await ahead.put(Batch(parsed, before, after))
            before = after
        await ahead.put(None)

    async def _publish(self, batch: Batch, slicer: Slicer) -> None:
        rejected = batch.parsed.rejected
        # Before the frame whose position is behind them: else a crash would lose them.
        await self._log.bury([self._letter(record) for record in rejected])
        counted = slicer.totals
        for part in slicer.slices(batch):
            if part.posts.num_rows:
                position = part.position.encode()
                origin = SourceOrigin(self._source.name, position, self._now())
                frame = await asyncio.to_thread(encode, part.posts, origin)
                await self._log.publish(frame, position)
                self._metrics.frames.inc()
            totals = part.position.totals
            self._count(counted, totals)
            counted = totals
            self._shown.set(totals)

    def _letter(self, rejected: Rejected) -> DeadLetter:
        identity = hashlib.blake2b(rejected.where.encode(), digest_size=12)
        identity.update(b"\0" + rejected.raw)
        return DeadLetter(
            stage="ingest",
            source=self._source.name,
            where=rejected.where,
            reason=rejected.reason,
            raw=rejected.raw,
            at=self._now(),
            key=identity.hexdigest(),
        )

    def _count(self, before: Totals, after: Totals) -> None:
        self._metrics.read.inc(after.read - before.read)
        self._metrics.accepted.inc(after.accepted - before.accepted)
        self._metrics.duplicates.inc(after.duplicates - before.duplicates)
        self._metrics.rejected.inc(after.rejected - before.rejected)


async def _next(
    ahead: asyncio.Queue[Batch | None],
    reader: asyncio.Task[None],
    stopping: asyncio.Task[None],
) -> Batch | None:
    """Takes the next batch; None at the end of the source, or to end."""
    getting = asyncio.create_task(ahead.get())
    try:
        await asyncio.wait(
            {getting, reader, stopping}, return_when=asyncio.FIRST_COMPLETED
        )
        if stopping.done():
            return None
        if not getting.done() and reader.done():
            # It failed, or what it put last is about to arrive.
            reader.result()
        return await getting
    finally:
        getting.cancel()
