"""Posts in, matches out: a batch against a rule set, column by column."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from rookery.matching._program import Booleans, Integers, compile_rules
from rookery.matching._rules import RuleSet
from rookery.records import MATCH, POST, SPAN, SchemaError
from rookery.text import Hits, PhraseTable

# How many rules of a post get spans, and how many places of a term: a post that
# matches everything must still fit into a frame.
MAX_RULES_WITH_SPANS: Final = 64
MAX_SPANS_PER_TERM: Final = 16


class _Places(NamedTuple):
    """Hits sorted by `key`, which is row * phrases + phrase, then by start."""

    key: Integers
    start: Integers
    end: Integers


class _Pairs(NamedTuple):
    """Pairs of a row and a rule, sorted by both."""

    row: Integers
    rule: Integers


class Matcher:
    """An operator: `POST` batch in, `MATCH` batch out.

    Args:
        rules: The rules, which are compiled here.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._program = compile_rules(rules)
        self._table = PhraseTable.build(self._program.phrases)
        self._names = pa.array([rule.id for rule in rules.rules], pa.string())

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
        places = self._places(self._table.find(posts.column("text")))
        candidates = self._candidates(places)
        true = self._evaluate(places, candidates)
        pairs = _Pairs(candidates.row[true], candidates.rule[true])
        rows, per_row = np.unique(pairs.row, return_counts=True)
        return self._batch(posts, rows, per_row, pairs, places)

    def _places(self, hits: Hits) -> _Places:
        key = hits.row.astype(np.int64) * len(self._table) + hits.phrase
        order = np.argsort(key, kind="stable")
        return _Places(
            key[order],
            hits.start[order].astype(np.int64),
            hits.end[order].astype(np.int64),
        )

    def _candidates(self, places: _Places) -> _Pairs:
        """Returns the pairs in which an anchor of the rule stands in the row."""
        program = self._program
        if not len(places.key):
            return _Pairs(places.key, places.key)
        row, phrase = np.divmod(np.unique(places.key), len(self._table))
        first = program.first_anchored[phrase]
        index, owner = _ranges(first, program.first_anchored[phrase + 1] - first)
        rules = len(self.rules)
        pair = np.unique(row[owner] * rules + program.anchored[index])
        return _Pairs(*np.divmod(pair, rules))

    def _evaluate(self, places: _Places, pairs: _Pairs) -> Booleans:
        """Evaluates candidates, all rules of one shape at a time."""
        program = self._program
        true = np.zeros(len(pairs.row), dtype=np.bool_)
        shape_of = program.shape_of[pairs.rule]
        for shape in np.unique(shape_of):
            chosen = np.flatnonzero(shape_of == shape)
            first = program.first_term[pairs.rule[chosen]]
            width = program.first_term[pairs.rule[chosen[0]] + 1] - first[0]
            phrase = program.terms[first[:, np.newaxis] + np.arange(width)]
            wanted = pairs.row[chosen][:, np.newaxis] * len(self._table) + phrase
            true[chosen] = program.shapes[shape](_contains(places.key, wanted))
        return true

    def _batch(
        self,
        posts: pa.RecordBatch,
        rows: Integers,
        per_row: Integers,
        pairs: _Pairs,
        places: _Places,
    ) -> pa.RecordBatch:
        offsets = _offsets(per_row)
        rank = np.arange(len(pairs.row)) - np.repeat(offsets[:-1], per_row)
        shown = rank < MAX_RULES_WITH_SPANS
        spans, per_pair = self._spans(
            _Pairs(pairs.row[shown], pairs.rule[shown]), places
        )
        spans_per_pair = np.zeros(len(pairs.row), dtype=np.int64)
        spans_per_pair[shown] = per_pair
        span_offsets = np.concatenate(([0], np.cumsum(spans_per_pair)))[offsets]
        taken = posts.take(_int64(rows))
        columns: dict[str, pa.Array[Any]] = dict(
            zip(taken.schema.names, taken.columns, strict=True)
        )
        columns["row"] = _int32(rows)
        columns["rules"] = pa.ListArray.from_arrays(
            _int32(offsets),
            self._names.take(_int64(pairs.rule)),
            type=MATCH.field("rules").type,
        )
        columns["spans"] = pa.ListArray.from_arrays(
            _int32(span_offsets),
            spans,
            type=MATCH.field("spans").type,
        )
        none = _int32(np.zeros(len(rows) + 1, dtype=np.int64))
        for field in MATCH:
            if field.name in columns:
                continue
            if pa.types.is_list(field.type):
                empty = pa.array([], pa.string())
                columns[field.name] = pa.ListArray.from_arrays(
                    none, empty, type=field.type
                )
            else:
                columns[field.name] = pa.nulls(len(rows), field.type)
        return pa.RecordBatch.from_arrays(
            [columns[name] for name in MATCH.names], schema=MATCH
        )

    def _spans(self, pairs: _Pairs, places: _Places) -> tuple[pa.StructArray, Integers]:
        """Returns where the terms of matched rules stand, and how many each pair has."""
        program = self._program
        first = program.first_term[pairs.rule]
        term, owner = _ranges(first, program.first_term[pairs.rule + 1] - first)
        visible = program.shown[term]
        term, owner = term[visible], owner[visible]
        key = pairs.row[owner] * len(self._table) + program.terms[term]
        begin = np.searchsorted(places.key, key, side="left")
        count = np.searchsorted(places.key, key, side="right") - begin
        count = np.minimum(count, MAX_SPANS_PER_TERM)
        place, entry = _ranges(begin, count)
        pair = owner[entry]
        clause = term[entry] - first[pair]
        spans = pa.StructArray.from_arrays(
            [
                self._names.take(_int64(pairs.rule[pair])),
                pa.array(clause, pa.int16()),
                _int32(places.start[place]),
                _int32(places.end[place]),
            ],
            fields=list(SPAN),
        )
        return spans, np.bincount(pair, minlength=len(pairs.row))


def _ranges(begin: Integers, count: Integers) -> tuple[Integers, Integers]:
    """Writes out ranges: the numbers of all, and for each the range it is of."""
    owner = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    return begin[owner] + within, owner


def _contains(ordered: Integers, wanted: Integers) -> Booleans:
    """Tells which of the wanted numbers are among the ordered ones."""
    place = np.searchsorted(ordered, wanted)
    place[place == len(ordered)] = 0
    found: Booleans = ordered[place] == wanted
    return found


def _offsets(counts: Integers) -> Integers:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _int32(values: Integers) -> pa.Int32Array:
    return pa.array(values.astype(np.int32), pa.int32())


def _int64(values: Integers) -> pa.Int64Array:
    return pa.array(values, pa.int64())
