import signal

import pytest

from rookery.matching import RuleSet
from rookery.streaming.testing import Platform

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


async def test_what_is_ingested_is_matched_and_archived_once(
    platform: Platform,
) -> None:
    version = await platform.publish_rules()
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
    rules = RuleSet.parse(platform.lake.get_rules(version).decode().split("\n"))
    assert rules.version == version
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
