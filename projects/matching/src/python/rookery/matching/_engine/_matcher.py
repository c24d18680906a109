"""Posts in, matches out: a batch against a rule set, column by column."""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rookery.matching._engine._engine import Engine, Limits
from rookery.matching._rules import RuleSet
from rookery.records import MATCH, POST, SPAN, SchemaError, concat, empty
from rookery.text import Truths, over_slices

# How many rules of a post get spans, how many places of a term, and how many spans there
# are in all: a post that matches everything must still fit into a frame.
MAX_RULES_WITH_SPANS: Final = 64
MAX_SPANS_PER_TERM: Final = 16
MAX_SPANS: Final = 1024
# A slice that takes less is not worth a thread of its own: to hand it over, and to put
# the results together, takes about a third of that.
_WORTH_SECONDS: Final = 0.003


class Matcher:
    """An operator: `POST` batch in, `MATCH` batch out.

    Args:
        rules: The rules; those that are enabled are compiled here.
        threads: How many slices of a batch are matched at the same time, fewer where
            they would be small; the matches are the same for any number.

    Raises:
        ValueError: If there is to be no thread.
    """

    def __init__(self, rules: RuleSet, *, threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f"{threads} threads match nothing: give at least one")
        self.rules = rules
        self._threads = threads
        self._seconds_per_post = 0.0
        active = [rule for rule in rules.rules if rule.enabled]
        self._engine = Engine(
            [rule.expression.lowered for rule in active],
            Limits(
                rules=MAX_RULES_WITH_SPANS,
                of_leaf=MAX_SPANS_PER_TERM,
                of_post=MAX_SPANS,
            ),
            [rule.expression.node for rule in active],
        )
        self._names = pa.array([rule.id for rule in active], pa.string())

    def __call__(self, posts: pa.RecordBatch) -> pa.RecordBatch:
        """Matches a batch.

        Args:
            posts: A `POST` batch.

        Returns:
            A `MATCH` batch with one row for each post that some rule matches, in
            order; `row` leads back into `posts`. Columns that enrichment fills are null
            or empty.

        Raises:
            SchemaError: The batch is not one of posts.
        """
        if not posts.schema.equals(POST):
            raise SchemaError(f"posts are expected, not columns {posts.schema.names}")
        expected = self._seconds_per_post * posts.num_rows
        threads = max(1, min(self._threads, int(expected / _WORTH_SECONDS)))
        found = over_slices(self._match, posts, threads)
        if posts.num_rows:
            seconds = sum(taken for _, (_, taken) in found)
            self._seconds_per_post = seconds / posts.num_rows
        if len(found) == 1:
            return found[0][1][0]
        return concat((_shifted(part, first) for first, (part, _) in found), MATCH)

    def _match(self, posts: pa.RecordBatch) -> tuple[pa.RecordBatch, float]:
        """Matches a slice, and says how long the processor took for it."""
        began = time.thread_time()
        truths = self._engine.match(posts)
        found = self._batch(posts, truths) if len(truths.row) else empty(MATCH)
        return found, time.thread_time() - began

    def _batch(self, posts: pa.RecordBatch, truths: Truths) -> pa.RecordBatch:
        """Adds to posts what is true of them."""
        row = _int32(truths.row)
        taken = posts.take(row)
        columns: dict[str, pa.Array[Any]] = dict(
            zip(taken.schema.names, taken.columns, strict=True)
        )
        columns["row"] = row
        columns["rules"] = pa.ListArray.from_arrays(
            _offsets(truths.expressions),
            self._names.take(_int32(truths.expression)),
            type=MATCH.field("rules").type,
        )
        columns["spans"] = pa.ListArray.from_arrays(
            _offsets(truths.spans),
            pa.StructArray.from_arrays(
                [
                    self._names.take(_int32(truths.span_expression)),
                    pa.array(truths.clause.astype(np.int16)),
                    _int32(truths.start),
                    _int32(truths.end),
                ],
                fields=list(SPAN),
            ),
            type=MATCH.field("spans").type,
        )
        for field in MATCH:
            if field.name not in columns:
                columns[field.name] = _nothing(field.type, len(row))
        return pa.RecordBatch.from_arrays(
            [columns[name] for name in MATCH.names], schema=MATCH
        )


def _nothing(kind: Any, rows: int) -> Any:
    """Makes a column that enrichment fills: empty lists, or nulls."""
    if not isinstance(kind, pa.ListType):
        return pa.nulls(rows, kind)
    none = _int32(np.zeros(rows + 1, np.int32))
    return pa.ListArray.from_arrays(none, pa.array([], kind.value_type), type=kind)


def _offsets(counts: npt.NDArray[np.int32]) -> pa.Int32Array:
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    return _int32(offsets)


def _shifted(matches: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """Counts rows from the start of the batch, and not of its slice."""
    row = np.asarray(matches.column("row")) + np.int32(first)
    return matches.set_column(
        matches.schema.get_field_index("row"),
        MATCH.field("row"),
        _int32(row),
    )


def _int32(values: npt.NDArray[np.int32]) -> pa.Int32Array:
    return pa.array(values, pa.int32())
