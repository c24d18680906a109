"""A platform without processes: a server, a lake, published rules."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from rookery.service.testing import require
from rookery.serving.testing import Feed, made_up, platform, ready, served


@pytest_asyncio.fixture
async def feed(tmp_path: Path) -> AsyncIterator[Feed]:
    """A platform of the test's own."""
    require("nats")
    async with platform(tmp_path) as feed:
        yield feed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a process that has some posts, shared by tests that only ask."""
    require("nats")
    async with platform(tmp_path_factory.mktemp("platform")) as feed:
        await feed.publish(made_up(50))
        async with served(feed) as (client, _):
            await ready(client)
            yield str(client.base_url)
