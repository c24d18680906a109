import asyncio
from contextlib import aclosing, suppress

import pytest

from rookery.bus import (
    POSTS,
    Bus,
    ConsumerState,
    Delivery,
    EmbeddedServer,
    connect,
    keep_alive,
    testing,
)
from rookery.service.testing import eventually_async

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

# Short, so that what is lost comes again while a test waits for it.
ACK_WAIT = 1.0


async def fill(bus: Bus, count: int, *, size: int = 100) -> None:
    for number in range(count):
        await bus.publish(POSTS, bytes([number % 256]) * size, subject="posts.test")


async def state(bus: Bus) -> ConsumerState:
    found = await bus.consumer(POSTS, "match")
    assert found is not None
    return found


async def settled(bus: Bus, floor: int) -> bool:
    found = await state(bus)
    return found.ack_floor == floor and found.in_flight == 0


class Worker:
    """Takes deliveries and keeps them until it is told to settle them."""

    def __init__(self, bus: Bus, *, max_in_flight: int = 8) -> None:
        self.taken: list[Delivery] = []
        self._deliveries = bus.consume(
            POSTS, group="match", max_in_flight=max_in_flight, ack_wait=ACK_WAIT
        )
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with aclosing(self._deliveries) as deliveries:
            async for delivery in deliveries:
                self.taken.append(delivery)

    async def took(self, count: int, *, timeout: float = 5.0) -> list[Delivery]:
        await eventually_async(
            lambda: len(self.taken) >= count, timeout=timeout, message=f"{count} taken"
        )
        return self.taken

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def test_what_is_acknowledged_does_not_come_again(bus: Bus) -> None:
    await fill(bus, 20)
    seen = []
    async with aclosing(bus.consume(POSTS, group="match")) as deliveries:
        async for delivery in deliveries:
            seen.append((delivery.sequence, delivery.deliveries))
            await delivery.ack()
            if len(seen) == 20:
                break
    assert seen == [(number, 1) for number in range(1, 21)]
    await eventually_async(lambda: settled(bus, 20), message="all acknowledged")
    await fill(bus, 1)
    async with aclosing(bus.consume(POSTS, group="match")) as deliveries:
        assert (await anext(deliveries)).sequence == 21


async def test_a_delivery_carries_the_message(bus: Bus) -> None:
    await fill(bus, 1)
    async with aclosing(bus.consume(POSTS, group="match")) as deliveries:
        delivery = await anext(deliveries)
    stored = await bus.get(POSTS, 1)
    assert stored is not None
    assert (delivery.data, delivery.subject, delivery.time) == (
        stored.data,
        stored.subject,
        stored.time,
    )
    assert (delivery.stream, delivery.group) == (POSTS, "match")


async def test_a_group_begins_with_what_was_there_before_it(bus: Bus) -> None:
    assert await bus.consumer(POSTS, "match") is None
    await fill(bus, 3)
    await bus.trim(POSTS, through=1)
    async with aclosing(bus.consume(POSTS, group="match")) as deliveries:
        assert (await anext(deliveries)).sequence == 2


async def test_a_worker_never_has_more_than_it_may(bus: Bus) -> None:
    await fill(bus, 50)
    worker = Worker(bus, max_in_flight=3)
    await worker.took(3)
    assert (await state(bus)).in_flight == 3
    await worker.taken[1].ack()
    await worker.took(4)
    assert len(worker.taken) == 4
    assert (await state(bus)).in_flight == 3
    await worker.stop()


async def test_a_worker_that_may_have_nothing_is_refused(bus: Bus) -> None:
    with pytest.raises(ValueError, match="max_in_flight is 0"):
        bus.consume(POSTS, group="match", max_in_flight=0)


async def test_deliveries_that_are_dropped_do_not_stop_a_worker(bus: Bus) -> None:
    await fill(bus, 6)
    worker = Worker(bus, max_in_flight=2)
    taken = await worker.took(6, timeout=6 * ACK_WAIT)
    assert {delivery.sequence for delivery in taken} >= {1, 2}
    await worker.stop()


async def test_workers_share_the_stream(bus: Bus, server: EmbeddedServer) -> None:
    async with connect("embedded:", name="second", state=server.state) as other:
        workers = Worker(bus), Worker(other)
        await eventually_async(
            lambda: bus.consumer(POSTS, "match"), message="the group"
        )
        await fill(bus, 16)
        await eventually_async(
            lambda: sum(len(worker.taken) for worker in workers) == 16
        )
        assert all(len(worker.taken) == 8 for worker in workers)
        taken = [delivery for worker in workers for delivery in worker.taken]
        assert sorted(delivery.sequence for delivery in taken) == [*range(1, 17)]
        for worker in workers:
            await worker.stop()


async def test_what_a_dead_worker_had_goes_to_another(
    bus: Bus, server: EmbeddedServer
) -> None:
    await fill(bus, 3)
    async with connect("embedded:", name="dying", state=server.state) as dying:
        await Worker(dying).took(3)
    worker = Worker(bus)
    taken = await worker.took(3, timeout=5 * ACK_WAIT)
    assert [delivery.sequence for delivery in taken] == [1, 2, 3]
    assert [delivery.deliveries for delivery in taken] == [2, 2, 2]
    await worker.stop()


async def test_a_delivery_that_is_kept_alive_stays_with_its_worker(bus: Bus) -> None:
    await fill(bus, 1)
    worker, other = Worker(bus, max_in_flight=1), Worker(bus, max_in_flight=1)
    await eventually_async(lambda: worker.taken or other.taken)
    (delivery,) = worker.taken + other.taken
    async with keep_alive(delivery):
        await asyncio.sleep(3 * ACK_WAIT)
    await delivery.ack()
    await eventually_async(lambda: settled(bus, 1), message="acknowledged")
    assert len(worker.taken + other.taken) == 1
    await worker.stop()
    await other.stop()


async def test_what_waits_for_a_slow_worker_is_kept_alive(bus: Bus) -> None:
    await fill(bus, 4)
    deliveries = bus.consume(POSTS, group="match", max_in_flight=4, ack_wait=ACK_WAIT)
    seen = []
    async with aclosing(deliveries):
        async for delivery in deliveries:
            seen.append((delivery.sequence, delivery.deliveries))
            if delivery.sequence == 1:
                async with keep_alive(delivery):
                    await asyncio.sleep(2.5 * ACK_WAIT)
            await delivery.ack()
            if delivery.sequence == 4:
                break
    assert seen == [(1, 1), (2, 1), (3, 1), (4, 1)]


async def test_what_is_given_back_comes_again_at_once(bus: Bus) -> None:
    await fill(bus, 1)
    worker = Worker(bus)
    await worker.took(1)
    await worker.taken[0].nak()
    await worker.took(2, timeout=ACK_WAIT / 2)
    assert [delivery.deliveries for delivery in worker.taken] == [1, 2]
    await worker.stop()


async def test_what_is_given_back_with_a_delay_comes_again_after_it(bus: Bus) -> None:
    await fill(bus, 1)
    worker = Worker(bus)
    await worker.took(1)
    loop = asyncio.get_running_loop()
    started = loop.time()
    await worker.taken[0].nak(0.4)
    await worker.took(2)
    assert 0.35 <= loop.time() - started
    await worker.stop()


async def test_a_worker_that_leaves_gives_back_what_it_has_not_begun(
    bus: Bus,
) -> None:
    await fill(bus, 8)
    deliveries = bus.consume(POSTS, group="match", ack_wait=60)
    async with aclosing(deliveries):
        await (await anext(deliveries)).ack()
        await eventually_async(lambda: in_flight(bus, 7), message="the rest waits")
    worker = Worker(bus)
    taken = await worker.took(7)
    assert sorted(delivery.sequence for delivery in taken) == [*range(2, 9)]
    await worker.stop()


async def in_flight(bus: Bus, count: int) -> bool:
    return (await state(bus)).in_flight == count


async def test_a_group_goes_on_after_the_server_was_killed(
    bus: Bus, server: EmbeddedServer
) -> None:
    await fill(bus, 2)
    worker = Worker(bus, max_in_flight=4)
    await worker.took(2)
    await testing.restart(server)
    for delivery in worker.taken:
        await delivery.ack()
    await fill(bus, 2)

    def all_there() -> bool:
        return {delivery.sequence for delivery in worker.taken} == {1, 2, 3, 4}

    await eventually_async(all_there, timeout=5 * ACK_WAIT, message="the new ones")
    await worker.stop()


async def test_answers_while_the_server_is_away_do_not_fail(
    bus: Bus, server: EmbeddedServer
) -> None:
    await fill(bus, 3)
    worker = Worker(bus)
    await worker.took(3)
    await testing.kill(server)
    await eventually_async(lambda: not bus.connected, message="the loss")
    await worker.taken[0].ack()
    await worker.taken[1].heartbeat()
    await worker.taken[2].nak()
    await server.start()
    # None of the answers has arrived, so all of them come again.
    await worker.took(6, timeout=5 * ACK_WAIT)
    assert sorted(delivery.sequence for delivery in worker.taken[3:6]) == [1, 2, 3]
    await worker.stop()


async def test_a_group_that_was_deleted_by_hand_begins_again(bus: Bus) -> None:
    await fill(bus, 1)
    worker = Worker(bus)
    await worker.took(1)
    await bus._link.client.jsm().delete_consumer(POSTS, "match")
    await worker.took(2)
    assert worker.taken[1].sequence == 1
    await worker.stop()
