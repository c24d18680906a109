"""How much of the log's speed the bus leaves, measured against nats-py alone.

Both sides publish and read the same frames on the same embedded server, in turns, so
that a noisy machine disturbs both; the table shows the median round of each and their
ratio. A frame is as large as 1,000 posts, and random, since a frame is compressed
already. The baselines do without what the bus adds: no expected sequence, no recovery,
no order check.

    python lib/bus/bench/python/rookery/bus/log_bench.py [rounds]
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import nats
from nats.js.client import JetStreamContext

from rookery.bus import MATCHES, POSTS, Bus, connect, testing

POSTS_PER_FRAME = 1000
FRAME_BYTES = 100_000
FRAMES = 1000
IN_FLIGHT = 16
BATCH = 64


async def _concurrently(publish: Callable[[int], Awaitable[object]]) -> None:
    numbers = iter(range(FRAMES))

    async def work() -> None:
        for number in numbers:
            await publish(number)

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


async def publish_bus(bus: Bus, frame: bytes, round_: int) -> None:
    """Publishes as a match worker does: each frame under a subject of its own."""

    async def publish(number: int) -> int:
        subject = f"matches.{round_}-{number}"
        return await bus.publish(MATCHES, frame, subject=subject, expect_last=0)

    await _concurrently(publish)


async def publish_raw(stream: JetStreamContext, frame: bytes, round_: int) -> None:
    """Publishes the same with nats-py."""

    async def publish(number: int) -> object:
        return await stream.publish(f"matches.raw-{round_}-{number}", frame)

    await _concurrently(publish)


async def read_bus(bus: Bus) -> None:
    """Reads all frames in order."""
    count = 0
    async with aclosing(bus.read(POSTS)) as messages:
        async for _ in messages:
            count += 1
            if count == FRAMES:
                return


async def read_raw(stream: JetStreamContext) -> None:
    """Fetches all frames in batches."""
    subscription = await stream.pull_subscribe("posts.>", stream=POSTS)
    count = 0
    while count < FRAMES:
        for message in await subscription.fetch(BATCH):
            await message.ack()
            count += 1
    await subscription.unsubscribe()


async def consume_bus(bus: Bus, round_: int) -> None:
    """Takes and acknowledges all frames as the only worker of a group."""
    count = 0
    group = f"group-{round_}"
    async with aclosing(
        bus.consume(POSTS, group=group, max_in_flight=IN_FLIGHT)
    ) as deliveries:
        async for delivery in deliveries:
            await delivery.ack()
            count += 1
            if count == FRAMES:
                return


async def _timed(work: Awaitable[None]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def measure(rounds: int) -> dict[str, list[float]]:
    """Runs all of it.

    Args:
        rounds: How often.

    Returns:
        Seconds of each round, by what was done.
    """
    seconds: dict[str, list[float]] = {}
    frame = os.urandom(FRAME_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        async with testing.server(Path(folder), max_store=8 << 30) as server:
            raw = await nats.connect(server.url)
            stream = raw.jetstream()
            async with connect(server.url, name="bench") as bus:
                for _ in range(FRAMES):
                    await bus.publish(POSTS, frame, subject="posts.bench")
                for round_ in range(rounds):
                    todo = {
                        "publish, nats-py": publish_raw(stream, frame, round_),
                        "publish, bus": publish_bus(bus, frame, round_),
                        "read, nats-py": read_raw(stream),
                        "read, bus": read_bus(bus),
                        "consume, bus": consume_bus(bus, round_),
                    }
                    for name, work in todo.items():
                        seconds.setdefault(name, []).append(await _timed(work))
                    state = await bus.state(MATCHES)
                    await bus.trim(MATCHES, through=state.last)
            await raw.close()
    return seconds


def main() -> None:
    """Prints the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = asyncio.run(measure(rounds))
    rate = {name: FRAMES / statistics.median(taken) for name, taken in seconds.items()}
    print(f"{FRAMES} frames of {FRAME_BYTES:,} bytes, median of {rounds} rounds")
    print(f"{'':20}{'frames/s':>12}{'MB/s':>10}{'posts/s':>14}{'of nats-py':>12}")
    for name, frames in rate.items():
        kind = name.partition(",")[0].replace("consume", "read")
        ratio = frames / rate[f"{kind}, nats-py"]
        print(
            f"{name:20}{frames:12,.0f}{frames * FRAME_BYTES / 1e6:10,.0f}"
            f"{frames * POSTS_PER_FRAME:14,.0f}{ratio:12.2f}"
        )


if __name__ == "__main__":
    main()
