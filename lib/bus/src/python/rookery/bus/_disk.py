"""What the embedded server does about a disk that fills up.

nats-server 2.15 answers a publish that finds no room on the disk with silence, and the
stream stays broken when there is room again, until the server is started anew. So the
streams are closed while there is still some room, which publishers see as `StreamFull`:
`POSTS` first, so that what is in the log can still be matched and archived. If the disk
is full all the same, the server is ended as soon as it can start again.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Set
from pathlib import Path

import structlog

from rookery.bus._address import Address
from rookery.bus._child import LOG, Child
from rookery.bus._errors import BusError
from rookery.bus._link import Link
from rookery.bus._streams import DEAD, MATCHES, MIB, POSTS, resize_streams

_log = structlog.get_logger("rookery.bus")

_GUARD_SECONDS = 0.5
_GUARD_TIMEOUT_SECONDS = 5.0

LARGEST_RESERVE = 256 * MIB
_COMPLAINT = b"no space left on device"
# What must be free for a stream to be open, in parts of the reserve.
_NEEDED = {POSTS: 1.0, MATCHES: 0.25, DEAD: 0.25}
# A stream that was closed opens again only when this much more is free, so that it does
# not open and close with every block that the archiver commits.
_MARGIN = 1.5


def reserve_of(total: int) -> int:
    """How much of a disk is kept free.

    Args:
        total: Its size in bytes.

    Returns:
        A twentieth, at most 256 MiB.
    """
    return min(LARGEST_RESERVE, total // 20)


def streams_to_close(free: int, *, reserve: int, closed: Set[str]) -> frozenset[str]:
    """Decides which streams take nothing for now.

    Args:
        free: Bytes free on the disk.
        reserve: Bytes that shall stay free.
        closed: The streams that are closed.

    Returns:
        The streams that must be closed from now on; the others must be open.
    """
    return frozenset(
        stream
        for stream, part in _NEEDED.items()
        if free < reserve * part * (_MARGIN if stream in closed else 1)
    )


class Complaints:
    """Finds in the log of a server that it ran into the end of the disk.

    Args:
        log: The log; what it holds already is of the past.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = self._size()

    def new(self) -> bool:
        """Whether it has complained since this was asked last."""
        size = self._size()
        if size < self._offset:  # the server has begun a new file
            self._offset = 0
        if size == self._offset:
            return False
        with self._log.open("rb") as file:
            file.seek(self._offset)
            text = file.read(size - self._offset)
        self._offset = size
        return _COMPLAINT in text

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0


class DiskGuard:
    """Closes and opens the streams of a running server with the disk below it.

    Args:
        folder: Where the server keeps its files.
        child: The server.
        address: Where it listens.
        sizes: Where its streams are full, in bytes, while they are open.
        reserve: Bytes that shall stay free; None for a part of the disk.
    """

    def __init__(
        self,
        folder: Path,
        child: Child,
        address: Address,
        *,
        sizes: Mapping[str, int],
        reserve: int | None,
    ) -> None:
        self._folder = folder
        self._child = child
        self._address = address
        self._sizes = sizes
        self._reserve = reserve
        self._closed: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Goes on until the server has ended."""
        complaints = Complaints(self._folder / LOG)
        broken = False
        while self._child.running:
            await asyncio.sleep(_GUARD_SECONDS)
            usage = shutil.disk_usage(self._folder)
            reserve = self._reserve or reserve_of(usage.total)
            wanted = streams_to_close(usage.free, reserve=reserve, closed=self._closed)
            broken = complaints.new() or broken
            if broken and not wanted:
                # Whoever waits for it starts it again, as after any other death.
                _log.error("bus ended: its disk was full", action="kill")
                self._child.kill()
                return
            if wanted != self._closed:
                await self._change(wanted)

    async def _change(self, wanted: frozenset[str]) -> None:
        """Opens and closes streams; if that fails, it is tried again later."""
        closing, opening = wanted - self._closed, self._closed - wanted
        sizes = dict.fromkeys(closing, 1) | {
            name: self._sizes[name] for name in opening
        }
        link = Link(self._address.url, name="guard", token=self._address.token)

        async def change() -> None:
            await resize_streams(link.client, sizes)

        try:
            await link.open(timeout=_GUARD_TIMEOUT_SECONDS, check=change)
        except BusError as error:
            _log.warning("disk not guarded", action="guard", reason=str(error))
            return
        finally:
            await link.close()
        self._closed = wanted
        if closing:
            what = "disk nearly full, streams closed"
            _log.error(what, action="close", streams=sorted(closing))
        else:
            _log.warning("streams opened", action="open", streams=sorted(opening))
