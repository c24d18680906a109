"""Which of the posts that were matched are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from rookery.matching._commands._options import Wanted
from rookery.records import MATCH, concat


def chosen(
    posts: pa.RecordBatch, found: pa.RecordBatch, wanted: Wanted
) -> pa.RecordBatch:
    """Chooses what is written of posts.

    Args:
        posts: The posts.
        found: Those of them that match, of schema `MATCH`.
        wanted: Which are wanted.

    Returns:
        Rows of `MATCH`, in the order of the posts; those no rule matches have no rules.
    """
    if wanted in (Wanted.MATCHES, Wanted.COUNTS):
        return found
    is_other = np.ones(posts.num_rows, np.bool_)
    is_other[found.column("row").to_numpy()] = False
    others = _unmatched(posts, np.flatnonzero(is_other))
    if wanted is Wanted.OTHERS:
        return others
    every = concat([found, others], MATCH)
    order = np.argsort(every.column("row").to_numpy())
    return every.take(pa.array(order, pa.int64()))


def _unmatched(
    posts: pa.RecordBatch, rows: np.typing.NDArray[np.int64]
) -> pa.RecordBatch:
    """Makes rows of `MATCH` of posts that no rule matches."""
    taken = posts.take(pa.array(rows, pa.int64()))
    columns: list[pa.Array[Any]] = []
    ends = pa.array(np.zeros(len(rows) + 1, np.int32), pa.int32())
    for field in MATCH:
        if field.name in taken.schema.names:
            columns.append(taken.column(field.name))
        elif field.name == "row":
            columns.append(pa.array(rows.astype(np.int32), pa.int32()))
        elif pa.types.is_list(field.type):
            none: pa.Array[Any] = pa.array([], field.type.value_type)
            columns.append(pa.ListArray.from_arrays(ends, none, type=field.type))
        else:
            columns.append(pa.nulls(len(rows), field.type))
    return pa.RecordBatch.from_arrays(columns, schema=MATCH)
