"""Posts in, matches out: a batch against a rule set, column by column."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from rookery.matching._program import Booleans, Integers, Lists, compile_rules, ranges
from rookery.matching._rules import RuleSet
from rookery.records import MATCH, POST, SPAN, SchemaError, empty
from rookery.text import PhraseTable

# How many rules of a post get spans, how many places of a term, and how many spans there
# are in all: a post that matches everything must still fit into a frame.
MAX_RULES_WITH_SPANS: Final = 64
MAX_SPANS_PER_TERM: Final = 16
MAX_SPANS: Final = 1024


class _Places(NamedTuple):
    """Hits sorted by `key`, which is row * phrases + phrase, then by start.

    `pairs` has the keys once each.
    """

    key: Integers
    pairs: Integers
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
        self._words = PhraseTable.build(self._program.words)
        self._symbols = PhraseTable.build(self._program.symbols, boundaries=False)
        self._phrases = len(self._words) + len(self._symbols)
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
        places = self._places(posts.column("text"))
        if not len(places.key):
            return empty(MATCH)
        candidates = self._candidates(places)
        true = self._evaluate(places, candidates)
        pairs = _Pairs(candidates.row[true], candidates.rule[true])
        rows, per_row = np.unique(pairs.row, return_counts=True)
        return self._batch(posts, rows, per_row, pairs, places)

    def _places(self, texts: pa.Array[Any]) -> _Places:
        hits = self._words.find(texts)
        row, phrase, start, end = hits.row, hits.phrase, hits.start, hits.end
        if len(self._symbols):
            more = self._symbols.find(texts)
            row = np.concatenate((row, more.row))
            phrase = np.concatenate((phrase, more.phrase + len(self._words)))
            start = np.concatenate((start, more.start))
            end = np.concatenate((end, more.end))
        key = row.astype(np.int64) * self._phrases + phrase
        order = np.argsort(key, kind="stable")
        key = key[order]
        return _Places(
            key,
            _distinct(key),
            start[order].astype(np.int64),
            end[order].astype(np.int64),
        )

    def _candidates(self, places: _Places) -> _Pairs:
        """Returns the pairs in which an anchor of the rule stands in the row."""
        anchored = self._program.anchored
        row, phrase = np.divmod(places.pairs, self._phrases)
        index, owner = anchored.places(phrase)
        rules = len(self.rules)
        pair = _distinct(np.sort(row[owner] * rules + anchored.values[index]))
        return _Pairs(*np.divmod(pair, rules))

    def _evaluate(self, places: _Places, pairs: _Pairs) -> Booleans:
        """Evaluates candidates, all rules of one height at a time: few heights occur."""
        program = self._program
        true = program.certain[pairs.rule]
        height = program.height[pairs.rule]
        for number, levels in program.levels.items():
            chosen = np.flatnonzero(~true & (height == number))
            if len(chosen):
                some = _Pairs(pairs.row[chosen], pairs.rule[chosen])
                true[chosen] = self._evaluate_levels(places, some, levels)
        return true

    def _evaluate_levels(
        self, places: _Places, pairs: _Pairs, levels: tuple[Lists, ...]
    ) -> Booleans:
        """Evaluates candidates of one height, level by level."""
        terms = self._program.terms
        index, owner = terms.places(pairs.rule)
        key = pairs.row[owner] * self._phrases + terms.values[index]
        values = _contains(places.pairs, key) ^ self._program.negated[index]
        for level, groups in enumerate(levels, 1):
            index, _ = groups.places(pairs.rule)
            sizes = groups.values[index]
            join = np.logical_or if level % 2 else np.logical_and
            values = join.reduceat(values, np.cumsum(sizes) - sizes)
        return values

    def _batch(
        self,
        posts: pa.RecordBatch,
        rows: Integers,
        per_row: Integers,
        pairs: _Pairs,
        places: _Places,
    ) -> pa.RecordBatch:
        offsets = _offsets(per_row)
        shown = _rank(pairs.row) < MAX_RULES_WITH_SPANS
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
        term, owner = program.terms.places(pairs.rule)
        shown = ~program.negated[term]
        term, owner = term[shown], owner[shown]
        key = pairs.row[owner] * self._phrases + program.terms.values[term]
        begin = np.searchsorted(places.key, key, side="left")
        count = np.searchsorted(places.key, key, side="right") - begin
        count = np.minimum(count, MAX_SPANS_PER_TERM)
        place, entry = ranges(begin, count)
        pair = owner[entry]
        # Spans of a post follow each other; the first of each are kept.
        kept = _rank(pairs.row[pair]) < MAX_SPANS
        place, entry, pair = place[kept], entry[kept], pair[kept]
        clause = term[entry] - program.terms.first[pairs.rule[pair]]
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


def _distinct(ordered: Integers) -> Integers:
    """Keeps one of each; unlike np.unique it knows that equal ones are neighbours."""
    kept: Integers = ordered[np.diff(ordered, prepend=-1) != 0]
    return kept


def _rank(values: Integers) -> Integers:
    """Numbers equal values that follow each other, from 0."""
    first = np.flatnonzero(np.diff(values, prepend=-1))
    return np.arange(len(values)) - np.repeat(first, np.diff(first, append=len(values)))


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
