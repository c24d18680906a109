"""What rules would have matched: told before they go live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute
from typing_extensions import override

from rookery.matching._backtest._outcome import Backtest, Day
from rookery.matching._backtest._sampled import Samples
from rookery.matching._backtest._tally import Integers, Tally, ranges
from rookery.matching._engine._matcher import Matcher
from rookery.matching._lint._lint import FLOOD, MIN_MATCHES
from rookery.matching._rules import Rule, RuleSet
from rookery.records import POST, counted_at

SAMPLES: Final = 20
OVERLAPS: Final = 20

# Pairs of rules that are looked at together, so that memory stays flat.
_PAIRS: Final = 2_000_000
# A rule and a day in one number.
_DAYS: Final = 2**32
_DAY_0: Final = 2**31
_1970: Final = date(1970, 1, 1)

# The stubs type each kernel by the arrays it takes; results are typed where they are kept.
_kernels: Any = pyarrow.compute


def backtest(
    rule: Rule,
    batches: Iterable[pa.RecordBatch],
    *,
    existing: RuleSet | None = None,
    samples: int = SAMPLES,
    flood: float = FLOOD,
    threads: int = 1,
) -> Backtest:
    """Tells what a rule would have matched; memory stays flat however long history is.

    Args:
        rule: The rule; whether it is enabled does not matter.
        batches: History, batches of schema `POST`.
        existing: Rules to compare with; one with the id of the rule is left out.
        samples: How many matched posts to show. The same history gives the same ones.
        flood: The share of posts from which on a rule is a flood.
        threads: How many slices of posts are matched at the same time.

    Returns:
        What it would have matched.
    """
    return backtests(
        RuleSet((rule,)),
        batches,
        existing=existing,
        samples=samples,
        flood=flood,
        threads=threads,
    )[0]


def backtests(
    rules: RuleSet,
    batches: Iterable[pa.RecordBatch],
    *,
    existing: RuleSet | None = None,
    samples: int = SAMPLES,
    flood: float = FLOOD,
    threads: int = 1,
) -> Backtests:
    """Tells what each of many rules would have matched, in one pass over history.

    Args:
        rules: The rules; whether they are enabled does not matter.
        batches: History, batches of schema `POST`.
        existing: Rules to compare with, of which one with the id of a rule is left out
            for that rule; None to compare the rules with each other.
        samples: How many matched posts to show of each. The same history gives the same
            ones.
        flood: The share of posts from which on a rule is a flood.
        threads: How many slices of posts are matched at the same time.

    Returns:
        What each would have matched, in the order of the rules.
    """
    found = Backtests(
        rules, existing=existing, samples=samples, flood=flood, threads=threads
    )
    for posts in batches:
        found.add(posts)
    return found


class Backtests(Sequence[Backtest]):
    """What each of many rules would have matched, in the order of the rules.

    Args:
        rules: The rules; whether they are enabled does not matter.
        existing: Rules to compare with; None to compare the rules with each other.
        samples: How many matched posts to keep of each.
        flood: The share of posts from which on a rule is a flood.
        threads: How many slices of posts are matched at the same time.

    Attributes:
        rules: The rules.
        posts: How many posts were looked at.
        found: How many of them some rule matches.
        matched: int64, how many of them each rule matches.
        new: int64, how many of these no other rule matches.
    """

    def __init__(
        self,
        rules: RuleSet,
        *,
        existing: RuleSet | None = None,
        samples: int = SAMPLES,
        flood: float = FLOOD,
        threads: int = 1,
    ) -> None:
        self.rules = rules
        self.posts = self.found = 0
        self.matched: Integers = np.zeros(len(rules), np.int64)
        self.new: Integers = np.zeros(len(rules), np.int64)
        self._flood = flood
        # By number, which is read again faster than a name.
        self._matcher = Matcher(_numbered(rules, enabled=True), threads=threads)
        self._others: Matcher | None = None
        self._other_ids = [rule.id for rule in rules.rules]
        self._same: Integers = np.arange(len(rules))
        if existing is not None:
            self._others = Matcher(_numbered(existing), threads=threads)
            self._other_ids = [rule.id for rule in existing.rules]
            number = {name: at for at, name in enumerate(self._other_ids)}
            same = [number.get(rule.id, -1) for rule in rules.rules]
            self._same = np.array(same, np.int64)
        self._seen = Tally()
        self._days = Tally()
        self._overlaps = Tally()
        self._samples = Samples(len(rules), samples)

    def add(self, posts: pa.RecordBatch) -> None:
        """Looks at some posts.

        Args:
            posts: A batch of schema `POST`.
        """
        if not posts.num_rows:
            return
        found = self._matcher(posts)
        self._seen.add(_days(posts))
        rule, count = _numbers(found)
        row = np.repeat(np.arange(found.num_rows), count)
        self.matched += np.bincount(rule, minlength=len(self.rules))
        self._days.add(rule * _DAYS + _days(found)[row])
        self._samples.add(rule, row, found, self.found)
        self._compare(posts, found, rule, row, count)
        self.posts += posts.num_rows
        self.found += found.num_rows

    def _compare(
        self,
        posts: pa.RecordBatch,
        found: pa.RecordBatch,
        rule: Integers,
        row: Integers,
        count: Integers,
    ) -> None:
        """Counts which other rules match the posts that were found."""
        others = rule
        if self._others is not None:
            both = self._others(posts.take(found.column("row")))
            others, counted = _numbers(both)
            count = np.zeros(found.num_rows, np.int64)
            count[both.column("row").to_numpy()] = counted
        begin = np.cumsum(count) - count
        ends = np.cumsum(count[row])
        first = 0
        while first < len(rule):
            # At least one post at a time, however many rules match it.
            done = ends[first - 1] if first else 0
            last = max(int(np.searchsorted(ends, done + _PAIRS, "right")), first + 1)
            mine, at = rule[first:last], row[first:last]
            place, owner = ranges(begin[at], count[at])
            other = others[place]
            is_other = other != self._same[mine[owner]]
            owner, other = owner[is_other], other[is_other]
            self._overlaps.add(mine[owner] * len(self._other_ids) + other)
            alone = np.bincount(owner, minlength=len(mine)) == 0
            self.new += np.bincount(mine[alone], minlength=len(self.rules))
            first = last

    def is_flood(self) -> np.typing.NDArray[np.bool_]:
        """Says of each rule whether it matches more than one wants to look at."""
        return np.asarray(self.matched >= max(MIN_MATCHES, self._flood * self.posts))

    def days(self) -> tuple[tuple[date, int], ...]:
        """Returns the days of history, in order, and how many posts each had."""
        days, posts = self._seen.total()
        return tuple(zip(map(_date, days.tolist()), posts.tolist(), strict=True))

    @override
    def __len__(self) -> int:
        """Returns the number of rules."""
        return len(self.rules)

    @overload
    def __getitem__(self, at: int) -> Backtest: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Backtest, ...]: ...

    @override
    def __getitem__(self, at: int | slice) -> Backtest | tuple[Backtest, ...]:
        """Returns what one rule would have matched, or each of several."""
        numbers = range(len(self.rules))[at]
        if isinstance(numbers, range):
            return tuple(map(self._of, numbers))
        return self._of(numbers)

    def without_samples(self, number: int) -> Backtest:
        """Returns what a rule would have matched, which takes less time so.

        Args:
            number: The number of the rule.

        Returns:
            The same without samples.
        """
        return self._of(number, samples=False)

    def _of(self, number: int, *, samples: bool = True) -> Backtest:
        rule = self.rules.rules[number]
        by_day = dict(_part(self._days, number, _DAYS))
        overlaps = sorted(
            _part(self._overlaps, number, len(self._other_ids)), key=lambda one: -one[1]
        )
        return Backtest(
            posts=self.posts,
            matched=int(self.matched[number]),
            days=tuple(
                Day(day, posts, by_day.get(_number(day), 0))
                for day, posts in self.days()
            ),
            samples=tuple(self._shown(number)) if samples else (),
            overlaps=tuple(
                (self._other_ids[other], count) for other, count in overlaps[:OVERLAPS]
            ),
            new=int(self.new[number]),
            is_flood=bool(self.is_flood()[number]),
            rule=rule.id,
        )

    def _shown(self, number: int) -> Iterator[dict[str, Any]]:
        """Yields samples as if there were no other rule."""
        rule, key = self.rules.rules[number], str(number)
        for post in self._samples.of(number):
            spans = [
                span | {"rule": rule.id}
                for span in post["spans"]
                if span["rule"] == key
            ]
            if not spans and len(post["rules"]) > 1:
                # A post that matches very many rules tells the places of the first ones.
                spans = _spans(rule, post)
            yield post | {"rules": [rule.id], "spans": spans}


def _spans(rule: Rule, post: dict[str, Any]) -> list[dict[str, Any]]:
    one = pa.RecordBatch.from_pylist(
        [{name: post[name] for name in POST.names}], schema=POST
    )
    found = Matcher(RuleSet((replace(rule, enabled=True),)))(one)
    (row,) = found.to_pylist()
    spans: list[dict[str, Any]] = row["spans"]
    return spans


def _part(tally: Tally, number: int, width: int) -> list[tuple[int, int]]:
    """Returns the counts of a rule whose keys are its number times the width and more."""
    keys, counts = tally.total()
    first, last = np.searchsorted(keys, [number * width, (number + 1) * width])
    mine = (keys[first:last] - number * width).tolist()
    return list(zip(mine, counts[first:last].tolist(), strict=True))


def _numbered(rules: RuleSet, *, enabled: bool = False) -> RuleSet:
    return RuleSet(
        tuple(
            replace(rule, id=str(number), enabled=enabled or rule.enabled)
            for number, rule in enumerate(rules.rules)
        )
    )


def _numbers(found: pa.RecordBatch) -> tuple[Integers, Integers]:
    """Returns the numbers of the rules of all posts, and how many each post has."""
    lists = found.column("rules")
    flat: Any = _kernels.list_flatten(lists).cast(pa.int64())
    lengths: Any = _kernels.list_value_length(lists)
    return flat.to_numpy(), lengths.to_numpy().astype(np.int64)


def _days(posts: pa.RecordBatch) -> Integers:
    days = counted_at(posts).cast(pa.date32()).cast(pa.int32())
    return np.asarray(days.to_numpy().astype(np.int64) + _DAY_0)


def _date(day: int) -> date:
    return _1970 + timedelta(days=day - _DAY_0)


def _number(day: date) -> int:
    return (day - _1970).days + _DAY_0
