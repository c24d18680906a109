import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rookery.analytics import Client, connect
from rookery.lake import Block, Lake
from rookery.operators import cube, merge_cubes
from rookery.records import CUBE, MATCH

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def matches(seed: int, rows: int) -> pa.RecordBatch:
    """Matched posts with everything that counting has to get right."""
    pick = random.Random(seed)  # nosec B311

    def row(n: int) -> dict[str, Any]:
        rules = pick.sample(["fire", "flood", "quake", "storm"], pick.randint(1, 3))
        return {
            "id": f"s:{seed}-{n}",
            "source": pick.choice(["files", "firehose"]),
            "text": "smoke over the valley " * pick.randint(1, 4),
            "language": pick.choice(["en", None]),
            "detected_language": pick.choice(["en", "de", None]),
            # Late and early posts: the same minutes occur in many blocks.
            "created_at": NOON + timedelta(seconds=pick.randint(0, 3000)),
            "ingested_at": NOON + timedelta(days=1, seconds=pick.randint(0, 300)),
            "time_suspect": pick.random() < 0.1,
            "likes": pick.choice([None, 0, 7]),
            "reposts": pick.choice([None, 3]),
            "replies": pick.choice([None, 1]),
            "sentiment": pick.choice([None, -1.0, -0.05, 0.05, 0.1, 0.7]),
            "row": n,
            "rules": rules,
            "spans": [{"rule": r, "clause": 0, "start": 0, "end": 5} for r in rules],
        } | {name: [] for name in ("links", "media", "hashtags", "mentions", "domains")}

    listed = [row(n) for n in range(rows)]
    return pa.RecordBatch.from_pylist(listed, schema=MATCH)


def block(first: int, last: int, *, rows: int = 50) -> Block:
    """A block as the archiver makes it: the cube is the sum of those of its frames."""
    frames = [matches(n, rows) for n in range(first, last + 1)]
    counted = merge_cubes([cube(frame) for frame in frames])
    return Block(
        epoch="e1",
        first=first,
        last=last,
        parts={
            "matches": pa.Table.from_batches(frames, MATCH),
            "cube": pa.Table.from_batches([counted], CUBE),
        },
        origin=last,
    )


def fill(lake: Lake, blocks: int = 12) -> None:
    lake.open_epoch("e1", starts={"posts": 1, "matches": 1})
    first = 1
    for n in range(blocks):
        last = first + n % 4
        rows = 0 if n % 5 == 4 else 50
        lake.matches.commit(block(first, last, rows=rows))
        first = last + 1


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake.open((tmp_path / "lake").as_uri())
    fill(lake)
    return lake


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    with connect(threads=2) as connected:
        yield connected


@pytest.fixture
def filler() -> Callable[[Lake, int], None]:
    return fill
