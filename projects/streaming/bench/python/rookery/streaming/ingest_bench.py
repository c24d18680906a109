"""How many posts a second an ingest takes in, and where the time goes.

Each line takes the same synthetic posts one step further on the same embedded server, in
turns, so that a noisy machine disturbs all; the table shows the median round of each and
its share of the baseline, which only publishes frames made beforehand, one after the
other, as an ingest must.

    python projects/streaming/bench/python/rookery/streaming/ingest_bench.py [rounds]
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from rookery.bus import POSTS, Bus, connect
from rookery.bus.testing import server
from rookery.lake import Lake
from rookery.records import SourceOrigin, encode
from rookery.streaming._ingest import Ingest
from rookery.streaming._strings import strings
from rookery.streaming._window import Window
from rookery.streaming.sources import Files, Source, Synthetic, generate
from rookery.streaming.testing import process

COUNT = 100_000
_BATCH = 1000


class Bench:
    """The steps, on one server.

    Args:
        bus: The bus.
        folder: For the lake and the files.
    """

    def __init__(self, bus: Bus, folder: Path) -> None:
        self._bus = bus
        self._folder = folder
        self._round = 0
        now = datetime.now(UTC)
        self._batches = [
            generate(start, _BATCH, seed=1, source="s", now=now).posts
            for start in range(0, COUNT, _BATCH)
        ]
        self._frames = [
            encode(batch, SourceOrigin("s", b"", now)) for batch in self._batches
        ]

    async def publish(self) -> None:
        """The baseline: publishes frames that are there."""
        last, subject = 0, f"posts.raw-{self._round}"
        for frame in self._frames:
            last = await self._bus.publish(
                POSTS, frame, subject=subject, expect_last=last
            )

    async def generate(self) -> None:
        """Makes the posts."""
        for start in range(0, COUNT, _BATCH):
            generate(start, _BATCH, seed=1, source="s", now=datetime.now(UTC))

    async def encode(self) -> None:
        """Makes frames of posts that are there."""
        origin = SourceOrigin("s", b"", datetime.now(UTC))
        for batch in self._batches:
            encode(batch, origin)

    async def remember(self) -> None:
        """Looks for duplicates."""
        window = Window("s")
        for batch in self._batches:
            window.add(strings(batch["id"]))

    async def synthetic(self) -> None:
        """Ingests a synthetic source from beginning to end."""
        await self._ingest(Synthetic(name=f"syn-{self._round}", limit=COUNT))

    async def csv(self) -> None:
        """Ingests a CSV file from beginning to end."""
        await self._file("csv")

    async def jsonl(self) -> None:
        """Ingests a file of JSON lines from beginning to end."""
        await self._file("jsonl")

    async def _file(self, suffix: str) -> None:
        path = str(self._folder / f"posts.{suffix}")
        await self._ingest(Files([path], name=f"{suffix}-{self._round}"))

    async def _ingest(self, source: Source) -> None:
        lake = Lake.open((self._folder / "lake").as_uri())
        await Ingest(process(), self._bus, lake, source).run()

    async def clear(self) -> None:
        """Begins the next round with an empty log."""
        self._round += 1
        await self._bus.trim(POSTS, through=(await self._bus.state(POSTS)).last)

    def write(self) -> None:
        """Writes the files to read."""
        with (
            (self._folder / "posts.csv").open("w") as csv,
            (self._folder / "posts.jsonl").open("w") as jsonl,
        ):
            csv.write("id,text,created_at,author\n")
            for batch in self._batches:
                for post in batch.select(["id", "text", "author"]).to_pylist():
                    post["created_at"] = "2026-05-01T10:00:00Z"
                    post["id"] = post["id"].partition(":")[2]
                    jsonl.write(json.dumps(post) + "\n")
                    row = (post["id"], post["text"], post["created_at"], post["author"])
                    csv.write('{},"{}",{},{}\n'.format(*row))


async def run(rounds: int) -> None:
    """Prints the table.

    Args:
        rounds: How often each step is timed.
    """
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        async with (
            server(state),
            connect("embedded:", name="bench", state=state) as bus,
        ):
            bench = Bench(bus, Path(folder))
            bench.write()
            steps: dict[str, Callable[[], Awaitable[None]]] = {
                "publish ready frames (baseline)": bench.publish,
                "generate": bench.generate,
                "encode": bench.encode,
                "look for duplicates": bench.remember,
                "ingest synthetic": bench.synthetic,
                "ingest CSV": bench.csv,
                "ingest JSON lines": bench.jsonl,
            }
            seconds: dict[str, list[float]] = {name: [] for name in steps}
            for _ in range(rounds):
                for name, step in steps.items():
                    await bench.clear()
                    began = time.perf_counter()
                    await step()
                    seconds[name].append(time.perf_counter() - began)
    baseline = statistics.median(next(iter(seconds.values())))
    print(f"{'':<34}{'posts/s':>12}{'of baseline':>13}")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:<34}{COUNT / median:>12,.0f}{baseline / median:>12.0%}")


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
