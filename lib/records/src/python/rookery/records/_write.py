"""Batches of any of the schemas out, as text."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from rookery.records._arrow import Array
from rookery.records._json import json_lines, json_texts, plain

# An array of text holds 2 GiB, and what is escaped six times what it was.
_MAX_BYTES = 128 * 1024 * 1024


def to_jsonl(batch: pa.RecordBatch) -> bytes:
    """Writes JSON lines.

    Args:
        batch: Of any of the schemas, or of some of their columns.

    Returns:
        One object a line with a member for each column; times as RFC 3339 in UTC.
    """
    if not batch.num_rows:
        return b""
    if batch.nbytes > _MAX_BYTES and batch.num_rows > 1:
        half = batch.num_rows // 2
        return to_jsonl(batch.slice(0, half)) + to_jsonl(batch.slice(half))
    lines = json_lines(batch)
    _, offsets, data = lines.buffers()
    if offsets is None or data is None:
        return b""
    place = np.frombuffer(memoryview(offsets), np.int32)[lines.offset :]
    first, last = int(place[0]), int(place[len(lines)])
    return data.slice(first, last - first).to_pybytes()


def to_csv(batch: pa.RecordBatch, *, header: bool = True) -> bytes:
    """Writes CSV.

    Args:
        batch: Of any of the schemas, or of some of their columns.
        header: Whether the names of the columns come first.

    Returns:
        The header, and a record a row, in UTF-8; nulls are empty, lists are JSON arrays,
        times RFC 3339 in UTC.
    """
    columns = [_flat(column) for column in batch.columns]
    sink = io.BytesIO()
    table = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    pyarrow.csv.write_csv(table, sink, pyarrow.csv.WriteOptions(include_header=header))
    return sink.getvalue()


def to_parquet(batch: pa.RecordBatch) -> bytes:
    """Writes Parquet.

    Args:
        batch: Of any of the schemas.

    Returns:
        A file, compressed with Zstandard, with the name of the schema in its metadata.
    """
    sink = io.BytesIO()
    table = pa.Table.from_batches([batch])
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _flat(column: Array) -> Array:
    return json_texts(column) if pa.types.is_list(column.type) else plain(column)
