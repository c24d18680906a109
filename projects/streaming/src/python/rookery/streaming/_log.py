"""One source's frames in the log: written in order, each once, by one ingest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from rookery.bus import (
    DEAD,
    POSTS,
    AlreadyStored,
    Bus,
    DeadLetter,
    Message,
    StreamFull,
    Unavailable,
    WrongLast,
    bury,
)
from rookery.lake import Lake, LakeUnavailable
from rookery.records import SourceOrigin, decode_origin
from rookery.service import Process
from rookery.streaming._errors import SourceInUse
from rookery.streaming._patience import Patience

_LETTERS_AT_ONCE = 32


class SourceLog:
    """Publishes the frames of one source to `POSTS`.

    Each publish names the sequence of the source's last frame as expected. That makes it
    safe to repeat when its outcome is unknown, and refuses a second ingest of the same
    source.

    Args:
        process: The process.
        bus: The bus.
        lake: The lake, which knows the position when the log was trimmed.
        source: Name of the source.
    """

    def __init__(self, process: Process, bus: Bus, lake: Lake, source: str) -> None:
        self._bus = bus
        self._lake = lake
        self._source = source
        self._subject = f"{POSTS.lower()}.{source}"
        self._patience = Patience(
            process, check="bus", waits_for=(StreamFull, Unavailable)
        )
        self._lake_patience = Patience(
            process, check="lake", waits_for=(LakeUnavailable,)
        )
        self._last = 0
        self._position: bytes | None = None

    async def recover(self) -> bytes | None:
        """Finds the position of the source.

        Returns:
            The position its last frame carries, wherever that frame is; None if it has
            none.
        """

        async def last() -> Message | None:
            return await self._bus.last(POSTS, self._subject)

        message = await self._patience.until_done(last, what="read the last position")
        if message is None:
            self._last = 0
            self._position = await self._committed()
        else:
            self._last = message.sequence
            self._position = _position(message.data)
        return self._position

    async def unarchived(self) -> AsyncGenerator[bytes, None]:
        """Reads the frames of the source that are in the log and not in the lake.

        Yields:
            The frames.
        """
        start = await asyncio.to_thread(self._lake.posts.watermark) + 1
        state = await self._patience.until_done(
            lambda: self._bus.state(POSTS), what="read the log"
        )
        if state.last < max(start, state.first):
            return
        messages = self._bus.read(POSTS, start=start)
        try:
            async for message in messages:
                if message.subject == self._subject:
                    yield message.data
                if message.sequence >= state.last:
                    return
        finally:
            await messages.aclose()

    async def publish(self, frame: bytes, position: bytes) -> None:
        """Stores the next frame, waiting as long as there is no room or no server.

        Args:
            frame: The frame.
            position: The position it carries.
        """

        async def attempt() -> int:
            try:
                return await self._bus.publish(
                    POSTS, frame, subject=self._subject, expect_last=self._last
                )
            except (WrongLast, AlreadyStored) as conflict:
                return await self._resolve(conflict, frame, position)

        self._last = await self._patience.until_done(attempt, what="publish posts")
        self._position = position

    async def _resolve(
        self, conflict: WrongLast | AlreadyStored, frame: bytes, position: bytes
    ) -> int:
        """Finds out what a conflict means, given that the outcome may be unknown.

        Args:
            conflict: What the bus said.
            frame: The frame.
            position: The position it carries.

        Returns:
            The sequence of the source's last frame, 0 if it was trimmed already.

        Raises:
            SourceInUse: If somebody else has written.
        """
        stored = await self._bus.last(POSTS, self._subject)
        if stored is not None:
            if stored.data == frame:
                return stored.sequence  # an attempt before had succeeded
            raise SourceInUse(self._in_use()) from conflict
        # The log holds nothing of the source any more, so all of it is in the lake.
        committed = await self._committed()
        if committed == position:
            return 0  # the same, and it was archived meanwhile
        if committed != self._position:
            raise SourceInUse(self._in_use()) from conflict
        try:
            return await self._bus.publish(
                POSTS, frame, subject=self._subject, expect_last=0
            )
        except AlreadyStored:
            raise SourceInUse(self._in_use()) from conflict

    async def _committed(self) -> bytes | None:
        async def position() -> bytes | None:
            return await asyncio.to_thread(self._lake.posts.position, self._source)

        return await self._lake_patience.until_done(position, what="read the lake")

    def _in_use(self) -> str:
        return (
            f"another ingest publishes as {self._source!r}: stop one of the two, or "
            "give this one another --name"
        )

    async def bury(self, letters: list[DeadLetter]) -> None:
        """Keeps dead letters.

        Args:
            letters: The letters.
        """

        async def kept(letter: DeadLetter) -> None:
            await self._patience.until_done(
                lambda: bury(self._bus, letter), what=f"write to {DEAD}"
            )

        for start in range(0, len(letters), _LETTERS_AT_ONCE):
            some = letters[start : start + _LETTERS_AT_ONCE]
            await asyncio.gather(*map(kept, some))


def _position(frame: bytes) -> bytes | None:
    origin = decode_origin(frame)
    return origin.position if isinstance(origin, SourceOrigin) else None
