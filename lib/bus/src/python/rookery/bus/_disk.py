"""What the embedded server does about a disk that fills up.

nats-server 2.15 answers a publish that finds no room on the disk with silence, and the
stream stays broken when there is room again, until the server is started anew. So the
streams are closed while there is still some room, which publishers see as `StreamFull`:
`POSTS` first, so that what is in the log can still be matched and archived. If the disk
is full all the same, the server is ended as soon as it can start again.
"""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from rookery.bus._streams import DEAD, MATCHES, MIB, POSTS

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
