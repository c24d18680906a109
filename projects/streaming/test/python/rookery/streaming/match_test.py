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


async def _bare(bus: Bus, rules: RuleSet | str, version: str = "") -> None:
    """Puts rules in force as releases without an audit trail do, whatever they are."""
    version = version or (rules if isinstance(rules, str) else rules.version)
    await bus.objects(store.SNAPSHOTS).put(version, str(rules).encode())
    await bus.values(store.POINTERS).put(store.CURRENT, version.encode())


def _uses(running: Process, version: str) -> Callable[[], bool]:
    def uses() -> bool:
        return str(_check(running)["detail"]).startswith(version)

    return uses


def _check(running: Process) -> dict[str, object]:
    checks = running.health.report()["checks"]
    assert isinstance(checks, dict)
    found: dict[str, object] = checks["rules"]
    return found


def _refused(running: Process, number: int) -> Callable[[], bool]:
    def refused() -> bool:
        name = "rookery_match_rules_refused_total"
        return running.registry.get_sample_value(name) == number

    return refused


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


async def test_rules_change_between_frames_and_nothing_is_lost(
    bus: Bus, rules: RuleSet
) -> None:
    lines = str(rules).splitlines()
    sets = [RuleSet.parse([*lines[n:], f"extra{n} = the"]) for n in range(5)]
    sets.append(RuleSet(()))
    frames = 0
    results: dict[int, Frame] = {}
    async with _working(bus) as running:
        for following in [rules, *sets]:
            await store.publish(bus, following)
            # Some come before it is in use, and some behind it.
            await _publish(bus, *range(frames, frames + 4))
            await eventually_async(_uses(running, following.version))
            await _publish(bus, *range(frames + 4, frames + 8))
            frames += 8
            results = await _results(bus, frames)
    matchers = {one.version: Matcher(one) for one in [rules, *sets]}
    versions = []
    for sequence, result in results.items():
        assert isinstance(result.origin, MatchOrigin)
        versions.append(result.origin.ruleset)
        posts = generate((sequence - 1) * 50, 50, seed=1, source="s", now=NOW).posts
        expected = match_and_enrich(matchers[versions[-1]], posts)
        assert result.batch.equals(expected)
    order = list(matchers)
    # In order, and what was published behind a set is matched by it.
    assert versions == sorted(versions, key=order.index)
    assert versions[7::8] == order
    assert (await bus.state(DEAD)).last == 0


async def test_disabled_rules_match_nothing_until_they_are_enabled(bus: Bus) -> None:
    names = ("all", "some")
    await store.edit(bus, store.Add(RuleSet.parse(["all = the OR a", "some = fire"])))
    off = await store.edit(bus, store.Switch(names, enabled=False))
    async with _working(bus) as running:
        await eventually_async(_uses(running, off.version))
        await _publish(bus, 0)
        assert (await _results(bus, 1))[1].batch.num_rows == 0
        on = await store.edit(bus, store.Switch(("all",), enabled=True))
        await eventually_async(_uses(running, on.version))
        await _publish(bus, 1)
        results = await _results(bus, 2)
    assert isinstance(results[1].origin, MatchOrigin)
    assert results[1].origin.ruleset == off.version
    found = results[2].batch["rules"].to_pylist()
    assert found and all(one == ["all"] for one in found)


async def test_a_set_that_cannot_be_read_is_refused_and_the_running_one_stays(
    bus: Bus, rules: RuleSet, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _working(bus) as running:
        await eventually_async(_uses(running, rules.version))
        for number, (text, told) in enumerate(
            [
                ("a = (\n", "1:6: something is missing"),
                ("a = fire\n", "another release wrote them"),
                ("\udcff", "are damaged"),
            ]
        ):
            version = f"{number:016x}"
            data = text.encode("utf-8", "surrogateescape")
            await bus.objects(store.SNAPSHOTS).put(version, data)
            await bus.values(store.POINTERS).put(store.CURRENT, version.encode())
            await eventually_async(_refused(running, number + 1))
            check = _check(running)
            assert (check["ok"], running.health.ready) == (True, True)
            assert str(check["detail"]).startswith(
                f"{rules.version}; rule set {version}"
            )
            said = capsys.readouterr().out
            assert said.count(f"rule set {version} is refused") == 1
            assert told in said
            await _publish(bus, number)
        results = await _results(bus, 3)
        better = RuleSet.parse(["fire"])
        await store.publish(bus, better)
        await eventually_async(_uses(running, better.version))
        assert _check(running)["detail"] == better.version
    for result in results.values():
        assert isinstance(result.origin, MatchOrigin)
        assert result.origin.ruleset == rules.version


async def test_rules_that_cannot_be_compiled_do_not_end_the_worker(
    bus: Bus, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _working(bus) as running:
        await eventually_async(_uses(running, rules.version))

        def broken(_: RuleSet) -> Matcher:
            raise ZeroDivisionError("a bug")

        with monkeypatch.context() as patched:
            patched.setattr("rookery.streaming._rules.Matcher", broken)
            await store.publish(bus, RuleSet.parse(["fire"]))
            await eventually_async(_refused(running, 1))
        await _publish(bus, 0)
        results = await _results(bus, 1)
    assert isinstance(results[1].origin, MatchOrigin)
    assert results[1].origin.ruleset == rules.version


async def test_a_snapshot_that_comes_late_is_taken_when_it_is_there(
    bus: Bus, rules: RuleSet
) -> None:
    late = RuleSet.parse(["fire"])
    async with _working(bus) as running:
        await eventually_async(_uses(running, rules.version))
        await bus.values(store.POINTERS).put(store.CURRENT, late.version.encode())
        await eventually_async(_refused(running, 1))
        await bus.objects(store.SNAPSHOTS).put(late.version, str(late).encode())
        await eventually_async(_uses(running, late.version))
        assert _refused(running, 1)()


async def test_a_worker_that_begins_with_broken_rules_takes_those_before(
    bus: Bus, rules: RuleSet
) -> None:
    newer = RuleSet.parse(["fire"])
    await store.publish(bus, newer)
    await _bare(bus, "a = (\n", "f" * 16)
    async with _working(bus) as running:
        await eventually_async(_uses(running, newer.version))
        assert running.health.report()["ready"]
        assert "is refused" in str(_check(running)["detail"])
        await _publish(bus, 0)
        results = await _results(bus, 1)
    assert isinstance(results[1].origin, MatchOrigin)
    assert results[1].origin.ruleset == newer.version


async def test_a_worker_begins_with_what_it_can_use_of_all_there_was(
    bus: Bus, rules: RuleSet
) -> None:
    for number in range(3):
        await _bare(bus, "a = (\n", f"{number:016x}")
    async with _working(bus) as running:
        await eventually_async(_uses(running, rules.version))
        assert _check(running)["ok"]


async def test_a_worker_without_any_rules_waits_for_them(bus: Bus) -> None:
    await _publish(bus, 0)
    await _bare(bus, "a = (\n", "f" * 16)
    async with _working(bus) as running:
        await eventually_async(_refused(running, 1))
        assert not _check(running)["ok"]
        rules = RuleSet.parse(["the"])
        await store.publish(bus, rules)
        results = await _results(bus, 1)
        assert _check(running)["ok"]
    assert isinstance(results[1].origin, MatchOrigin)
    assert results[1].origin.ruleset == rules.version


async def test_rules_of_a_release_without_a_trail_are_taken_over(
    bus: Bus, rules: RuleSet
) -> None:
    old = RuleSet.parse(["a = fire"])
    async with _working(bus) as running:
        await eventually_async(_uses(running, rules.version))
        await _bare(bus, old)
        await eventually_async(_uses(running, old.version))
        assert _refused(running, 0)()
