"""The totals of a source, shown to whoever looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from rookery.bus import Bus, BusError
from rookery.service import Process
from rookery.streaming._position import Totals

TOTALS_BUCKET = "INGEST"
_PAUSE_SECONDS = 0.2


class ShownTotals:
    """Keeps a value on the bus up with the totals of a source.

    The totals are safe in the frames anyway, so nobody waits for this: what changes
    often is shown now and then, what is last is always shown, and an outage delays it.

    Args:
        process: The process.
        bus: The bus.
        source: Name of the source.
    """

    def __init__(self, process: Process, bus: Bus, source: str) -> None:
        self._process = process
        self._bus = bus
        self._source = source
        self._totals: Totals | None = None
        self._changed = asyncio.Event()

    def set(self, totals: Totals) -> None:
        """Says what is to be shown from now on.

        Args:
            totals: The totals.
        """
        if totals != self._totals:
            self._totals = totals
            self._changed.set()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Shows the totals while the block runs, and once more at its end.

        Yields:
            Nothing.
        """
        showing = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
            await self._show()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not await self._show():
                self._changed.set()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _show(self) -> bool:
        if self._totals is None:
            return True
        try:
            await self._bus.values(TOTALS_BUCKET).put(
                self._source, msgspec.json.encode(self._totals)
            )
        except BusError as error:
            self._process.log.debug(
                "totals not shown", action="tell", reason=str(error)
            )
            return False
        return True
