"""Counts of matched posts by minute, rule, source and language.

Cubes add up: the cube of two batches is the merge of their cubes, exactly, whatever their
order. Counts are whole numbers. Sums of sentiment are too, in a way: each sentiment is
rounded to a multiple of 2^-20 before, and sums of those are exact in float64 up to 2^33
posts, so that addition is associative here, in whichever engine it is done.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from rookery.operators._arrow import Array
from rookery.operators._arrow import kernels as pc
from rookery.records import CUBE, counted_at, empty

# VADER's own thresholds, of its compound score.
POSITIVE = 0.05
NEGATIVE = -0.05

_KEYS = ("minute", "rule", "source", "language")
_MEASURES = tuple(name for name in CUBE.names if name not in _KEYS)
_MINUTE = 60_000_000
_STEPS = 2.0**20


def cube(matches: pa.RecordBatch) -> pa.RecordBatch:
    """Counts matched posts.

    Args:
        matches: Of schema `MATCH`, enriched or not.

    Returns:
        Of schema `CUBE`, sorted by minute, rule, source and language, nulls last: a row
        for each combination that occurs, and one of rule null that counts each post once.
        The minute is that of the time a post is counted under; the language the declared
        one, else the identified one. A post without sentiment is neutral. Engagement is
        the sum of likes, reposts and replies.
    """
    if not matches.num_rows:
        return empty(CUBE)
    posts = _measures(matches)
    # Each post once for each of its rules, and once for none.
    rules = matches.column("rules")
    row = pc.list_parent_indices(rules)
    once = pa.array(np.arange(matches.num_rows), pa.int64())
    rows = pa.concat_arrays([row.cast(pa.int64()), once])
    exploded = pa.Table.from_batches([posts]).take(rows)
    names = pa.concat_arrays(
        [pc.list_flatten(rules), pa.nulls(matches.num_rows, pa.string())]
    )
    return _group(exploded.add_column(1, "rule", names))


def merge_cubes(cubes: Iterable[pa.RecordBatch] | pa.Table) -> pa.RecordBatch:
    """Adds cubes up.

    Args:
        cubes: Any number of `CUBE`, or a table of their rows in any order.

    Returns:
        One cube; the same for the same posts, however they were divided.
    """
    if isinstance(cubes, pa.Table):
        table = cubes.select(CUBE.names)
    else:
        table = pa.Table.from_batches(list(cubes), schema=CUBE)
    if not table.num_rows:
        return empty(CUBE)
    return _group(table)


def _measures(matches: pa.RecordBatch) -> pa.RecordBatch:
    """What each post adds, and under what."""
    rows = matches.num_rows
    time = np.asarray(counted_at(matches).cast(pa.int64()))
    sentiment = np.asarray(matches.column("sentiment").fill_null(0.0), np.float64)
    sentiment = np.clip(np.nan_to_num(sentiment, nan=0.0), -1.0, 1.0)
    # float32 of 0.05 is above 0.05 and of -0.05 below, so the limits are inside.
    positive = sentiment >= POSITIVE
    negative = sentiment <= NEGATIVE
    columns: dict[str, Array] = {
        "minute": pa.array(time - time % _MINUTE).view(CUBE.field("minute").type),
        "source": matches.column("source"),
        "language": pc.coalesce(
            matches.column("language"), matches.column("detected_language")
        ),
        "posts": pa.array(np.ones(rows, np.int64)),
        "positive": pa.array(positive.astype(np.int64)),
        "neutral": pa.array((~positive & ~negative).astype(np.int64)),
        "negative": pa.array(negative.astype(np.int64)),
        "sentiment_sum": pa.array(np.round(sentiment * _STEPS) / _STEPS),
        "engagement": _engagement(matches),
    }
    return pa.RecordBatch.from_pydict(columns)


def _engagement(matches: pa.RecordBatch) -> Array:
    total = matches.column("likes").fill_null(0)
    for name in ("reposts", "replies"):
        total = pc.add(total, matches.column(name).fill_null(0))
    return total


def _group(table: pa.Table) -> pa.RecordBatch:
    grouped = table.group_by(list(_KEYS), use_threads=False).aggregate(
        [(name, "sum") for name in _MEASURES]
    )
    columns = [grouped.column(name) for name in _KEYS]
    columns += [grouped.column(f"{name}_sum") for name in _MEASURES]
    merged = pa.Table.from_arrays(columns, names=[*_KEYS, *_MEASURES])
    order = pc.sort_indices(merged, sort_keys=[(name, "ascending") for name in _KEYS])
    cells = merged.take(order).select(CUBE.names).cast(CUBE).combine_chunks()
    return cells.to_batches()[0]
