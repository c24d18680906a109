"""Posts in, matches out: a batch against a rule set, column by column."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from rookery.matching._eager import Eager
from rookery.matching._evidence import Evidence, distinct
from rookery.matching._lazy import Lazy
from rookery.matching._program import Booleans, Integers, Lists, compile_rules, ranges
from rookery.matching._rules import RuleSet
from rookery.records import MATCH, POST, SPAN, SchemaError, concat, empty
from rookery.text import over_slices

# How many rules of a post get spans, how many places of a term, and how many spans there
# are in all: a post that matches everything must still fit into a frame.
MAX_RULES_WITH_SPANS: Final = 64
MAX_SPANS_PER_TERM: Final = 16
MAX_SPANS: Final = 1024


class _Pairs(NamedTuple):
    """Pairs of a row and a rule, sorted by both."""

    row: Integers
    rule: Integers

    def where(self, chosen: Booleans) -> _Pairs:
        return _Pairs(self.row[chosen], self.rule[chosen])


class Matcher:
    """An operator: `POST` batch in, `MATCH` batch out.

    Args:
        rules: The rules; those that are enabled are compiled here.
        threads: How many slices of a batch are matched at the same time; the matches
            are the same for any number.

    Raises:
        ValueError: If there is to be no thread.
    """

    def __init__(self, rules: RuleSet, *, threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f"{threads} threads match nothing: give at least one")
        self.rules = rules
        self._threads = threads
        active = [rule for rule in rules.rules if rule.enabled]
        self._count = len(active)
        self._program = compile_rules([rule.expression.lowered for rule in active])
        self._eager = Eager(self._program)
        self._lazy = Lazy(self._program)
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
        found = over_slices(self._match, posts, self._threads)
        if len(found) == 1:
            return found[0][1]
        return concat((_shifted(part, first) for first, part in found), MATCH)

    def _match(self, posts: pa.RecordBatch) -> pa.RecordBatch:
        evidence = self._eager.find(posts)
        if not len(evidence.true):
            return empty(MATCH)
        candidates = self._candidates(evidence)
        candidates = candidates.where(self._evaluate(evidence, candidates, final=False))
        wanted = self._wanted(candidates, evidence.atoms)
        if len(wanted):
            evidence = evidence.merged(self._lazy.look(posts, evidence, wanted))
            candidates = candidates.where(self._evaluate(evidence, candidates))
        rows, per_row = np.unique(candidates.row, return_counts=True)
        return self._batch(posts, rows, per_row, candidates, evidence)

    def _candidates(self, evidence: Evidence) -> _Pairs:
        """Returns the pairs in which an anchor of the rule is true of the row."""
        anchored = self._program.anchored
        row, atom = np.divmod(evidence.true, evidence.atoms)
        index, owner = anchored.places(atom)
        pair = distinct(np.sort(row[owner] * self._count + anchored.values[index]))
        return _Pairs(*np.divmod(pair, self._count))

    def _wanted(self, pairs: _Pairs, atoms: int) -> Integers:
        """Returns the lazy atoms of candidates, as pairs of row and atom."""
        program = self._program
        if program.lazy == atoms:
            return np.empty(0, np.int64)
        index, owner = program.terms.places(pairs.rule)
        atom = program.terms.values[index]
        lazy = atom >= program.lazy
        return distinct(np.sort(pairs.row[owner][lazy] * atoms + atom[lazy]))

    def _evaluate(
        self, evidence: Evidence, pairs: _Pairs, *, final: bool = True
    ) -> Booleans:
        """Evaluates candidates, all rules of one height at a time: few heights occur.

        Unless it is final, what lazy atoms say is left open: false is only what is
        false whatever they will say.
        """
        program = self._program
        true = program.certain[pairs.rule]
        height = program.height[program.shape[pairs.rule]]
        for number, levels in program.levels.items():
            chosen = np.flatnonzero(~true & (height == number))
            if len(chosen):
                some = _Pairs(pairs.row[chosen], pairs.rule[chosen])
                values = self._leaves(evidence, some, final)
                true[chosen] = self._joined(values, some, levels)
        return true

    def _leaves(self, evidence: Evidence, pairs: _Pairs, final: bool) -> Booleans:
        program = self._program
        index, owner = program.terms.places(pairs.rule)
        atom = program.terms.values[index]
        values = evidence.holds(pairs.row[owner], atom) ^ program.negated[index]
        return values if final else values | (atom >= program.lazy)

    def _joined(
        self, values: Booleans, pairs: _Pairs, levels: tuple[Lists, ...]
    ) -> Booleans:
        """Joins leaves, level by level."""
        shape = self._program.shape[pairs.rule]
        for level, groups in enumerate(levels, 1):
            index, _ = groups.places(shape)
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
        evidence: Evidence,
    ) -> pa.RecordBatch:
        offsets = _offsets(per_row)
        shown = _rank(pairs.row) < MAX_RULES_WITH_SPANS
        spans, per_pair = self._spans(pairs.where(shown), evidence)
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

    def _spans(
        self, pairs: _Pairs, evidence: Evidence
    ) -> tuple[pa.StructArray, Integers]:
        """Returns where the leaves of matched rules stand, and how many each pair has."""
        program = self._program
        term, owner = program.terms.places(pairs.rule)
        shown = ~program.negated[term]
        term, owner = term[shown], owner[shown]
        begin, count = evidence.places(pairs.row[owner], program.terms.values[term])
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
                _int32(evidence.start[place]),
                _int32(evidence.end[place]),
            ],
            fields=list(SPAN),
        )
        return spans, np.bincount(pair, minlength=len(pairs.row))


def _shifted(matches: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """Counts rows from the start of the batch, and not of its slice."""
    rows = np.asarray(matches.column("row")) + first
    return matches.set_column(
        matches.schema.get_field_index("row"), MATCH.field("row"), _int32(rows)
    )


def _rank(values: Integers) -> Integers:
    """Numbers equal values that follow each other, from 0."""
    first = np.flatnonzero(np.diff(values, prepend=-1))
    return np.arange(len(values)) - np.repeat(first, np.diff(first, append=len(values)))


def _offsets(counts: Integers) -> Integers:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _int32(values: Integers) -> pa.Int32Array:
    return pa.array(values.astype(np.int32), pa.int32())


def _int64(values: Integers) -> pa.Int64Array:
    return pa.array(values, pa.int64())
