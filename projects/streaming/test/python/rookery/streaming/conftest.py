from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from rookery.streaming import testing


@pytest_asyncio.fixture
async def platform(tmp_path: Path) -> AsyncIterator[testing.Platform]:
    async with testing.platform(tmp_path) as running:
        yield running
