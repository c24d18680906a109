from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from rookery.bus import Bus, EmbeddedServer, connect, testing


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    async with testing.server(tmp_path / "state") as running:
        yield running


@pytest_asyncio.fixture
async def bus(server: EmbeddedServer) -> AsyncIterator[Bus]:
    async with connect("embedded:", name="test", state=server.state) as connected:
        yield connected
