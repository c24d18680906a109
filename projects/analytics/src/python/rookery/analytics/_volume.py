"""How many posts matched, counted anew from the matches in the lake."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pyarrow as pa

from rookery.analytics._engine import Client, connect
from rookery.analytics._errors import NotEqual
from rookery.lake import Commit, Lake, Snapshot
from rookery.operators import cube, merge_cubes
from rookery.records import CUBE

# One task reads about so many bytes: enough that starting it costs nothing beside.
_TASK_BYTES: Final = 32 * 1024 * 1024
_TASK_COMMITS: Final = 64
# What the cube is computed from; texts, the bulk of a file, are not read.
_COLUMNS: Final = (
    *("source", "language", "detected_language", "rules", "sentiment"),
    *("created_at", "ingested_at", "time_suspect", "likes", "reposts", "replies"),
)


def volume(
    lake: Lake, *, at: int | None = None, client: Client | None = None
) -> pa.Table:
    """Counts the matched posts by minute, rule, source and language.

    The operator is the one that counts live, so the result equals the sum of the cubes
    that were committed with the posts, at every watermark.

    Args:
        lake: The lake.
        at: Only commits that end at this sequence of the current log or before; None for
            all.
        client: What computes it; None: one thread of this process.

    Returns:
        A sorted table of the schema `CUBE`. Rows of rule null count each post once.
    """
    return volume_of(lake.matches.snapshot(at=at), client=client)


def volume_of(snapshot: Snapshot, *, client: Client | None = None) -> pa.Table:
    """Counts the matched posts of a snapshot; see `volume`.

    Args:
        snapshot: A snapshot of the matches.
        client: What computes it; None: one thread of this process.

    Returns:
        A sorted table of the schema `CUBE`.
    """
    if client is None:
        with connect() as own:
            return volume_of(snapshot, client=own)
    counted = client.map_reduce(divide(snapshot), count, merge_cubes)
    return pa.Table.from_batches([counted], schema=CUBE)


def committed(snapshot: Snapshot) -> pa.Table:
    """Adds up the cubes that were counted live.

    Args:
        snapshot: A snapshot of the matches.

    Returns:
        A sorted table of the schema `CUBE`.
    """
    return pa.Table.from_batches([merge_cubes(snapshot.table("cube"))], schema=CUBE)


def compare(live: pa.Table, batch: pa.Table, *, watermark: int) -> None:
    """Compares what was counted live with what batch counts.

    Args:
        live: The sum of the committed cubes.
        batch: What was counted anew.
        watermark: Up to where both have counted.

    Raises:
        NotEqual: If they differ; the text names the first row that does.
    """
    if live.equals(batch):
        return
    live_rows = {tuple(row.values()) for row in live.to_pylist()}
    batch_rows = {tuple(row.values()) for row in batch.to_pylist()}
    differing = live_rows ^ batch_rows
    first = min(differing, key=lambda row: tuple(map(str, row)))
    side = "live" if first in live_rows else "batch"
    raise NotEqual(
        f"live and batch differ at watermark {watermark} in {len(differing)} rows of "
        f"{len(live_rows | batch_rows)}; only {side} has "
        f"{dict(zip(CUBE.names, map(str, first), strict=True))}: see whether the files "
        "are whole with `python -m rookery.lake check`"
    )


def divide(snapshot: Snapshot) -> list[Snapshot]:
    """Cuts a snapshot into pieces for one task each.

    Args:
        snapshot: The snapshot.

    Returns:
        Snapshots of consecutive commits; every commit with files is in one of them.
    """
    pieces: list[Snapshot] = []
    some: list[Commit] = []
    size = 0
    for commit in snapshot.commits:
        bytes_ = sum(file.size for file in commit.files if file.part == "matches")
        if not bytes_:
            continue
        if some and (size + bytes_ > _TASK_BYTES or len(some) >= _TASK_COMMITS):
            pieces.append(replace(snapshot, commits=tuple(some)))
            some, size = [], 0
        some.append(commit)
        size += bytes_
    if some:
        pieces.append(replace(snapshot, commits=tuple(some)))
    return pieces


def count(snapshot: Snapshot) -> pa.RecordBatch:
    """Counts the posts of a few commits, in constant memory.

    Args:
        snapshot: A snapshot of the matches.

    Returns:
        Their cube.
    """
    cubes: Sequence[pa.RecordBatch] = ()
    for batch in snapshot.batches("matches", columns=_COLUMNS):
        cubes = [merge_cubes([*cubes, cube(batch)])]
    return merge_cubes(cubes)
