"""Whether the bus can be used, told to those who ask for health."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rookery.bus import Bus, connect
from rookery.service import Process

_CHECK = "connection"
_LOOK_SECONDS = 0.5


def expect_connection(process: Process) -> None:
    """Says that a process is not ready before it is connected.

    Args:
        process: The process, which has done nothing yet.
    """
    process.health.set(_CHECK, False, "not connected to the bus yet")


@asynccontextmanager
async def connected(process: Process, *, name: str) -> AsyncIterator[Bus]:
    """Connects to the bus of the settings, and keeps a health check of the connection.

    A process that has nothing to do would otherwise not notice, and be called ready.

    Args:
        process: The process.
        name: What the server shows for it.

    Yields:
        The bus.
    """
    settings = process.settings
    async with connect(settings.bus, name=name, state=settings.state) as bus:
        looking = asyncio.create_task(_look(process, bus))
        try:
            yield bus
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def _look(process: Process, bus: Bus) -> None:
    while True:
        well = bus.connected
        detail = "" if well else "the bus does not answer"
        process.health.set(_CHECK, well, detail)
        await asyncio.sleep(_LOOK_SECONDS)
