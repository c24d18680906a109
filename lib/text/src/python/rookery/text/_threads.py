"""Work on slices of columns in threads, results in order."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import pyarrow as pa

Result = TypeVar("Result")
Sliced = TypeVar("Sliced", "pa.Array[Any]", pa.RecordBatch)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="rookery-text")


# Threads do not survive a fork: the child starts its own.
os.register_at_fork(after_in_child=_pool.cache_clear)


def over_slices(
    work: Callable[[Sliced], Result], rows: Sliced, threads: int
) -> list[tuple[int, Result]]:
    """Does work on slices of an array or a batch, one of them in this thread.

    Args:
        work: What is done; it must release the GIL to gain by this, and not do work on
            slices itself.
        rows: The array or the batch.
        threads: Into how many slices of nearly the same length it is cut, each for a
            thread; at most one for each row.

    Returns:
        The first row of each slice, and its result, in order.
    """
    length = len(rows)
    count = max(1, min(threads, length))
    if count == 1:
        return [(0, work(rows))]
    bounds = [length * index // count for index in range(count + 1)]
    slices = [
        rows.slice(start, end - start)
        for start, end in zip(bounds, bounds[1:], strict=False)
    ]
    others: list[Future[Result]] = [_pool().submit(work, part) for part in slices[1:]]
    first = work(slices[0])
    results = [first, *(other.result() for other in others)]
    return list(zip(bounds, results, strict=False))
