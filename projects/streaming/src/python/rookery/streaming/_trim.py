"""Removes from the logs what nobody will ask them for again.

`POSTS` is trimmed up to the floor: the lower of what is in the lake and what the match
workers have acknowledged without a gap. Frames of `MATCHES` are what keeps a frame of
`POSTS` that is delivered again from being counted again, so one is only trimmed when it
is in the lake and its origin is at or below the floor, which means gone from `POSTS`; and
not before ten minutes have passed, for readers that answer from the tail of the log.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rookery.bus import MATCHES, POSTS, Bus
from rookery.lake import Commit, Lake
from rookery.streaming._match import GROUP
from rookery.streaming._metrics import ArchiveMetrics
from rookery.streaming._options import KEEP_MATCHES_SECONDS


class Trimmer:
    """Trims both logs of one epoch.

    Args:
        bus: The bus.
        lake: The lake.
        metrics: Counts what was trimmed.
        keep_matches: Seconds for which matches stay in the log after their commit.
        now: Gives the time of day, UTC.
    """

    def __init__(
        self,
        bus: Bus,
        lake: Lake,
        metrics: ArchiveMetrics,
        *,
        keep_matches: float = KEEP_MATCHES_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._bus = bus
        self._lake = lake
        self._metrics = metrics
        self._keep = timedelta(seconds=keep_matches)
        self._now = now
        self._seen = 0  # last sequence of the newest commit in _blocks
        self._blocks: deque[Commit] = deque()  # of matches, still in the log
        self._trimmed = {POSTS: 0, MATCHES: 0}

    async def trim(self) -> None:
        """Trims what can be trimmed now."""
        consumer = await self._bus.consumer(POSTS, GROUP)
        if consumer is None:
            return
        # The floor only rises, so it may be older than the watermark, not newer.
        archived = await asyncio.to_thread(self._lake.posts.watermark)
        floor = min(archived, consumer.ack_floor)
        await self._trim(POSTS, floor)
        await self._look()
        through = 0
        while self._blocks and self._is_over(self._blocks[0], floor):
            through = self._blocks.popleft().last
        await self._trim(MATCHES, through)

    def _is_over(self, block: Commit, floor: int) -> bool:
        return block.origin <= floor and block.committed_at + self._keep <= self._now()

    async def _look(self) -> None:
        """Takes in what was committed since, by whomever."""
        watermark = await asyncio.to_thread(self._lake.matches.watermark)
        if watermark <= self._seen:
            return
        if not self._seen:
            first = (await self._bus.state(MATCHES)).first
            self._seen = first - 1
        snapshot = await asyncio.to_thread(self._lake.matches.snapshot)
        for commit in snapshot.commits:
            if commit.epoch == self._bus.epoch and commit.last > self._seen:
                self._blocks.append(commit)
                self._seen = commit.last

    async def _trim(self, stream: str, through: int) -> None:
        if through > self._trimmed[stream]:
            removed = await self._bus.trim(stream, through=through)
            self._trimmed[stream] = through
            self._metrics.trimmed.labels(stream).inc(removed)
