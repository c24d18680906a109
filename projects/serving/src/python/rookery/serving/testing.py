"""What tests and benchmarks stand on: a real bus and lake, fed with made-up posts."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import structlog
from prometheus_client import CollectorRegistry

from rookery.bus import MATCHES, POSTS, Bus, EmbeddedServer, connect
from rookery.lake import Block, Commit, Lake
from rookery.matching import Matcher, RuleSet, store
from rookery.operators import cube, enrich
from rookery.records import MATCH, POST, MatchOrigin, SourceOrigin, encode
from rookery.service import Health, Process, Settings, Stop
from rookery.service.testing import Child, eventually_async, start_module
from rookery.serving._live import Live

MODULE = "rookery.serving"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = (
    "fire = wildfire OR brushfire",
    'power = "power cut" OR blackout',
    "storm = storm OR hail OR thunder",
    "coffee = coffee OR espresso",
)
_WORDS = (
    "wildfire near the ridge tonight",
    "another power cut downtown, wonderful",
    "hail and thunder all afternoon",
    "great espresso at the corner",
    "the blackout was terrible",
    "nothing to report today",
    "brushfire smoke over the valley, stay safe",
    "storm warning lifted, happy again",
)
_LANGUAGES = ("en", "en", "en", "de", None)


def post(number: int, at: datetime, text: str, **more: Any) -> dict[str, Any]:
    """One made-up post; what is not given is empty or unknown."""
    row: dict[str, Any] = {
        "id": f"made-up:{number:08}",
        "source": "made-up",
        "author": f"author{number % 17}",
        "text": text,
        "created_at": at,
        "ingested_at": at,
        "time_suspect": False,
        "links": [],
        "media": [],
        **more,
    }
    return {name: row.get(name) for name in POST.names}


def made_up(count: int, *, seed: int = 1, at: datetime = NOON) -> list[dict[str, Any]]:
    """Posts of the last two hours before a moment, in no order."""
    chance = random.Random(seed)  # nosec B311
    return [
        post(
            seed * 1_000_000 + number,
            at - timedelta(seconds=chance.randrange(7_200)),
            chance.choice(_WORDS),
            source=chance.choice(("made-up", "other")),
            language=chance.choice(_LANGUAGES),
            likes=chance.choice((None, 0, 3, 250)),
        )
        for number in range(count)
    ]


def matched(rows: Sequence[Mapping[str, Any]], rules: RuleSet) -> pa.RecordBatch:
    """What a match worker makes of posts."""
    return enrich(Matcher(rules)(pa.RecordBatch.from_pylist(list(rows), schema=POST)))


class Feed:
    """Does what ingest, match worker and archiver do, when it is told to.

    Args:
        server: The server that the bus is on.
        bus: The bus.
        lake: The lake.
        rules: What posts are matched with.
    """

    def __init__(
        self, server: EmbeddedServer, bus: Bus, lake: Lake, rules: RuleSet
    ) -> None:
        self.server = server
        self.bus = bus
        self.lake = lake
        self.rules = rules
        self.frames: dict[int, pa.RecordBatch] = {}
        self._accepted = 0

    async def publish(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Publishes one frame of posts and one of what matched; returns its place."""
        batch = pa.RecordBatch.from_pylist(list(rows), schema=POST)
        origin = SourceOrigin("made-up", b"", datetime.now(UTC))
        posts = await self.bus.publish(
            POSTS, encode(batch, origin), subject="posts.made-up"
        )
        matches = matched(rows, self.rules)
        found = MatchOrigin(self.bus.epoch, posts, self.rules.version, batch.num_rows)
        sequence = await self.bus.publish(
            MATCHES, encode(matches, found), subject=f"matches.{posts}", expect_last=0
        )
        self.frames[sequence] = matches
        self._accepted += batch.num_rows
        totals = {"read": self._accepted + 1, "accepted": self._accepted, "rejected": 1}
        await self.bus.values("INGEST").put("made-up", msgspec.json.encode(totals))
        return sequence

    def archive(self, through: int) -> Commit:
        """Commits the frames up to one of them to the lake, as one block."""
        if self.lake.current_epoch() is None:
            self.lake.open_epoch(self.bus.epoch, starts={"posts": 1, "matches": 1})
        first = self.lake.matches.watermark() + 1
        batches = [self.frames[sequence] for sequence in range(first, through + 1)]
        table = pa.Table.from_batches(batches, schema=MATCH)
        counted = pa.Table.from_batches([cube(batch) for batch in batches])
        return self.lake.matches.commit(
            Block(
                epoch=self.bus.epoch,
                first=first,
                last=through,
                parts={"matches": table, "cube": counted},
                origin=through,
                positions={},
            )
        )


@asynccontextmanager
async def platform(state: Path) -> AsyncIterator[Feed]:
    """A platform without processes: a server, a lake, published rules.

    Args:
        state: Folder of the platform.

    Yields:
        What feeds it.
    """
    async with (
        EmbeddedServer(state, max_store=64 * 1024 * 1024) as server,
        connect("embedded:", name="test", state=state) as bus,
    ):
        rules = RuleSet.parse(RULES)
        await store.publish(bus, rules)
        yield Feed(server, bus, Lake.open((state / "lake").as_uri()), rules)


@asynccontextmanager
async def following(feed: Feed, **options: Any) -> AsyncIterator[Live]:
    """What answers are computed from, once it has read everything."""
    settings = Settings()
    process = Process(
        name="test",
        settings=settings,
        stop=Stop(),
        health=Health(),
        registry=CollectorRegistry(),
        log=structlog.get_logger(),
    )
    live = Live(process, feed.bus, feed.lake, **options)
    task = asyncio.create_task(live.run())
    try:
        await eventually_async(
            lambda: process.health.ready or task.done(), timeout=30, message="ready"
        )
        yield live
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def served(
    feed: Feed, *, port: int | None = 0, **env: str
) -> AsyncIterator[tuple[httpx.AsyncClient, Child]]:
    """The serving process over a platform, and a client for it."""
    arguments = [] if port is None else ["--port", str(port)]
    environment = {"ROOKERY_STATE": str(feed.server.state), **env}
    with start_module(MODULE, *arguments, env=environment) as child:
        line = child.wait_for("dashboard: ", timeout=60)
        address = line.removeprefix("dashboard: ")
        async with httpx.AsyncClient(base_url=address, timeout=20) as client:
            yield client, child


async def ready(client: httpx.AsyncClient) -> None:
    """Waits until the serving process has read everything."""

    async def is_ready() -> bool:
        return (await client.get("/readyz")).status_code == 200

    await eventually_async(is_ready, timeout=30, message="/readyz")
