"""What the lake is made of: epochs, blocks, commits and the files they name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import pyarrow as pa

from rookery.records import CUBE, MATCH, POST

# Which parts a dataset has. The first one holds the posts that give a commit its times.
PARTS: Mapping[str, Mapping[str, pa.Schema]] = {
    "posts": {"posts": POST},
    "matches": {"matches": MATCH, "cube": CUBE},
}

# A file may be without a commit for so long: its writer is still at work.
GRACE: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Epoch:
    """A stretch of the lake whose sequences belong to one pair of logs.

    Attributes:
        n: Its place in the lake, from 1.
        epoch: The random id that the logs carry.
        starts: By dataset, the first sequence of the log that belongs to it.
        closed: Why `repair` has closed it; None while it is open.
    """

    n: int
    epoch: str
    starts: Mapping[str, int]
    closed: str | None = None


@dataclass(frozen=True)
class Block:
    """What one commit is to add to a dataset.

    Attributes:
        epoch: Id of the logs.
        first: First sequence of the log that it covers, from 1.
        last: Last sequence that it covers. Frames that were dead or empty are covered.
        parts: The tables, by part. A part without rows makes no file.
        origin: Greatest sequence of POSTS that it covers.
        positions: By source, the position after its last frame in the block.
        posts: How many posts the frames it covers stand for.
    """

    epoch: str
    first: int
    last: int
    parts: Mapping[str, pa.Table]
    origin: int
    positions: Mapping[str, bytes] = field(default_factory=dict)
    posts: int = 0


@dataclass(frozen=True, slots=True)
class DataFile:
    """One immutable Parquet file.

    Attributes:
        part: What it holds.
        path: Where it is, from the root of the lake.
        rows: Number of rows.
        size: Bytes.
        sha256: Digest of its bytes, in hexadecimal digits.
    """

    part: str
    path: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One block that exists. It never changes.

    Attributes:
        id: Unique id; its files are named after it.
        dataset: Name of the dataset.
        epoch: Id of the logs.
        first: First sequence of the log that it covers.
        last: Last sequence that it covers.
        files: The files, in the order of the parts.
        rows: Rows by part, also of parts without a file.
        origin: Greatest sequence of POSTS that it covers.
        positions: By source, the position after its last frame in the block.
        first_event: Least time that a post in it is counted under; None without posts.
        last_event: Greatest such time.
        committed_at: When it was written.
        posts: How many posts the frames it covers stand for.
        generation: 0; greater for what compaction has rewritten.
        checksum: Digest of the record, in hexadecimal digits.
    """

    id: str
    dataset: str
    epoch: str
    first: int
    last: int
    files: tuple[DataFile, ...]
    rows: Mapping[str, int]
    origin: int
    positions: Mapping[str, bytes]
    first_event: datetime | None
    last_event: datetime | None
    committed_at: datetime
    posts: int = 0
    generation: int = 0
    checksum: str = ""
