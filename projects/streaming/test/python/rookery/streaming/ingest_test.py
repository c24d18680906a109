import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from rookery.bus import POSTS, Bus, connect
from rookery.bus.testing import server
from rookery.lake import Block, Lake
from rookery.records import POST, SourceOrigin, decode, encode
from rookery.service.testing import eventually_async
from rookery.streaming import SourceInUse
from rookery.streaming._epoch import establish
from rookery.streaming._ingest import Ingest
from rookery.streaming._log import SourceLog
from rookery.streaming._strings import strings
from rookery.streaming.sources import Synthetic, generate
from rookery.streaming.testing import Platform, process

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest_asyncio.fixture
async def bus(platform: Platform) -> AsyncIterator[Bus]:
    async with connect("embedded:", name="test", state=platform.state) as connected:
        yield connected


@pytest_asyncio.fixture
async def log(platform: Platform, bus: Bus) -> SourceLog:
    made = SourceLog(process(), bus, platform.lake, "s")
    await made.recover()
    return made


def _frame(number: int) -> tuple[bytes, bytes]:
    position = b"after %d" % number
    posts = generate(number, 1, seed=1, source="s", now=NOW).posts
    return encode(posts, SourceOrigin("s", position, NOW)), position


async def _archive(
    bus: Bus, lake: Lake, first: int, last: int, position: bytes, source: str = "s"
) -> None:
    """Commits and trims, as the archiver does."""
    epoch = await establish(bus, lake)
    parts = {"posts": POST.empty_table()}
    lake.posts.commit(Block(epoch.epoch, first, last, parts, last, {source: position}))
    await bus.trim(POSTS, through=last)


async def _count(bus: Bus) -> int:
    return (await bus.state(POSTS)).last


async def test_a_second_ingest_of_a_source_is_refused(
    platform: Platform, bus: Bus, log: SourceLog
) -> None:
    other = SourceLog(process(), bus, platform.lake, "s")
    await other.recover()
    await log.publish(*_frame(1))
    with pytest.raises(SourceInUse, match="another ingest publishes as 's'"):
        await other.publish(*_frame(2))
    assert await _count(bus) == 1


async def test_a_frame_that_was_stored_without_an_answer_is_stored_once(
    bus: Bus, log: SourceLog
) -> None:
    for number in (1, 2):
        frame, position = _frame(number)
        await bus.publish(POSTS, frame, subject="posts.s")
        await log.publish(frame, position)
    await log.publish(*_frame(3))
    assert await _count(bus) == 3


async def test_an_ingest_goes_on_when_its_frames_were_archived_and_trimmed(
    platform: Platform, bus: Bus, log: SourceLog
) -> None:
    frame, position = _frame(1)
    await log.publish(frame, position)
    await _archive(bus, platform.lake, 1, 1, position)
    await log.publish(*_frame(2))
    assert await _count(bus) == 2
    again = SourceLog(process(), bus, platform.lake, "s")
    assert await again.recover() == b"after 2"


async def test_a_frame_stored_without_an_answer_and_archived_is_not_stored_again(
    platform: Platform, bus: Bus, log: SourceLog
) -> None:
    await log.publish(*_frame(1))
    frame, position = _frame(2)
    await bus.publish(POSTS, frame, subject="posts.s")
    await _archive(bus, platform.lake, 1, 2, position)
    await log.publish(frame, position)
    assert await _count(bus) == 2
    await log.publish(*_frame(3))
    assert await _count(bus) == 3


async def test_a_second_ingest_is_refused_even_when_everything_was_archived(
    platform: Platform, bus: Bus, log: SourceLog
) -> None:
    await log.publish(*_frame(1))
    frame, position = _frame(2)
    await bus.publish(POSTS, frame, subject="posts.s")
    await _archive(bus, platform.lake, 1, 2, position)
    with pytest.raises(SourceInUse):
        await log.publish(*_frame(3))


async def test_the_position_comes_from_the_lake_when_the_log_has_none(
    platform: Platform, bus: Bus, log: SourceLog
) -> None:
    frame, position = _frame(1)
    await log.publish(frame, position)
    await _archive(bus, platform.lake, 1, 1, position)
    assert await SourceLog(process(), bus, platform.lake, "s").recover() == position


async def test_ids_that_only_the_log_has_are_known_after_a_restart(
    platform: Platform, tmp_path: Path
) -> None:
    path = tmp_path / "posts.jsonl"
    post = {"text": "x", "created_at": "2024-05-01T10:00:00Z"}
    lines = [json.dumps({"id": str(n % 150), **post}) for n in range(300)]
    path.write_text("\n".join(lines[:200]) + "\n")
    arguments = ("--source", str(path), "--name", "s")
    assert platform.start("ingest", *arguments).wait() == 0
    with path.open("a") as file:
        file.write("\n".join(lines[200:]) + "\n")
    assert platform.start("ingest", *arguments).wait() == 0
    assert await platform.logged_ids() == Counter(f"s:{n}" for n in range(150))
    totals = {"read": 300, "accepted": 150, "duplicates": 150, "rejected": 0}
    assert await platform.totals("s") == totals


async def test_bad_records_are_kept_once_and_counted_once(
    platform: Platform, tmp_path: Path
) -> None:
    path = tmp_path / "posts.jsonl"
    good = json.dumps({"id": "1", "text": "x", "created_at": "2024-05-01T10:00:00Z"})
    path.write_text(f"no json\n{good}\n{{}}\n")
    for _ in range(2):
        ingest = platform.start("ingest", "--source", str(path), "--name", "s")
        assert ingest.wait() == 0, ingest.stderr
    letters = await platform.letters()
    assert [letter.where for letter in letters] == ["posts.jsonl:1", "posts.jsonl:3"]
    assert {letter.stage for letter in letters} == {"ingest"}
    totals = {"read": 3, "accepted": 1, "duplicates": 0, "rejected": 2}
    assert await platform.totals("s") == totals
    assert await platform.logged_ids() == {"s:1": 1}


async def test_the_same_file_again_says_what_was_read(
    platform: Platform, tmp_path: Path
) -> None:
    path = tmp_path / "posts.jsonl"
    post = {"id": "1", "text": "x", "created_at": "2024-05-01T10:00:00Z"}
    path.write_text(json.dumps(post))
    assert platform.start("ingest", "--source", str(path)).wait() == 0
    ingest = platform.start("ingest", "--source", str(path))
    assert ingest.wait() == 0
    ingest.wait_for("going on with posts: 1 records were read before (1 accepted")
    ingest.wait_for("posts read to its end: 0 records read")


async def test_a_pipe_repeated_adds_nothing(platform: Platform) -> None:
    post = {"text": "x", "created_at": "2024-05-01T10:00:00Z"}
    text = "".join(json.dumps({"id": str(n), **post}) + "\n" for n in range(5))
    for _ in range(2):
        ingest = platform.start("ingest", "--source", "-", stdin=text)
        assert ingest.wait() == 0, ingest.stderr
    assert await platform.logged_ids() == {f"stdin:{n}": 1 for n in range(5)}
    assert (await platform.totals("stdin"))["duplicates"] == 5


async def test_a_full_stream_is_waited_for_and_loses_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with (
        server(state, max_store=6 * 1024 * 1024),
        connect("embedded:", name="test", state=state) as bus,
    ):
        running = process()
        lake = Lake.open((state / "lake").as_uri())
        source = Synthetic(limit=60_000)
        ingesting = asyncio.create_task(Ingest(running, bus, lake, source).run())
        await eventually_async(lambda: not running.health.ready, timeout=30)
        report = running.health.report()
        assert "waiting to publish posts" in str(report)
        assert not ingesting.done()
        ids = Counter[str]()
        while not (ingesting.done() and (await bus.state(POSTS)).messages == 0):
            ids.update(await _take(bus, lake))
        await ingesting
        assert running.health.ready
    assert ids == Counter(f"synthetic:{n}" for n in range(60_000))


async def _take(bus: Bus, lake: Lake) -> list[str]:
    """Removes what is in the log, as archiver and match workers together do."""
    ids, position = list[str](), b""
    state = await bus.state(POSTS)
    for sequence in range(state.first, state.last + 1):
        message = await bus.get(POSTS, sequence)
        assert message is not None
        frame = decode(message.data)
        assert isinstance(frame.origin, SourceOrigin)
        ids += strings(frame.batch["id"])
        position = frame.origin.position
    if ids:
        await _archive(bus, lake, state.first, state.last, position, "synthetic")
    return ids


async def test_a_stop_ends_an_ingest_that_waits_for_room(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with (
        server(state, max_store=6 * 1024 * 1024),
        connect("embedded:", name="test", state=state) as bus,
    ):
        running = process()
        lake = Lake.open((state / "lake").as_uri())
        source = Synthetic()
        ingesting = asyncio.create_task(Ingest(running, bus, lake, source).run())
        await eventually_async(lambda: not running.health.ready, timeout=30)
        running.stop.request("test")
        await asyncio.wait_for(ingesting, 5)
