"""The schemas everybody shares, and what follows from them alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from rookery.records._arrow import Array
from rookery.records._arrow import kernels as pc
from rookery.records._errors import SchemaError

SCHEMA_VERSION = 1
SCHEMA_KEY = b"rookery.schema"

TIME = pa.timestamp("us", "UTC")
STRINGS = pa.list_(pa.string())
SPAN = pa.struct(
    [
        pa.field("rule", pa.string()),
        pa.field("clause", pa.int16()),
        pa.field("start", pa.int32()),
        pa.field("end", pa.int32()),
    ]
)


def _schema(name: str, *fields: tuple[str, pa.DataType]) -> pa.Schema:
    # A question mark behind a name: the column may hold nulls.
    return pa.schema(
        [
            pa.field(field.rstrip("?"), kind, nullable=field.endswith("?"))
            for field, kind in fields
        ],
        metadata={SCHEMA_KEY: f"{name}/{SCHEMA_VERSION}".encode()},
    )


_POST: tuple[tuple[str, pa.DataType], ...] = (
    ("id", pa.string()),
    ("source", pa.string()),
    ("author?", pa.string()),
    ("author_name?", pa.string()),
    ("text", pa.string()),
    ("language?", pa.string()),
    ("created_at", TIME),
    ("ingested_at", TIME),
    ("time_suspect", pa.bool_()),
    ("url?", pa.string()),
    ("reply_to?", pa.string()),
    ("repost_of?", pa.string()),
    ("quote_of?", pa.string()),
    ("likes?", pa.int64()),
    ("reposts?", pa.int64()),
    ("replies?", pa.int64()),
    ("followers?", pa.int64()),
    ("links", STRINGS),
    ("media", STRINGS),
)

POST = _schema("post", *_POST)
MATCH = _schema(
    "match",
    *_POST,
    ("row", pa.int32()),
    ("rules", STRINGS),
    ("spans", pa.list_(SPAN)),
    ("detected_language?", pa.string()),
    ("sentiment?", pa.float32()),
    ("hashtags", STRINGS),
    ("mentions", STRINGS),
    ("domains", STRINGS),
)
CUBE = _schema(
    "cube",
    ("minute", TIME),
    ("rule?", pa.string()),
    ("source", pa.string()),
    ("language?", pa.string()),
    ("posts", pa.int64()),
    ("positive", pa.int64()),
    ("neutral", pa.int64()),
    ("negative", pa.int64()),
    ("sentiment_sum", pa.float64()),
    ("engagement", pa.int64()),
)


def name_of(schema: pa.Schema) -> str:
    """Says which schema this is.

    Args:
        schema: Any schema.

    Returns:
        Name and version, as in `post/1`; `unnamed` where its metadata does not say.
    """
    name = (schema.metadata or {}).get(SCHEMA_KEY, b"unnamed")
    return name.decode("ascii", "replace")


def require_schema(batch: pa.RecordBatch, schema: pa.Schema) -> None:
    """Refuses a batch of another schema.

    Args:
        batch: The batch; the metadata of its schema is not looked at.
        schema: What it must have.

    Raises:
        SchemaError: If it has another one; the text names the first difference.
    """
    if not batch.schema.equals(schema):
        raise SchemaError(
            f"the batch is not of schema {name_of(schema)}: "
            f"{_difference(batch.schema, schema)}"
        )


def _difference(given: pa.Schema, wanted: pa.Schema) -> str:
    for name in wanted.names:
        if name not in given.names:
            return f"it has no column {name!r}"
        if not given.field(name).equals(wanted.field(name)):
            return f"{_shown(given.field(name))}, and not {_shown(wanted.field(name))}"
    extra = [name for name in given.names if name not in wanted.names]
    if extra:
        return f"nobody knows its column {extra[0]!r}"
    return "its columns stand in another order, or one is there twice"


def _shown(field: pa.Field[Any]) -> str:
    nullable = "" if field.nullable else " not null"
    return f"{field.name} is {field.type}{nullable}"


def empty(schema: pa.Schema) -> pa.RecordBatch:
    """Makes a batch of no rows.

    Args:
        schema: Its schema.

    Returns:
        The batch.
    """
    return pa.RecordBatch.from_pylist([], schema=schema)


def concat(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """Puts batches behind each other.

    Args:
        batches: Any number of them, none too.
        schema: The schema that each has, and the result.

    Returns:
        One batch of all rows, in order. A batch of another schema raises `SchemaError`.
    """
    parts = list(batches)
    for part in parts:
        require_schema(part, schema)
    if not parts:
        return empty(schema)
    columns = [
        pa.concat_arrays([part.column(name) for part in parts]) for name in schema.names
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def counted_at(batch: pa.RecordBatch) -> Array:
    """Says under which time each post is counted.

    Args:
        batch: A batch of `POST` or `MATCH`, or any with their three columns of times.

    Returns:
        timestamp[us, UTC], one per row: `created_at`, or `ingested_at` where that is
        suspect.
    """
    times: Array = pc.if_else(
        batch.column("time_suspect"),
        batch.column("ingested_at"),
        batch.column("created_at"),
    )
    return times
