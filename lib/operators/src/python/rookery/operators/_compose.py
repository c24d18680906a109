"""Operators: what is done to a batch, live and over the lake alike."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import pyarrow as pa

Operator = Callable[[pa.RecordBatch], pa.RecordBatch]


def compose(*operators: Operator) -> Operator:
    """Makes one operator of several.

    Args:
        *operators: Any number, in the order in which they are applied.

    Returns:
        The operator that applies them; without any, it returns its batch as it is.
    """

    def composed(batch: pa.RecordBatch) -> pa.RecordBatch:
        for operator in operators:
            batch = operator(batch)
        return batch

    return composed


def deduplicate(
    batch: pa.RecordBatch, *, seen: Collection[str] | None = None
) -> pa.RecordBatch:
    """Drops posts whose id was there before.

    Args:
        batch: Any batch with a column `id`.
        seen: Ids that count as there before the batch, a set or a dictionary; the batch
            alone without it.

    Returns:
        The first post of each id that has not been seen, in their order; the same batch
        if that is all of them.
    """
    ids = batch.column("id")
    encoded = ids.dictionary_encode()
    fresh = len(encoded.dictionary) == batch.num_rows
    if seen:
        known = [name in seen for name in encoded.dictionary.to_pylist()]
        fresh = fresh and not any(known)
    else:
        known = [False] * len(encoded.dictionary)
    if fresh:
        return batch
    _, firsts = np.unique(np.asarray(encoded.indices), return_index=True)
    keep = np.sort(firsts[~np.array(known, np.bool_)])
    return batch.take(pa.array(keep, pa.int64()))
