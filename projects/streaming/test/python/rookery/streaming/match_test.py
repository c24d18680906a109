import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime

import pyarrow as pa
import pytest
import pytest_asyncio

from rookery.bus import DEAD, MATCHES, POSTS, Bus, connect, decode_dead
from rookery.matching import Matcher, RuleSet, store
from rookery.records import (
    MATCH,
    Frame,
    MatchOrigin,
    SourceOrigin,
    decode,
    empty,
    encode,
)
from rookery.service import Process
from rookery.service.testing import eventually_async
from rookery.streaming._match import MatchWorker, Operate, match_and_enrich
from rookery.streaming.sources import generate, sample_rules
from rookery.streaming.testing import Platform, process

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest_asyncio.fixture
async def bus(platform: Platform) -> AsyncIterator[Bus]:
    async with connect("embedded:", name="test", state=platform.state) as connected:
        yield connected


@pytest_asyncio.fixture
async def rules(bus: Bus) -> RuleSet:
    parsed = RuleSet.parse(sample_rules().splitlines())
    await store.publish(bus, parsed)
    return parsed


@asynccontextmanager
async def _working(
    bus: Bus, operate: Operate = match_and_enrich
) -> AsyncIterator[Process]:
    running = process()
    worker = MatchWorker(running, bus, operate=operate, ack_wait=1.0)
    task = asyncio.create_task(worker.run())
    try:
        yield running
    finally:
        running.stop.request("test")
        await asyncio.wait_for(task, 10)


async def _publish(bus: Bus, *numbers: int) -> None:
    for number in numbers:
        posts = generate(number * 50, 50, seed=1, source="s", now=NOW).posts
        frame = encode(posts, SourceOrigin("s", b"%d" % number, NOW))
        await bus.publish(POSTS, frame, subject="posts.s")


async def _results(bus: Bus, count: int) -> dict[int, Frame]:
    """The results of the first frames, once they are there and acknowledged."""

    async def done() -> bool:
        consumer = await bus.consumer(POSTS, "match")
        return consumer is not None and consumer.ack_floor >= count

    await eventually_async(done, message=f"{count} frames are acknowledged")
    assert (await bus.state(MATCHES)).last == count
    results = {}
    for sequence in range(1, count + 1):
        message = await bus.last(MATCHES, f"matches.{sequence}")
        assert message is not None
        results[sequence] = decode(message.data)
    return results


def _failing(first: str, fail: Callable[[], None]) -> Operate:
    """An operator that fails at the frame that begins with an id."""

    def operate(matcher: Matcher, posts: pa.RecordBatch) -> pa.RecordBatch:
        if posts["id"][0].as_py() == first:
            fail()
        return match_and_enrich(matcher, posts)

    return operate


async def test_each_frame_gets_one_result_with_the_version_that_matched_it(
    bus: Bus, rules: RuleSet
) -> None:
    await _publish(bus, *range(20))
    async with _working(bus):
        results = await _results(bus, 20)
    matcher = Matcher(rules)
    for sequence, result in results.items():
        origin = MatchOrigin(bus.epoch, sequence, rules.version, 50)
        assert result.origin == origin
        posts = generate((sequence - 1) * 50, 50, seed=1, source="s", now=NOW).posts
        assert result.batch.equals(match_and_enrich(matcher, posts))


async def test_a_frame_that_always_fails_is_kept_and_marked_dead(
    bus: Bus, rules: RuleSet
) -> None:
    def fail() -> None:
        raise ValueError("cannot digest this")

    await _publish(bus, 0, 1, 2)
    async with _working(bus, _failing("s:50", fail)):
        results = await _results(bus, 3)
    origin = results[2].origin
    assert origin == MatchOrigin(
        bus.epoch, 2, rules.version, 50, dead="ValueError: cannot digest this"
    )
    assert results[2].batch.num_rows == 0
    assert results[1].batch.num_rows and results[3].batch.num_rows
    (message,) = [m async for m in bus.read(DEAD, idle=0.2)]
    letter = decode_dead(message.data)
    assert (letter.stage, letter.source, letter.where) == ("match", "s", "POSTS:2")
    assert decode(letter.raw).batch["id"][0].as_py() == "s:50"


async def test_a_frame_that_fails_twice_is_matched(bus: Bus, rules: RuleSet) -> None:
    errors = iter(["one", "one"])

    def fail() -> None:
        if (error := next(errors, None)) is not None:
            raise ValueError(error)

    await _publish(bus, 0)
    async with _working(bus, _failing("s:0", fail)):
        results = await _results(bus, 1)
    assert isinstance(results[1].origin, MatchOrigin)
    assert results[1].origin.dead is None
    assert results[1].batch.num_rows
    assert (await bus.state(DEAD)).last == 0


@pytest.mark.usefixtures("rules")
async def test_bytes_that_are_no_frame_are_given_up(bus: Bus) -> None:
    await bus.publish(POSTS, b"rubbish", subject="posts.s")
    await _publish(bus, 1)
    async with _working(bus):
        results = await _results(bus, 2)
    assert isinstance(results[1].origin, MatchOrigin)
    assert results[1].origin.dead is not None
    assert results[1].origin.posts == 0
    (message,) = [m async for m in bus.read(DEAD, idle=0.2)]
    assert decode_dead(message.data).raw == b"rubbish"


async def _spoil(bus: Bus, deliveries: int) -> None:
    """Takes the first frame so often, each time as a worker that dies."""
    consuming = bus.consume(POSTS, group="match", max_in_flight=1, ack_wait=1.0)
    async with aclosing(consuming):
        async for delivery in consuming:
            await delivery.nak()
            if delivery.deliveries == deliveries:
                return


@pytest.mark.usefixtures("rules")
async def test_five_deliveries_without_a_result_make_a_frame_dead(bus: Bus) -> None:
    await _publish(bus, 0)
    await _spoil(bus, 5)
    async with _working(bus):
        results = await _results(bus, 1)
    assert isinstance(results[1].origin, MatchOrigin)
    assert "5 deliveries ended without a result" in str(results[1].origin.dead)


@pytest.mark.usefixtures("rules")
async def test_four_deliveries_without_a_result_do_not(bus: Bus) -> None:
    await _publish(bus, 0)
    await _spoil(bus, 4)
    async with _working(bus):
        results = await _results(bus, 1)
    assert isinstance(results[1].origin, MatchOrigin)
    assert results[1].origin.dead is None


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize("deliveries", [1, 6])
async def test_a_result_that_is_stored_already_stands(
    bus: Bus, deliveries: int
) -> None:
    await _publish(bus, 0)
    first = MatchOrigin(bus.epoch, 1, "an-older-version", 50)
    frame = encode(empty(MATCH), first)
    await bus.publish(MATCHES, frame, subject="matches.1")
    if deliveries > 1:
        await _spoil(bus, deliveries - 1)
    async with _working(bus):
        results = await _results(bus, 1)
    assert results[1].origin == first
    assert (await bus.state(DEAD)).last == 0


@pytest.mark.usefixtures("rules")
async def test_work_that_takes_longer_than_the_wait_is_kept_alive(bus: Bus) -> None:
    started = asyncio.Event()
    loop, calls = asyncio.get_running_loop(), []

    def slow() -> None:
        # Blocks its thread until the frame would have been delivered again.
        calls.append(1)
        loop.call_soon_threadsafe(started.set)
        asyncio.run_coroutine_threadsafe(_outlast(bus), loop).result(20)

    await _publish(bus, 0)
    async with _working(bus, _failing("s:0", slow)):
        await _results(bus, 1)
    assert calls == [1]


async def _outlast(bus: Bus) -> None:
    """Returns after twice the wait, by the clock of the loop."""
    until = asyncio.get_running_loop().time() + 2.0

    async def over() -> bool:
        consumer = await bus.consumer(POSTS, "match")
        assert consumer is not None and consumer.redelivered == 0
        return asyncio.get_running_loop().time() > until

    await eventually_async(over)


async def test_two_workers_share_the_frames(bus: Bus, rules: RuleSet) -> None:
    await _publish(bus, *range(40))
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(_working(bus))
        results = await _results(bus, 40)
    assert len(results) == 40
    assert (await bus.state(DEAD)).last == 0
    assert rules
