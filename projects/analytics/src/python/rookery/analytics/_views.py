"""A cube by fewer dimensions, and how it is written."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from rookery.analytics._options import By, Format

MEASURES: Final = (
    *("posts", "positive", "neutral", "negative", "sentiment_sum", "engagement"),
)


def view(cube: pa.Table, by: Sequence[By]) -> pa.Table:
    """Counts by some of the dimensions.

    Args:
        cube: A table of the schema `CUBE`.
        by: The dimensions, each once; none: one row for everything. A post that matched
            several rules counts under each of them. Without `rule` each post counts once.

    Returns:
        A column for each dimension, then the measures; sorted, nulls last.
    """
    has_rule = pc.is_valid(cube["rule"])
    table = cube.filter(has_rule if By.RULE in by else pc.invert(has_rule))
    table = table.append_column("day", pc.floor_temporal(table["minute"], unit="day"))
    keys = [str(each) for each in by]
    summed = table.group_by(keys, use_threads=False).aggregate(
        [(name, "sum") for name in MEASURES]
    )
    columns = [summed[key] for key in keys]
    # Without rows the sum of nothing is null.
    columns += [
        pc.coalesce(summed[f"{name}_sum"], pa.scalar(0, cube.schema.field(name).type))
        for name in MEASURES
    ]
    named = pa.Table.from_arrays(columns, names=[*keys, *MEASURES])
    if not keys:
        return named
    return named.sort_by([(key, "ascending") for key in keys])


def write(table: pa.Table, format_: Format) -> Iterator[str]:
    """Writes counts line by line.

    Args:
        table: Of `view`, or of the schema `CUBE`.
        format_: CSV (with a header; null is empty), JSON lines (null is null), or
            columns for people.

    Yields:
        Lines without their ends. Times are RFC 3339.
    """
    if format_ is Format.JSONL:
        for row in _rows(table):
            yield json.dumps(row, ensure_ascii=False)
        return
    lines = [table.column_names]
    lines += [["" if v is None else str(v) for v in r.values()] for r in _rows(table)]
    if format_ is Format.CSV:
        for line in lines:
            sink = io.StringIO()
            csv.writer(sink, lineterminator="").writerow(line)
            yield sink.getvalue()
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numeric = [not pa.types.is_string(f.type) for f in table.schema]
    for line in lines:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            yield {
                name: _moment(value) if isinstance(value, datetime) else value
                for name, value in row.items()
            }


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
