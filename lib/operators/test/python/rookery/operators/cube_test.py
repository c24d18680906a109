from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.operators import cube, merge_cubes
from rookery.records import CUBE, MATCH, concat, empty
from rookery.records.testing import NOW, match_batch

Matches = st.SearchStrategy[pa.RecordBatch]
MINUTE = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)


def cells(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    return [dict(cell) for cell in cube(batch).to_pylist()]


def total(batch: pa.RecordBatch) -> dict[str, Any]:
    (cell,) = cells(batch)
    assert cell["rule"] is None
    return cell


def naive(batch: pa.RecordBatch) -> dict[tuple[Any, ...], dict[str, float]]:
    """The cube, post by post."""
    counted: dict[tuple[Any, ...], dict[str, float]] = defaultdict(
        lambda: defaultdict(int)
    )
    for post in batch.to_pylist():
        time = post["ingested_at" if post["time_suspect"] else "created_at"]
        language = post["language"] or post["detected_language"]
        sentiment = post["sentiment"] or 0.0
        for rule in [*post["rules"], None]:
            minute = time.replace(second=0, microsecond=0)
            cell = counted[minute, rule, post["source"], language]
            cell["posts"] += 1
            cell["positive"] += sentiment >= 0.05
            cell["negative"] += sentiment <= -0.05
            cell["neutral"] += -0.05 < sentiment < 0.05
            cell["sentiment_sum"] += sentiment
            for name in ("likes", "reposts", "replies"):
                cell["engagement"] += post[name] or 0
    return counted


def test_a_post_is_counted_for_each_of_its_rules_and_once_for_all() -> None:
    post = {
        "rules": ["b", "a"],
        "language": "en",
        "sentiment": 0.5,
        "likes": 1,
        "reposts": 20,
        "replies": 300,
        "followers": 4000,
    }
    expected = {
        "minute": MINUTE,
        "source": "test",
        "language": "en",
        "posts": 1,
        "positive": 1,
        "neutral": 0,
        "negative": 0,
        "sentiment_sum": 0.5,
        "engagement": 321,
    }
    rules = ("a", "b", None)
    assert cells(match_batch([post])) == [expected | {"rule": rule} for rule in rules]


def test_a_cube_has_its_schema() -> None:
    assert cube(match_batch([{}])).schema.equals(CUBE, check_metadata=True)
    assert merge_cubes([]).equals(empty(CUBE), check_metadata=True)
    assert cube(empty(MATCH)).equals(empty(CUBE), check_metadata=True)


@pytest.mark.parametrize(
    ("sentiment", "name"),
    [
        (1.0, "positive"),
        (0.05, "positive"),
        (0.0499, "neutral"),
        (0.0, "neutral"),
        (None, "neutral"),
        (float("nan"), "neutral"),
        (-0.0499, "neutral"),
        (-0.05, "negative"),
        (-1.0, "negative"),
    ],
)
def test_a_post_is_positive_neutral_or_negative(
    sentiment: float | None, name: str
) -> None:
    cell = total(match_batch([{"sentiment": sentiment}]))
    counts = {n: cell[n] for n in ("positive", "neutral", "negative")}
    assert counts == {"positive": 0, "neutral": 0, "negative": 0} | {name: 1}


@pytest.mark.parametrize(
    ("declared", "detected", "language"),
    [("en", "fr", "en"), (None, "fr", "fr"), (None, None, None)],
)
def test_the_declared_language_goes_before_the_identified_one(
    declared: str | None, detected: str | None, language: str | None
) -> None:
    batch = match_batch([{"language": declared, "detected_language": detected}])
    assert total(batch)["language"] == language


@pytest.mark.parametrize(
    ("time", "minute"),
    [
        (MINUTE, MINUTE),
        (MINUTE + timedelta(microseconds=59_999_999), MINUTE),
        (MINUTE - timedelta(microseconds=1), MINUTE - timedelta(minutes=1)),
        (
            datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, tzinfo=UTC),
        ),
    ],
)
def test_a_post_is_counted_in_the_minute_it_was_written(
    time: datetime, minute: datetime
) -> None:
    assert total(match_batch([{"created_at": time}]))["minute"] == minute


def test_a_post_of_a_suspect_time_is_counted_when_it_was_taken_in() -> None:
    long_ago = NOW.replace(year=1970)
    batch = match_batch([{"created_at": long_ago, "time_suspect": True}])
    assert total(batch)["minute"] == MINUTE


def test_cells_are_sorted_with_nulls_last() -> None:
    posts = [
        {"rules": [rule], "language": language}
        for rule in ("b", "a")
        for language in ("es", None, "en")
    ]
    keys = [(cell["rule"], cell["language"]) for cell in cells(match_batch(posts))]
    rules, languages = ("a", "b", None), ("en", "es", None)
    assert keys == [(rule, language) for rule in rules for language in languages]


@given(data=st.data())
def test_a_cube_counts_what_counting_post_by_post_does(
    any_matches: Matches, data: st.DataObject
) -> None:
    batch = data.draw(any_matches)
    expected = naive(batch)
    found = cells(batch)
    assert len(found) == len(expected)
    for cell in found:
        key = tuple(cell[name] for name in ("minute", "rule", "source", "language"))
        sums = {name: cell[name] for name in expected[key]}
        # Each sentiment is rounded to a multiple of 2^-20.
        near = pytest.approx(expected[key].pop("sentiment_sum"), abs=len(batch) * 1e-6)
        assert sums.pop("sentiment_sum") == near
        assert sums == expected[key]


@given(data=st.data())
def test_the_cube_of_two_batches_is_the_merge_of_their_cubes(
    any_matches: Matches, data: st.DataObject
) -> None:
    one, other = data.draw(any_matches), data.draw(any_matches)
    whole = cube(concat([one, other], MATCH))
    assert merge_cubes([cube(one), cube(other)]).equals(whole, check_metadata=True)
    assert merge_cubes([cube(other), cube(one)]).equals(whole, check_metadata=True)


@given(data=st.data())
def test_merging_in_any_order_and_depth_gives_the_same_cube(
    any_matches: Matches, data: st.DataObject
) -> None:
    whole = data.draw(any_matches)
    cubes = [cube(whole.slice(row, 1)) for row in range(whole.num_rows)]
    shuffled = data.draw(st.permutations(cubes))
    cut = data.draw(st.integers(0, len(cubes)))
    tree = merge_cubes([merge_cubes(shuffled[:cut]), merge_cubes(shuffled[cut:])])
    assert tree.equals(cube(whole))
    flat = merge_cubes(pa.Table.from_batches(shuffled, schema=CUBE))
    assert flat.equals(cube(whole))


@given(data=st.data())
def test_the_order_of_posts_does_not_matter(
    any_matches: Matches, data: st.DataObject
) -> None:
    batch = data.draw(any_matches)
    order = data.draw(st.permutations(range(batch.num_rows)))
    shuffled = batch.take(pa.array(order, pa.int64()))
    assert cube(shuffled).equals(cube(batch))
