import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from rookery.bus import MATCHES, POSTS, Bus
from rookery.bus.testing import server
from rookery.service.testing import eventually, eventually_async
from rookery.streaming._epoch import check_log
from rookery.streaming.testing import Platform

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


def _synthetic(limit: int) -> tuple[str, ...]:
    return ("ingest", "--source", "synthetic:", "--limit", str(limit))


def _ids(count: int) -> Counter[str]:
    return Counter(f"synthetic:{n}" for n in range(count))


async def test_asked_to_end_an_archiver_commits_what_it_has_read(
    platform: Platform,
) -> None:
    assert platform.start(*_synthetic(5000)).wait() == 0
    # Neither limit would close a block within this test.
    archiver = platform.start("archiver", "--block-seconds", "3600")
    archiver.wait_for("archiving epoch 1")
    lake = platform.lake
    eventually(lambda: archiver.process.poll() is None)

    async def logged(bus: Bus) -> int:
        return (await bus.state(POSTS)).last

    assert await platform.connected(logged) == 5
    assert lake.posts.watermark() == 0
    archiver.signal(signal.SIGTERM)
    assert archiver.wait() == 0, archiver.stderr
    # It may be asked before it has read everything; what it has read is contiguous.
    assert platform.archived_ids() == _ids(lake.posts.watermark() * 1000)
    platform.archiver()
    eventually(lambda: platform.lake.posts.watermark() == 5, timeout=20)
    assert platform.archived_ids() == _ids(5000)


async def test_who_connected_before_an_epoch_was_renewed_does_not_refuse_the_log(
    platform: Platform,
) -> None:
    async def look(bus: Bus) -> None:
        renewed = await platform.connected(Bus.renew_epoch)
        platform.lake.open_epoch(renewed, starts={"posts": 1, "matches": 1})
        assert bus.epoch != renewed
        await check_log(bus, platform.lake)

    await platform.connected(look)


async def test_two_archivers_commit_each_frame_once(platform: Platform) -> None:
    await platform.publish_rules()
    archivers = [platform.archiver(), platform.archiver()]
    platform.worker()
    assert platform.start(*_synthetic(40_000), "--rate", "15000").wait() == 0
    await platform.archived()
    assert platform.archived_ids() == _ids(40_000)
    assert set(platform.matched_ids().values()) == {1}
    for archiver in archivers:
        archiver.signal(signal.SIGTERM)
        assert archiver.wait() == 0, archiver.stderr


async def test_both_logs_are_trimmed_and_the_source_goes_on_from_the_lake(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    platform.archiver("--keep-matches", "0")
    platform.worker()
    for limit in (3000, 7000):
        assert platform.start(*_synthetic(limit)).wait() == 0
        await platform.archived()

        async def empty(bus: Bus) -> None:
            async def trimmed() -> bool:
                posts, matches = await bus.state(POSTS), await bus.state(MATCHES)
                return posts.messages == 0 and matches.messages == 0

            await eventually_async(trimmed, timeout=20, message="the logs are empty")

        await platform.connected(empty)
    assert platform.archived_ids() == _ids(7000)
    assert set(platform.matched_ids().values()) == {1}


async def test_matches_stay_in_the_log_for_a_while(platform: Platform) -> None:
    await platform.publish_rules()
    platform.archiver("--keep-matches", "600")
    platform.worker()
    assert platform.start(*_synthetic(3000)).wait() == 0
    await platform.archived()

    async def look(bus: Bus) -> None:
        async def trimmed() -> bool:
            return (await bus.state(POSTS)).messages == 0

        await eventually_async(trimmed, timeout=20)
        assert (await bus.state(MATCHES)).messages == 3

    await platform.connected(look)


async def test_nothing_is_trimmed_before_it_is_matched(platform: Platform) -> None:
    archiver = platform.archiver("--keep-matches", "0")
    assert platform.start(*_synthetic(3000)).wait() == 0
    eventually(lambda: platform.lake.posts.watermark() == 3, timeout=20)
    archiver.signal(signal.SIGTERM)  # it trims once more before it ends
    assert archiver.wait() == 0
    assert sum((await platform.logged_ids()).values()) == 3000


async def test_only_matches_are_archived_if_that_is_wanted(platform: Platform) -> None:
    await platform.publish_rules()
    platform.archiver("--keep-matches", "0", archive="matched")
    platform.worker(archive="matched")
    for limit in (2000, 4000):
        assert platform.start(*_synthetic(limit)).wait() == 0
        await platform.archived()

        async def empty(bus: Bus) -> None:
            async def trimmed() -> bool:
                return (await bus.state(POSTS)).messages == 0

            await eventually_async(trimmed, timeout=20)

        await platform.connected(empty)
    assert platform.archived_ids() == {}
    matched = platform.matched_ids()
    assert matched and set(matched.values()) == {1}
    assert any(int(i.partition(":")[2]) >= 2000 for i in matched)


async def test_a_damaged_frame_is_covered_and_kept(platform: Platform) -> None:
    async def publish(bus: Bus) -> None:
        await bus.publish(MATCHES, b"rubbish", subject="matches.1")

    await platform.connected(publish)
    platform.archiver()
    eventually(lambda: platform.lake.matches.watermark() == 1, timeout=20)
    (letter,) = await platform.letters()
    assert (letter.stage, letter.where) == ("archive", "MATCHES:1")
    assert letter.raw == b"rubbish"


async def test_another_log_than_the_lakes_is_refused_until_repair(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    archiver, worker = platform.archiver(), platform.worker()
    assert platform.start(*_synthetic(2000)).wait() == 0
    await platform.archived()
    for child in (archiver, worker):
        child.signal(signal.SIGTERM)
        assert child.wait() == 0
    # As if the state folder had been wiped: another log, the same lake.
    async with server(platform.state.parent / "other") as running:
        platform.use(running)
        await platform.publish_rules()
        for command in (("archiver",), _synthetic(3000)):
            refused = platform.start(*command)
            assert refused.wait() == 78
            assert "lake repair" in refused.stderr
        platform.lake.close_epoch("test")
        assert platform.start(*_synthetic(3000)).wait() == 0
        archiver = platform.archiver()
        platform.worker()
        await platform.archived()
        assert platform.archived_ids() == _ids(3000)
        assert set(platform.matched_ids().values()) == {1}


async def test_after_a_repair_the_same_log_goes_on_where_the_lake_ends(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    archiver, worker = platform.archiver(), platform.worker()
    assert platform.start(*_synthetic(2000)).wait() == 0
    await platform.archived()
    archiver.signal(signal.SIGTERM)
    assert archiver.wait() == 0
    assert platform.start(*_synthetic(5000)).wait() == 0
    platform.lake.close_epoch("test")
    for epoch in (2, 3):
        archiver = platform.archiver()
        archiver.wait_for(f"archiving epoch {epoch}")
        await platform.archived()
        archiver.signal(signal.SIGTERM)
        assert archiver.wait() == 0
        platform.lake.close_epoch("test")
    assert worker.process.poll() is None
    assert platform.archived_ids() == _ids(5000)
    assert set(platform.matched_ids().values()) == {1}


async def test_a_log_that_lost_its_end_is_refused_until_repair(
    platform: Platform, tmp_path: Path
) -> None:
    await platform.publish_rules()

    async def archive(limit: int) -> None:
        archiver, worker = platform.archiver(), platform.worker()
        assert platform.start(*_synthetic(limit)).wait() == 0
        await platform.archived()
        for child in (archiver, worker):
            child.signal(signal.SIGTERM)
            assert child.wait() == 0

    await archive(2000)
    await platform.server.stop()
    shutil.copytree(platform.state / "bus", tmp_path / "before")
    await platform.server.start()
    await archive(5000)
    # As after a power loss: the log is on the disk as it was a while before.
    await platform.server.stop()
    shutil.rmtree(platform.state / "bus")
    shutil.copytree(tmp_path / "before", platform.state / "bus")
    await platform.server.start()
    for command in (("archiver",), _synthetic(6000)):
        refused = platform.start(*command)
        assert refused.wait() == 78, refused.stderr
        assert "lake repair" in refused.stderr
    platform.lake.close_epoch("test")
    await archive(6000)
    assert platform.archived_ids() == _ids(6000)
    assert set(platform.matched_ids().values()) == {1}
