"""A platform without processes: a server, a lake, published rules."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from rookery.bus import EmbeddedServer, connect
from rookery.lake import Lake
from rookery.matching import RuleSet, store
from rookery.service.testing import require
from rookery.serving.testing import RULES, Feed


@pytest_asyncio.fixture
async def feed(tmp_path: Path) -> AsyncIterator[Feed]:
    """A platform without processes: a server, a lake, published rules."""
    require("nats")
    async with (
        EmbeddedServer(tmp_path, max_store=64 * 1024 * 1024),
        connect("embedded:", name="test", state=tmp_path) as bus,
    ):
        rules = RuleSet.parse(RULES)
        await store.publish(bus, rules)
        yield Feed(bus, Lake.open((tmp_path / "lake").as_uri()), rules)
