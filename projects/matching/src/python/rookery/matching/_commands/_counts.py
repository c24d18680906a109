"""How many posts each rule matches, as a table of its own."""

from __future__ import annotations

import io
from collections import Counter
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet

from rookery.matching._commands._options import Output
from rookery.matching._commands._table import printable
from rookery.records import to_csv, to_jsonl


def write_counts(counts: Counter[str], output: Output, to: BinaryIO) -> None:
    """Writes counts, the largest first.

    Args:
        counts: How many posts each rule matches, also where that is none.
        output: What to write them in.
        to: Where to.
    """
    ordered = counts.most_common()
    table = pa.RecordBatch.from_pydict(
        {
            "rule": pa.array([rule for rule, _ in ordered], pa.string()),
            "posts": pa.array([count for _, count in ordered], pa.int64()),
        }
    )
    match output:
        case Output.JSONL:
            to.write(to_jsonl(table))
        case Output.CSV:
            to.write(to_csv(table))
        case Output.PARQUET:
            sink = io.BytesIO()
            pyarrow.parquet.write_table(pa.Table.from_batches([table]), sink)
            to.write(sink.getvalue())
        case Output.TABLE:
            width = max((len(f"{count:,}") for _, count in ordered), default=0)
            for rule, count in ordered:
                to.write(f"{count:>{width},}  {printable(rule)}\n".encode())
    to.flush()
