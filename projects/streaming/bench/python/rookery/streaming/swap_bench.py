"""How long a change of 100,000 rules takes to reach the matches, and what it costs.

A match worker runs as a process of its own while frames of posts keep coming, 25 a
second. Rules are changed meanwhile: all of them put anew, one of them changed, and the
first set put again. For each change the table shows how long until it was stored, how
long from then to the first frame that was matched by it, the longest time between two
results, and how many frames have no result or more than one in the end: the baseline is
the same without any change.

    python projects/streaming/bench/python/rookery/streaming/swap_bench.py [rules]
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rookery.bus import MATCHES, POSTS, Bus, connect
from rookery.matching import RuleSet, store
from rookery.records import MatchOrigin, SourceOrigin, decode_origin, encode
from rookery.service.testing import eventually_async
from rookery.streaming.sources import generate
from rookery.streaming.testing import Platform, platform

RULES = 100_000
_PER_SECOND = 25
_POSTS = 1_000


@dataclass
class Seen:
    """A result: when it came, and by which rules."""

    at: float
    version: str
    frame: int


class Bench:
    """A worker under load.

    Args:
        bus: The bus.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.sent = 0
        self.seen: list[Seen] = []

    async def send(self) -> None:
        """Publishes frames at an even pace, without end."""
        now = datetime.now(UTC)
        frames = [
            encode(
                generate(n * _POSTS, _POSTS, seed=1, source="s", now=now).posts,
                SourceOrigin("s", b"", now),
            )
            for n in range(20)
        ]
        began = time.monotonic()
        for number, frame in enumerate(itertools.cycle(frames)):
            await asyncio.sleep(
                max(0.0, began + number / _PER_SECOND - time.monotonic())
            )
            await self._bus.publish(POSTS, frame, subject="posts.s")
            self.sent += 1

    async def watch(self) -> None:
        """Notes each result as it comes."""
        async for message in self._bus.read(MATCHES):
            origin = decode_origin(message.data)
            if isinstance(origin, MatchOrigin):
                seen = Seen(time.monotonic(), origin.ruleset, origin.sequence)
                self.seen.append(seen)

    async def measure(
        self, name: str, change: Callable[[], Awaitable[str]], settle: float = 3.0
    ) -> None:
        """Makes one change and prints a line of the table."""
        first = len(self.seen)
        began = time.monotonic()
        version = await change()
        stored = time.monotonic()

        def reached() -> bool:
            return any(one.version == version for one in self.seen[first:])

        await eventually_async(reached, timeout=120, message=name)
        reach = next(one.at for one in self.seen[first:] if one.version == version)
        await asyncio.sleep(settle)
        moments = [began, *(one.at for one in self.seen[first:])]
        longest = max(after - before for before, after in itertools.pairwise(moments))
        print(
            f"| {name} | {stored - began:.2f} | {max(0.0, reach - stored):.2f} |"
            f" {longest:.2f} |",
            flush=True,
        )


def made_up(count: int) -> RuleSet:
    """Rules of one to three made-up words, which seldom match, and some that do.

    Args:
        count: How many.

    Returns:
        The rules.
    """
    chance = random.Random(7)  # nosec B311
    words = ["".join(chance.choices("abcdefghijklmnopr", k=7)) for _ in range(40_000)]
    lines = [
        f"r{n} = {' '.join(chance.choices(words, k=chance.randint(1, 3)))}"
        + (" -drill" if n % 3 == 0 else "")
        for n in range(count - 1)
    ]
    return RuleSet.parse([*lines, "common = the OR fire"])


async def main(count: int, folder: Path) -> None:
    """Runs the benchmark.

    Args:
        count: How many rules.
        folder: For the server.
    """
    rules = made_up(count)
    other = made_up(count + 1)
    async with (
        platform(folder) as running,
        connect("embedded:", name="bench", state=running.state) as bus,
    ):
        await _measure(running, bus, rules, other)


async def _measure(running: Platform, bus: Bus, rules: RuleSet, other: RuleSet) -> None:
    first = await store.publish(bus, rules)
    running.worker()
    bench = Bench(bus)
    tasks = [asyncio.create_task(bench.send()), asyncio.create_task(bench.watch())]
    await eventually_async(lambda: bench.seen, timeout=120, message="the first result")
    await eventually_async(
        lambda: len(bench.seen) >= bench.sent - 2, timeout=120, message="caught up"
    )

    async def nothing() -> str:
        return first

    async def put(what: RuleSet) -> str:
        return await store.publish(bus, what)

    async def one() -> str:
        name = rules.rules[0].id
        expression = RuleSet.parse(["wildfire"])
        return (await store.edit(bus, store.Change(name, expression))).version

    print(f"{len(rules):,} rules, {_PER_SECOND * _POSTS:,} posts/s\n")
    print("| change | stored (s) | then first match (s) | longest pause (s) |")
    print("|---|---:|---:|---:|")
    await bench.measure("none (baseline)", nothing)
    await bench.measure("one rule of all", one)
    await bench.measure("all rules anew", lambda: put(other))
    await bench.measure("back again", lambda: put(rules))
    tasks[0].cancel()
    await eventually_async(
        lambda: len(bench.seen) >= bench.sent, timeout=120, message="all results"
    )
    tasks[1].cancel()
    frames = sorted(seen.frame for seen in bench.seen)
    lost = set(range(1, bench.sent + 1)).difference(frames)
    print(f"\n{bench.sent:,} frames sent, {len(frames):,} results, {len(lost)} lost")
    if lost or len(frames) != bench.sent:
        raise SystemExit(1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        wanted = int(sys.argv[1]) if len(sys.argv) > 1 else RULES
        asyncio.run(main(wanted, Path(temporary)))
