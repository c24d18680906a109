import asyncio
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from rookery.bus import (
    MATCHES,
    POSTS,
    AlreadyStored,
    Bus,
    BusConfiguration,
    EmbeddedServer,
    StreamFull,
    TooLarge,
    Unavailable,
    WrongLast,
    connect,
    testing,
)
from rookery.service.testing import eventually_async, free_port

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


async def fill(bus: Bus, count: int, *, size: int = 100) -> None:
    for number in range(1, count + 1):
        data = number.to_bytes(4, "big") * (size // 4)
        await bus.publish(POSTS, data, subject="posts.test")


async def sequences(
    bus: Bus, *, start: int = 1, count: int | None = None, idle: float | None = 0.3
) -> list[int]:
    found: list[int] = []
    async with aclosing(bus.read(POSTS, start=start, idle=idle)) as messages:
        async for message in messages:
            found.append(message.sequence)
            if len(found) == count:
                break
    return found


async def test_a_published_message_comes_back_as_it_was(bus: Bus) -> None:
    before = time.time()
    sequence = await bus.publish(POSTS, b"\x00frame\xff", subject="posts.tweets")
    message = await bus.get(POSTS, sequence)
    assert message is not None
    assert (message.sequence, message.subject) == (1, "posts.tweets")
    assert message.data == b"\x00frame\xff"
    assert before - 1 <= message.time.timestamp() <= time.time() + 1


async def test_the_reader_gives_the_same_message_as_a_look_up(bus: Bus) -> None:
    await bus.publish(POSTS, b"frame", subject="posts.tweets")
    async with aclosing(bus.read(POSTS)) as messages:
        assert await anext(messages) == await bus.get(POSTS, 1)


async def test_a_message_that_was_never_stored_is_none(bus: Bus) -> None:
    assert await bus.get(POSTS, 1) is None
    assert await bus.get(POSTS, 0) is None
    assert await bus.last(POSTS, "posts.nobody") is None


async def test_the_last_message_is_that_of_the_subject(bus: Bus) -> None:
    for number, subject in enumerate(("posts.a", "posts.b", "posts.a", "posts.b")):
        await bus.publish(POSTS, bytes([number]), subject=subject)
    last = await bus.last(POSTS, "posts.a")
    assert last is not None
    assert (last.sequence, last.data) == (3, b"\x02")


async def test_a_subject_that_takes_one_message_says_which_it_has(bus: Bus) -> None:
    await bus.publish(MATCHES, b"other", subject="matches.1", expect_last=0)
    stored = await bus.publish(MATCHES, b"first", subject="matches.2", expect_last=0)
    with pytest.raises(AlreadyStored) as caught:
        await bus.publish(MATCHES, b"second", subject="matches.2", expect_last=0)
    assert caught.value.sequence == stored == 2
    assert (await bus.state(MATCHES)).messages == 2


async def test_a_second_writer_of_a_subject_is_refused(bus: Bus) -> None:
    first = await bus.publish(POSTS, b"a", subject="posts.s", expect_last=0)
    await bus.publish(POSTS, b"b", subject="posts.s", expect_last=first)
    with pytest.raises(WrongLast) as caught:
        await bus.publish(POSTS, b"c", subject="posts.s", expect_last=first)
    assert (caught.value.expected, caught.value.actual) == (1, 2)


async def test_a_writer_that_expects_more_than_there_is_is_refused(bus: Bus) -> None:
    with pytest.raises(WrongLast) as caught:
        await bus.publish(POSTS, b"a", subject="posts.s", expect_last=7)
    assert caught.value.actual == 0


async def test_a_subject_of_another_stream_is_not_stored(bus: Bus) -> None:
    with pytest.raises(Exception, match="expected stream"):
        await bus.publish(POSTS, b"a", subject="matches.1")
    assert (await bus.state(MATCHES)).messages == 0


async def test_a_message_beyond_the_limit_of_the_server_is_too_large(bus: Bus) -> None:
    with pytest.raises(TooLarge):
        await bus.publish(POSTS, bytes(9 * testing.MIB), subject="posts.s")
    assert await bus.publish(POSTS, b"next", subject="posts.s") == 1


async def test_the_largest_message_is_read_again(bus: Bus) -> None:
    await bus.publish(POSTS, bytes(8 * testing.MIB - 4096), subject="posts.s")
    async with aclosing(bus.read(POSTS)) as messages:
        assert len((await anext(messages)).data) == 8 * testing.MIB - 4096
    async with aclosing(bus.consume(POSTS, group="match")) as deliveries:
        assert len((await anext(deliveries)).data) == 8 * testing.MIB - 4096


async def test_reading_begins_at_the_first_sequence_present(bus: Bus) -> None:
    await fill(bus, 10)
    assert await bus.trim(POSTS, through=6) == 6
    assert await sequences(bus, start=1) == [7, 8, 9, 10]
    assert await sequences(bus, start=9) == [9, 10]
    assert await sequences(bus, start=-3) == [7, 8, 9, 10]


async def test_reading_beyond_the_end_waits_for_that_sequence(bus: Bus) -> None:
    await fill(bus, 2)
    async with aclosing(bus.read(POSTS, start=4)) as messages:
        waiting = asyncio.ensure_future(anext(messages))
        await fill(bus, 3)
        assert (await asyncio.wait_for(waiting, 5)).sequence == 4


async def test_a_reader_follows_what_is_published_later(bus: Bus) -> None:
    async with aclosing(bus.read(POSTS)) as messages:
        for number in range(1, 200):
            await bus.publish(POSTS, b"x", subject="posts.s")
            message = await asyncio.wait_for(anext(messages), 5)
            assert message.sequence == number


async def test_a_reader_crosses_many_batches_in_order(bus: Bus) -> None:
    await fill(bus, 700)
    assert await sequences(bus, start=3) == list(range(3, 701))


async def test_a_reader_ends_at_once_when_it_is_cancelled(bus: Bus) -> None:
    task = asyncio.create_task(sequences(bus, idle=None))
    await eventually_async(lambda: readers(bus), message="a reader")
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < 1
    await eventually_async(lambda: no_readers(bus), message="no reader is left")


async def readers(bus: Bus) -> int:
    info = await bus._link.client.jsm().stream_info(POSTS)
    return info.state.consumer_count


async def no_readers(bus: Bus) -> bool:
    return await readers(bus) == 0


async def test_a_slow_reader_holds_little_in_memory(bus: Bus) -> None:
    size = testing.MIB
    for _ in range(100):
        await bus.publish(POSTS, bytes(size), subject="posts.s")
    received = bus._link.client.stats["in_bytes"]
    async with aclosing(bus.read(POSTS)) as messages:
        await anext(messages)
        # Time for everything that was asked for to arrive: a request of another kind
        # is answered after it.
        for _ in range(20):
            await bus.state(POSTS)
        ahead = bus._link.client.stats["in_bytes"] - received
    assert ahead < 40 * size


async def test_trimming_beyond_the_end_keeps_the_numbering(bus: Bus) -> None:
    await fill(bus, 3)
    assert await bus.trim(POSTS, through=100) == 3
    state = await bus.state(POSTS)
    assert (state.first, state.last, state.messages) == (4, 3, 0)
    assert await bus.publish(POSTS, b"x", subject="posts.s") == 4


@pytest.mark.parametrize("through", [0, -1])
async def test_trimming_nothing_removes_nothing(bus: Bus, through: int) -> None:
    await fill(bus, 3)
    assert await bus.trim(POSTS, through=through) == 0
    assert (await bus.state(POSTS)).messages == 3


async def test_trimming_twice_removes_once(bus: Bus) -> None:
    await fill(bus, 5)
    assert await bus.trim(POSTS, through=3) == 3
    assert await bus.trim(POSTS, through=3) == 0
    assert await bus.trim(POSTS, through=2) == 0
    assert (await bus.state(POSTS)).first == 4


async def test_a_full_stream_refuses_and_takes_again_when_trimmed(
    tmp_path: Path,
) -> None:
    async with testing.server(tmp_path / "small", max_store=8 * testing.MIB) as server:
        async with connect("embedded:", name="test", state=server.state) as bus:
            stored = 0
            with pytest.raises(StreamFull):
                while stored < 100:
                    await bus.publish(POSTS, bytes(500_000), subject="posts.s")
                    stored += 1
            state = await bus.state(POSTS)
            assert state.messages == stored > 4
            assert state.bytes <= state.max_bytes
            await bus.trim(POSTS, through=2)
            await bus.publish(POSTS, bytes(500_000), subject="posts.s")


async def test_a_full_stream_refuses_with_an_expectation_too(tmp_path: Path) -> None:
    async with testing.server(tmp_path / "small", max_store=8 * testing.MIB) as server:
        async with connect("embedded:", name="test", state=server.state) as bus:
            last = 0
            with pytest.raises(StreamFull):
                for _ in range(100):
                    last = await bus.publish(
                        POSTS, bytes(500_000), subject="posts.s", expect_last=last
                    )
            assert (await bus.state(POSTS)).last == last


async def test_every_connection_sees_the_same_epoch(
    bus: Bus, server: EmbeddedServer
) -> None:
    async with connect("embedded:", name="other", state=server.state) as other:
        assert other.epoch == bus.epoch
        assert len(bus.epoch) == 16


async def test_a_renewed_epoch_is_seen_by_who_connects_later(
    bus: Bus, server: EmbeddedServer
) -> None:
    before = bus.epoch
    await bus.publish(POSTS, b"kept", subject="posts.s")
    renewed = await bus.renew_epoch()
    assert renewed == bus.epoch != before
    async with connect("embedded:", name="other", state=server.state) as other:
        assert other.epoch == renewed
        newest = await bus.renew_epoch()
        assert await other.read_epoch() == newest != other.epoch
        assert (await other.state(POSTS)).messages == 1


async def test_many_processes_that_connect_first_agree_on_one_epoch(
    server: EmbeddedServer,
) -> None:
    async with connect("embedded:", name="first", state=server.state) as bus:
        for stream in ("POSTS", "MATCHES", "DEAD"):
            await bus._requests.ask(f"STREAM.DELETE.{stream}", None, object, stream)

    async def epoch(number: int) -> str:
        async with connect(server.url, name=f"p{number}") as other:
            return other.epoch

    epochs = await asyncio.gather(*map(epoch, range(8)))
    assert len(set(epochs)) == 1


async def test_a_server_that_is_not_there_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rookery.bus._bus.CONNECT_SECONDS", 0.5)
    port = free_port()
    with pytest.raises(Unavailable, match=str(port)):
        async with connect(f"nats://127.0.0.1:{port}", name="test"):
            pass


async def test_a_wrong_token_is_a_matter_of_configuration(
    server: EmbeddedServer,
) -> None:
    url = server.url.replace("nats://", "nats://not-")
    with pytest.raises(BusConfiguration, match="ROOKERY_BUS_TOKEN") as caught:
        async with connect(url, name="test"):
            pass
    assert server.url.partition("@")[0][7:] not in str(caught.value)
    assert caught.value.exit_code == 78


async def test_the_token_is_taken_from_the_environment(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _, address = server.url.removeprefix("nats://").partition("@")
    monkeypatch.setenv("ROOKERY_BUS_TOKEN", token)
    async with connect(f"nats://{address}", name="test") as bus:
        assert bus.connected


@pytest.mark.parametrize("url", ["", "embedded", "http://127.0.0.1:1", "4222"])
async def test_a_url_that_is_none_is_a_matter_of_configuration(url: str) -> None:
    with pytest.raises(BusConfiguration, match="ROOKERY_BUS"):
        async with connect(url, name="test"):
            pass


async def test_a_closed_bus_is_unavailable_at_once(server: EmbeddedServer) -> None:
    async with connect("embedded:", name="test", state=server.state) as bus:
        reading = asyncio.create_task(sequences(bus, idle=None))
        await eventually_async(lambda: readers(bus), message="a reader")
    with pytest.raises(Unavailable, match="closed"):
        await asyncio.wait_for(reading, 2)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="closed"):
        await bus.publish(POSTS, b"x", subject="posts.s")
    assert time.monotonic() - started < 1
