"""Counts against a count by hand."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.records import CUBE
from rookery.serving._counts import Dimension, Totals
from rookery.serving._cubes import Cubes, bucket_width
from rookery.serving._filters import Filter, Sentiment
from rookery.serving._parts import (
    COARSE,
    Grain,
    Names,
    Part,
    encode,
    merged,
    merged_part,
    split,
)

START = datetime(2026, 3, 1, 10, 37, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    minute: int
    rule: str | None
    source: str
    language: str | None
    posts: int
    positive: int
    negative: int

    def passes(self, asked: Filter) -> bool:
        at = START + timedelta(minutes=self.minute)
        return (
            (asked.source is None or self.source == asked.source)
            and (asked.language is None or (self.language or "") == asked.language)
            and (asked.start is None or at >= asked.start)
            and (asked.end is None or at < asked.end)
        )

    def count(self, sentiment: Sentiment | None) -> int:
        return {
            None: self.posts,
            Sentiment.POSITIVE: self.positive,
            Sentiment.NEGATIVE: self.negative,
            Sentiment.NEUTRAL: self.posts - self.positive - self.negative,
        }[sentiment]


@st.composite
def some_rows(draw: st.DrawFn) -> Row:
    positive, neutral, negative = (draw(st.integers(0, 3)) for _ in range(3))
    return Row(
        minute=draw(st.integers(0, 400)),
        rule=draw(st.sampled_from([None, "a", "b", "c"])),
        source=draw(st.sampled_from(["x", "y"])),
        language=draw(st.sampled_from([None, "en", "de"])),
        posts=positive + neutral + negative,
        positive=positive,
        negative=negative,
    )


ROWS = st.lists(some_rows(), max_size=60)
MOMENTS = st.none() | st.integers(-10, 420).map(
    lambda minutes: START + timedelta(minutes=minutes)
)


@st.composite
def some_filters(draw: st.DrawFn) -> Filter:
    start, end = draw(MOMENTS), draw(MOMENTS)
    if start is not None and end is not None and start >= end:
        end = None
    return Filter(
        rule=draw(st.sampled_from([None, None, "a", "never"])),
        source=draw(st.sampled_from([None, "x"])),
        language=draw(st.sampled_from([None, "en", ""])),
        sentiment=draw(st.sampled_from([None, *Sentiment])),
        start=start,
        end=end,
    )


def table(rows: Iterable[Row]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "minute": START + timedelta(minutes=row.minute),
                "rule": row.rule,
                "source": row.source,
                "language": row.language,
                "posts": row.posts,
                "positive": row.positive,
                "neutral": row.posts - row.positive - row.negative,
                "negative": row.negative,
                "sentiment_sum": 0.5 * row.positive,
                "engagement": 7 * row.posts,
            }
            for row in rows
        ],
        schema=CUBE,
    )


def cubes(parts: Iterable[list[Row]]) -> Cubes:
    names = Names()
    made = []
    for number, rows in enumerate(parts):
        coded = encode(table(rows), names)
        if number % 2:
            once, rules = split(coded)
            made.append(Part(Grain(once, sorted=False), Grain(rules, sorted=False)))
        else:
            made.append(merged_part([coded]))
    return Cubes(names, tuple(made))


@pytest.fixture(autouse=True)
def coarse_from_the_first_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rookery.serving._parts.SMALL_ROWS", 0)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(ROWS, max_size=3), asked=some_filters())
def test_totals_are_those_counted_by_hand(
    parts: list[list[Row]], asked: Filter
) -> None:
    counted = [
        row
        for rows in parts
        for row in rows
        if row.rule == asked.rule and row.passes(asked)
    ]
    totals = cubes(parts).totals(asked)
    assert totals == Totals(
        posts=sum(row.count(asked.sentiment) for row in counted),
        positive=sum(row.positive for row in counted),
        neutral=sum(row.count(Sentiment.NEUTRAL) for row in counted),
        negative=sum(row.negative for row in counted),
        sentiment_sum=0.5 * sum(row.positive for row in counted),
        engagement=7 * sum(row.posts for row in counted),
    )


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(ROWS, max_size=3),
    asked=some_filters(),
    by=st.sampled_from([None, Dimension.RULE, Dimension.SOURCE, Dimension.LANGUAGE]),
    width=st.sampled_from([1, 7, 10, 60, 120]),
    top=st.integers(1, 4),
)
def test_each_bucket_holds_what_was_counted_by_hand(
    parts: list[list[Row]],
    asked: Filter,
    by: Dimension | None,
    width: int,
    top: int,
) -> None:
    # Outside the buckets that `start` and `end` lie in, nothing is cut off.
    volume = cubes(parts).volume(asked, by=by, width=width, top=top)
    origin = int(START.timestamp()) // 60
    expected: Counter[tuple[str | None, int]] = Counter()
    for row in (row for rows in parts for row in rows):
        minute = origin + row.minute
        rule_rows = by is Dimension.RULE or asked.rule is not None
        if (row.rule is not None) != rule_rows:
            continue
        if asked.rule is not None and row.rule != asked.rule:
            continue
        if not row.passes(Filter(source=asked.source, language=asked.language)):
            continue
        if minute not in range(volume.buckets.start, volume.buckets.stop):
            continue
        key = None if by is None else getattr(row, by.value)
        expected[key, minute // width * width] += row.count(asked.sentiment)
    found: Counter[tuple[str | None, int]] = Counter()
    others: Counter[int] = Counter()
    for series in volume.series:
        assert series.total == sum(series.posts)
        for minute, posts in zip(volume.buckets, series.posts, strict=True):
            if series.other:
                others[minute] += posts
            else:
                found[series.key, minute] += posts
    shown = {series.key for series in volume.series if not series.other}
    assert +found == Counter({k: v for k, v in expected.items() if k[0] in shown and v})
    rest: Counter[int] = Counter()
    for (key, minute), posts in expected.items():
        if key not in shown:
            rest[minute] += posts
    assert +others == +rest


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(ROWS, min_size=1, max_size=4), asked=some_filters())
def test_merging_parts_changes_no_answer(parts: list[list[Row]], asked: Filter) -> None:
    apart = cubes(parts)
    together = Cubes(apart.names, (merged(apart.parts),))
    assert together.totals(asked) == apart.totals(asked)
    for by in (Dimension.RULE, Dimension.SOURCE, Dimension.LANGUAGE):
        assert together.ranking(asked, by=by) == apart.ranking(asked, by=by)
    assert together.extent == apart.extent


@settings(max_examples=40, deadline=None)
@given(
    rows=ROWS,
    asked=some_filters(),
    before=st.integers(0, 420),
    at_least=st.integers(1, 20),
)
def test_the_newest_minutes_hold_enough_posts_and_no_older_one_is_needed(
    rows: list[Row], asked: Filter, before: int, at_least: int
) -> None:
    origin = int(START.timestamp()) // 60
    minutes = cubes([rows]).minutes(asked, before=origin + before, at_least=at_least)
    held: Counter[int] = Counter()
    for row in rows:
        if row.rule == asked.rule and row.passes(asked) and row.minute < before:
            held[origin + row.minute] += row.count(asked.sentiment)
    descending = sorted((+held).keys(), reverse=True)
    assert minutes == descending[: len(minutes)]
    before_last = sum(held[minute] for minute in minutes[:-1])
    assert before_last < at_least
    if len(minutes) < len(descending):
        assert before_last + held[minutes[-1]] >= at_least


def test_sentiments_are_split_without_a_filter() -> None:
    rows = [Row(0, None, "x", "en", 6, 3, 1), Row(130, None, "x", "en", 2, 0, 2)]
    volume = cubes([rows]).volume(Filter(), by=Dimension.SENTIMENT, width=60)
    assert {series.key: series.posts for series in volume.series} == {
        "positive": (3, 0, 0),
        "neutral": (2, 0, 0),
        "negative": (1, 0, 2),
    }


def test_a_large_part_answers_from_coarse_rows() -> None:
    rows = [Row(minute, None, "x", "en", 1, 0, 0) for minute in range(400)]
    part = cubes([rows]).parts[0]
    low, high = part.posts.extent or (0, 0)
    assert set(part.posts.coarse) == set(COARSE)
    read = sum(t.num_rows for t in part.posts.cover(low, high, 60))
    assert read < 400 / 3


def test_nothing_is_counted_where_nothing_is() -> None:
    empty = Cubes(Names())
    assert empty.totals(Filter()) == Totals()
    assert empty.ranking(Filter(), by=Dimension.RULE) == []
    assert empty.volume(Filter(), by=None, width=1).series == ()
    assert empty.extent is None


def test_buckets_cover_the_time_that_was_asked_for_even_where_it_is_empty() -> None:
    rows = [Row(0, None, "x", "en", 1, 0, 0)]
    asked = Filter(start=START - timedelta(hours=1), end=START + timedelta(hours=1))
    volume = cubes([rows]).volume(asked, by=None, width=60)
    assert len(volume.buckets) == 3
    assert volume.series[0].posts == (0, 1, 0)


@pytest.mark.parametrize(
    ("minutes", "points", "width"),
    [(1, 60, 1), (60, 60, 1), (61, 60, 2), (1440, 60, 30), (10**7, 60, 166_667)],
)
def test_buckets_have_lengths_that_people_know(
    minutes: int, points: int, width: int
) -> None:
    assert bucket_width(minutes, points) == width
