"""Batches of any of the schemas out, as text."""

from __future__ import annotations

import io

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from rookery.records._arrow import Array
from rookery.records._arrow import kernels as pc


def to_jsonl(batch: pa.RecordBatch) -> bytes:
    """Writes JSON lines.

    Args:
        batch: Of any of the schemas.

    Returns:
        One object a line with a member for each column; times as RFC 3339 in UTC.
    """
    names = batch.schema.names
    columns = [_plain(column).to_pylist() for column in batch.columns]
    rows = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
    return msgspec.json.Encoder().encode_lines(rows)


def to_csv(batch: pa.RecordBatch) -> bytes:
    """Writes CSV.

    Args:
        batch: Of any of the schemas.

    Returns:
        A header and a record a row, in UTF-8; nulls are empty, lists are JSON arrays,
        times RFC 3339 in UTC.
    """
    columns = [_flat(_plain(column)) for column in batch.columns]
    sink = io.BytesIO()
    table = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    pyarrow.csv.write_csv(table, sink)
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


def _plain(column: Array) -> Array:
    """Makes text of times, which needs no time zones of the machine this way."""
    if not pa.types.is_timestamp(column.type):
        return column
    text = column.cast(pa.timestamp("us")).cast(pa.string())
    written: Array = pc.binary_join_element_wise(
        pc.replace_substring(text, " ", "T", max_replacements=1), "Z", ""
    )
    return written


def _flat(column: Array) -> Array:
    if not pa.types.is_list(column.type):
        return column
    # Most lists are the same one: empty.
    encoded = [
        "[]" if not value else msgspec.json.encode(value).decode()
        for value in column.to_pylist()
    ]
    return pa.array(encoded, pa.string())
