"""What is left when the server is killed, hangs or loses its disk under load."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from rookery.bus import (
    MATCHES,
    POSTS,
    AlreadyStored,
    Bus,
    EmbeddedServer,
    EpochChanged,
    Unavailable,
    WrongLast,
    connect,
    testing,
)
from rookery.service.testing import eventually_async

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

FRAMES = 1500
FRAME = 20_000
KILLS = 4


def frame(number: int) -> bytes:
    return number.to_bytes(8, "big") * (FRAME // 8)


async def ingest(bus: Bus, count: int) -> None:
    """Stores frames as ingest does: each behind the last one of its subject."""
    last = 0
    for number in range(1, count + 1):
        while True:
            try:
                last = await bus.publish(
                    POSTS, frame(number), subject="posts.s", expect_last=last, timeout=1
                )
                break
            except Unavailable:
                continue
            except WrongLast as error:
                # The answer was lost, not the frame.
                last = error.actual
                break


async def match(bus: Bus, done: asyncio.Event, work: list[int]) -> None:
    """Answers each frame as a match worker does: with one frame of its own."""
    async with aclosing(bus.consume(POSTS, group="match", ack_wait=1.0)) as deliveries:
        async for delivery in deliveries:
            subject = f"matches.{delivery.sequence}"
            while True:
                try:
                    await bus.publish(
                        MATCHES,
                        delivery.data,
                        subject=subject,
                        expect_last=0,
                        timeout=1,
                    )
                    break
                except AlreadyStored:
                    break
                except Unavailable:
                    await delivery.heartbeat()
            await delivery.ack()
            work.append(delivery.sequence)
            if len(set(work)) == FRAMES:
                done.set()


@asynccontextmanager
async def killed(
    server: EmbeddedServer, progress: Callable[[], int]
) -> AsyncIterator[None]:
    """Kills the server again and again, spread over the progress of the work."""

    async def run() -> None:
        for kill in range(1, KILLS + 1):
            due = kill * FRAMES // (KILLS + 1)

            def reached(due: int = due) -> bool:
                return progress() >= due

            await eventually_async(reached, timeout=60, message=f"{due} frames")
            await testing.restart(server)

    killing = asyncio.create_task(run())
    try:
        yield
        await killing
    finally:
        killing.cancel()


async def numbers(bus: Bus, stream: str) -> list[int]:
    found = []
    async with aclosing(bus.read(stream, idle=0.5)) as messages:
        async for message in messages:
            number = int.from_bytes(message.data[:8], "big")
            assert message.data == frame(number)
            found.append(number)
    return found


async def test_killing_the_server_neither_loses_nor_doubles_a_published_frame(
    bus: Bus, server: EmbeddedServer
) -> None:
    task = asyncio.create_task(ingest(bus, FRAMES))
    reached = 0

    async def watch() -> None:
        nonlocal reached
        async with aclosing(bus.read(POSTS)) as messages:
            async for message in messages:
                reached = message.sequence

    watching = asyncio.create_task(watch())
    async with killed(server, lambda: reached):
        await task
    watching.cancel()
    assert await numbers(bus, POSTS) == [*range(1, FRAMES + 1)]


async def test_a_reader_sees_each_frame_once_and_in_order_through_every_kill(
    bus: Bus, server: EmbeddedServer
) -> None:
    seen: list[int] = []

    async def follow() -> None:
        async with connect("embedded:", name="reader", state=server.state) as other:
            async with aclosing(other.read(POSTS)) as messages:
                async for message in messages:
                    seen.append(message.sequence)
                    if message.sequence == FRAMES:
                        return

    reading = asyncio.create_task(follow())
    writing = asyncio.create_task(ingest(bus, FRAMES))
    async with killed(server, lambda: len(seen)):
        await writing
        await asyncio.wait_for(reading, 30)
    assert seen == [*range(1, FRAMES + 1)]


async def test_every_frame_is_answered_exactly_once_through_every_kill(
    bus: Bus, server: EmbeddedServer
) -> None:
    done = asyncio.Event()
    work: list[int] = []
    workers = [asyncio.create_task(match(bus, done, work)) for _ in range(2)]
    writing = asyncio.create_task(ingest(bus, FRAMES))
    async with killed(server, lambda: len(set(work))):
        await writing
        await asyncio.wait_for(done.wait(), 60)
    for worker in workers:
        worker.cancel()
    assert await numbers(bus, POSTS) == [*range(1, FRAMES + 1)]
    assert sorted(await numbers(bus, MATCHES)) == [*range(1, FRAMES + 1)]
    for sequence in range(1, FRAMES + 1, 97):
        answer = await bus.last(MATCHES, f"matches.{sequence}")
        assert answer is not None and answer.data == frame(sequence)


async def test_a_request_under_way_ends_at_once_when_the_server_dies(
    bus: Bus, server: EmbeddedServer
) -> None:
    with testing.frozen(server):
        sent = bus._link.client.stats["out_msgs"]
        publishing = asyncio.create_task(
            bus.publish(POSTS, b"x", subject="posts.s", timeout=30)
        )
        await eventually_async(lambda: bus._link.client.stats["out_msgs"] > sent)
        started = time.monotonic()
        await testing.kill(server)
        with pytest.raises(Unavailable, match="lost"):
            await publishing
        assert time.monotonic() - started < 2
    await server.start()


async def test_a_publish_waits_for_a_server_that_is_away(
    bus: Bus, server: EmbeddedServer
) -> None:
    await testing.kill(server)
    await eventually_async(lambda: not bus.connected, message="the loss")
    publishing = asyncio.create_task(bus.publish(POSTS, b"x", subject="posts.s"))
    await server.start()
    assert await asyncio.wait_for(publishing, 3) == 1


async def test_a_publish_gives_up_when_its_time_is_over(
    bus: Bus, server: EmbeddedServer
) -> None:
    await testing.kill(server)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await bus.publish(POSTS, b"x", subject="posts.s", timeout=0.4)
    with pytest.raises(Unavailable):
        await bus.publish(POSTS, b"x", subject="posts.s", timeout=0.4)
    assert time.monotonic() - started < 2
    await server.start()
    assert (await bus.state(POSTS)).messages == 0


async def test_a_server_that_hangs_is_unavailable_and_comes_back(
    bus: Bus, server: EmbeddedServer
) -> None:
    with testing.frozen(server):
        with pytest.raises(Unavailable, match="within 0.3 s"):
            await bus.publish(
                POSTS, b"x", subject="posts.s", timeout=0.3, expect_last=0
            )
    # The server had it all along; publishing it again says so.
    with pytest.raises(AlreadyStored):
        await bus.publish(POSTS, b"x", subject="posts.s", expect_last=0)
    assert (await bus.state(POSTS)).messages == 1


async def test_a_reader_notices_that_the_server_hangs_and_goes_on_later(
    bus: Bus, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rookery.bus._inbox._SILENCE_SECONDS", 0.5)
    monkeypatch.setattr("rookery.bus._inbox.HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr("rookery.bus._reader._SETUP_SECONDS", 0.5)
    async with aclosing(bus.read(POSTS)) as messages:
        await bus.publish(POSTS, b"1", subject="posts.s")
        assert (await anext(messages)).data == b"1"
        waiting = asyncio.ensure_future(anext(messages))
        with testing.frozen(server):
            await asyncio.sleep(1.5)
        await bus.publish(POSTS, b"2", subject="posts.s")
        assert (await asyncio.wait_for(waiting, 5)).data == b"2"


async def test_an_idle_reader_does_not_take_an_outage_for_the_end(
    bus: Bus, server: EmbeddedServer
) -> None:
    await bus.publish(POSTS, b"1", subject="posts.s")
    seen: list[bytes] = []

    async def collect() -> None:
        async with aclosing(bus.read(POSTS, idle=0.5)) as messages:
            async for message in messages:
                seen.append(message.data)

    reading = asyncio.create_task(collect())
    await eventually_async(lambda: seen, message="the first")
    await testing.kill(server)
    await asyncio.sleep(1.2)
    assert not reading.done()
    await server.start()
    await bus.publish(POSTS, b"2", subject="posts.s")
    await asyncio.wait_for(reading, 5)
    assert seen == [b"1", b"2"]


async def test_a_client_that_gave_up_for_good_is_replaced(bus: Bus) -> None:
    await bus.publish(POSTS, b"1", subject="posts.s")
    async with aclosing(bus.read(POSTS)) as messages:
        assert (await anext(messages)).sequence == 1
        waiting = asyncio.ensure_future(anext(messages))
        # This is what an error line of the server leads to.
        await bus._link.client.close()
        assert await bus.publish(POSTS, b"2", subject="posts.s") == 2
        assert (await asyncio.wait_for(waiting, 5)).sequence == 2
    assert bus.connected


async def test_a_server_that_is_stopped_in_peace_comes_back_the_same(
    bus: Bus, server: EmbeddedServer
) -> None:
    async with aclosing(bus.read(POSTS)) as messages:
        waiting = asyncio.ensure_future(anext(messages))
        for _ in range(3):
            await server.stop()
            await server.start()
        await bus.publish(POSTS, b"1", subject="posts.s")
        assert (await asyncio.wait_for(waiting, 5)).sequence == 1


async def test_another_log_in_the_place_of_the_old_one_stops_everything(
    bus: Bus, server: EmbeddedServer
) -> None:
    await bus.publish(POSTS, b"1", subject="posts.s")
    reading = asyncio.ensure_future(anext(bus.read(POSTS, start=2)))
    working = asyncio.ensure_future(anext(bus.consume(MATCHES, group="g")))
    await testing.kill(server)
    shutil.rmtree(server.state / "bus" / "jetstream")
    await server.start()
    for waiting in (reading, working):
        with pytest.raises(EpochChanged, match="start this process again"):
            await asyncio.wait_for(waiting, 5)
    with pytest.raises(EpochChanged):
        await bus.publish(POSTS, b"2", subject="posts.s")
    assert not bus.connected
    async with connect("embedded:", name="new", state=server.state) as other:
        assert (await other.state(POSTS)).messages == 0
