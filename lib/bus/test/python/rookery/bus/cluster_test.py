"""A cluster loses a server, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from rookery.bus import (
    MATCHES,
    POSTS,
    AlreadyStored,
    Bus,
    Unavailable,
    WrongLast,
    connect,
    testing,
)
from rookery.service.testing import eventually_async

pytestmark = [pytest.mark.integration, pytest.mark.asyncio, pytest.mark.timeout(180)]

FRAMES = 900
FRAME = 2_000


@pytest_asyncio.fixture
async def cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[testing.Cluster]:
    monkeypatch.setenv("ROOKERY_BUS_REPLICAS", "3")
    monkeypatch.setenv("ROOKERY_BUS_STORE", "1GB")
    async with testing.cluster(tmp_path) as running:
        yield running


async def ingest(bus: Bus, sent: list[int]) -> None:
    last = 0
    for number in range(1, FRAMES + 1):
        data = number.to_bytes(4, "big") * (FRAME // 4)
        while True:
            try:
                last = await bus.publish(
                    POSTS, data, subject="posts.s", expect_last=last, timeout=2
                )
                break
            except Unavailable:
                continue
            except WrongLast as error:
                last = error.actual
                break
        sent.append(number)


async def match(bus: Bus, answered: set[int]) -> None:
    async with aclosing(bus.consume(POSTS, group="match", ack_wait=2)) as deliveries:
        async for delivery in deliveries:
            subject = f"matches.{delivery.sequence}"
            while True:
                try:
                    await bus.publish(
                        MATCHES,
                        delivery.data,
                        subject=subject,
                        expect_last=0,
                        timeout=2,
                    )
                    break
                except AlreadyStored:
                    break
                except Unavailable:
                    await delivery.heartbeat()
            await delivery.ack()
            answered.add(delivery.sequence)
            if len(answered) == FRAMES:
                return


async def follow(bus: Bus, seen: list[int]) -> None:
    async with aclosing(bus.read(POSTS)) as messages:
        async for message in messages:
            assert int.from_bytes(message.data[:4], "big") == message.sequence
            seen.append(message.sequence)
            if len(seen) == FRAMES:
                return


async def test_any_server_may_die_and_nothing_is_lost_or_doubled(
    cluster: testing.Cluster,
) -> None:
    sent: list[int] = []
    seen: list[int] = []
    answered: set[int] = set()
    async with (
        connect(cluster.url, name="ingest") as first,
        connect(cluster.url, name="match") as second,
        connect(cluster.url, name="reader") as third,
    ):
        work = asyncio.gather(
            ingest(first, sent), match(second, answered), follow(third, seen)
        )
        for node in range(3):
            due = (node + 1) * FRAMES // 4

            def reached(due: int = due) -> bool:
                return len(sent) >= due or work.done()

            await eventually_async(reached, timeout=60, message=f"{due} frames")
            await cluster.kill(node)
            before = len(sent)

            def goes_on(before: int = before) -> bool:
                return len(sent) >= before + 20 or work.done()

            await eventually_async(goes_on, timeout=30, message="it goes on without")
            await cluster.start(node)
            await eventually_async(
                lambda: whole(third), timeout=30, message="all servers are back"
            )
        await asyncio.wait_for(work, 60)
        assert seen == [*range(1, FRAMES + 1)]
        state = await third.state(MATCHES)
        assert (state.messages, state.last) == (FRAMES, FRAMES)
        assert answered == {*range(1, FRAMES + 1)}


async def whole(bus: Bus) -> bool:
    """Whether every replica of both streams has everything."""
    for stream in (POSTS, MATCHES):
        try:
            info = await bus._link.client.jsm().stream_info(stream)
        except Exception:
            return False
        replicas = (info.cluster and info.cluster.replicas) or []
        if len(replicas) < 2 or not all(one.current for one in replicas):
            return False
    return True


async def test_streams_and_buckets_are_kept_three_times(
    cluster: testing.Cluster,
) -> None:
    async with connect(cluster.url, name="test") as bus:
        await bus.values("RULES").put("current", b"v1")
        await bus.objects("rules").put("v1", b"text")
        for stream in (POSTS, MATCHES, "DEAD", "KV_RULES", "OBJ_rules"):
            info = await bus._link.client.jsm().stream_info(stream)
            assert info.config.num_replicas == 3
