"""Batches for the tests of every room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pyarrow as pa

from rookery.records._schemas import MATCH, POST

NOW = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)

_LISTS = ("links", "media", "rules", "spans", "hashtags", "mentions", "domains")


def post_batch(rows: Iterable[Mapping[str, object]]) -> pa.RecordBatch:
    """Makes posts.

    Args:
        rows: What is said of each post. By default it is the n-th of source `test`, was
            written and taken in at `NOW`, has some text, and no more.

    Returns:
        Of schema `POST`.
    """
    return pa.RecordBatch.from_pylist(
        [_filled(row, number, POST) for number, row in enumerate(rows)], schema=POST
    )


def match_batch(rows: Iterable[Mapping[str, object]]) -> pa.RecordBatch:
    """Makes matched posts.

    Args:
        rows: What is said of each, as for `post_batch`; by default no rule matched.

    Returns:
        Of schema `MATCH`.
    """
    return pa.RecordBatch.from_pylist(
        [_filled(row, number, MATCH) for number, row in enumerate(rows)], schema=MATCH
    )


def _filled(
    row: Mapping[str, object], number: int, schema: pa.Schema
) -> dict[str, object]:
    unknown = set(row) - set(schema.names)
    if unknown:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    source = row.get("source", "test")
    filled: dict[str, object] = {
        name: [] for name in schema.names if name in _LISTS
    } | {
        "id": f"{source}:{number}",
        "source": source,
        "text": f"text number {number}",
        "created_at": NOW,
        "ingested_at": NOW,
        "time_suspect": False,
    }
    if "row" in schema.names:
        filled["row"] = number
    return filled | dict(row)
