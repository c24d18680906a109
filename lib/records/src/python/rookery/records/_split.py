"""Cuts a batch so that each part fits one frame."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rookery.records._arrow import Array
from rookery.records._arrow import kernels as pc
from rookery.records._errors import FrameError

MAX_FRAME_BYTES = 256 * 1024
MAX_FRAME_POSTS = 1000

# What a frame has beside its rows: header, schema, padding of its buffers.
_OVERHEAD_BYTES = 8 * 1024

_Sizes: TypeAlias = NDArray[np.int64]


def split(
    batch: pa.RecordBatch,
    *,
    max_bytes: int = MAX_FRAME_BYTES,
    max_rows: int = MAX_FRAME_POSTS,
) -> list[pa.RecordBatch]:
    """Cuts a batch into slices each of which fits one frame.

    Sizes are those before compression, so a frame is never bigger than asked for, and
    usually half as big.

    Args:
        batch: Any batch.
        max_bytes: Most bytes of a frame.
        max_rows: Most rows of a frame.

    Returns:
        The slices, in order, without copies; none of an empty batch.

    Raises:
        FrameError: If a single row is bigger than a frame may be.
    """
    if not batch.num_rows:
        return []
    room = max_bytes - _OVERHEAD_BYTES
    if batch.num_rows <= max_rows and batch.nbytes <= room:
        return [batch]
    ends = np.cumsum(_row_bytes(batch))
    parts: list[pa.RecordBatch] = []
    start = used = 0
    while start < batch.num_rows:
        end = int(np.searchsorted(ends, used + room, side="right"))
        if end == start:
            size = int(ends[start]) - used
            raise FrameError(
                f"row {start} is too big for a frame: {size:,} bytes, {room:,} at most"
            )
        end = min(end, start + max_rows)
        parts.append(batch.slice(start, end - start))
        used = int(ends[end - 1])
        start = end
    return parts


def _row_bytes(batch: pa.RecordBatch) -> _Sizes:
    """Bytes that each row takes; a byte for each bit, so never too few."""
    sizes = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        sizes += _column_bytes(column)
    return sizes


def _column_bytes(column: Array) -> _Sizes:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _lengths(pc.binary_length(column)) + 5
    if pa.types.is_list(kind):
        counts = _lengths(pc.list_value_length(column))
        values = _sums(_column_bytes(pc.list_flatten(column)))
        ends = np.cumsum(counts)
        return np.asarray(values[ends] - values[ends - counts] + 5)
    if pa.types.is_struct(kind):
        sizes = np.ones(len(column), np.int64)
        for index in range(kind.num_fields):
            sizes += _column_bytes(pc.struct_field(column, [index]))
        return sizes
    return np.full(len(column), max(1, kind.bit_width // 8) + 1, np.int64)


def _sums(sizes: _Sizes) -> _Sizes:
    """Running sums, with a zero before them."""
    sums = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=sums[1:])
    return sums


def _lengths(counted: Array) -> _Sizes:
    return np.asarray(counted.fill_null(0), dtype=np.int64)
