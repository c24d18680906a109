from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from rookery.matching import RuleSet, backtest, parse_rule
from rookery.records.testing import post_batch

FIRST = datetime(2024, 5, 1, 23, 59, tzinfo=UTC)


def history() -> list[pa.RecordBatch]:
    rows: list[dict[str, Any]] = [
        {"text": "a fire", "created_at": FIRST},
        {"text": "a big fire", "created_at": FIRST + timedelta(minutes=2)},
        {"text": "smoke", "created_at": FIRST + timedelta(minutes=2)},
        {
            "text": "fire drill",
            "created_at": datetime(1970, 1, 1, tzinfo=UTC),
            "ingested_at": FIRST,
            "time_suspect": True,
        },
    ]
    return [post_batch(rows[:1]), post_batch([]), post_batch(rows[1:])]


def test_posts_and_matches_are_counted_by_day() -> None:
    found = backtest(parse_rule("fire"), history())
    assert [(day.day, day.posts, day.matched) for day in found.days] == [
        (date(2024, 5, 1), 2, 2),
        (date(2024, 5, 2), 2, 1),
    ]
    assert (found.posts, found.matched, found.share) == (4, 3, 0.75)


def test_what_other_rules_match_already_is_told() -> None:
    existing = RuleSet.parse(["big", "a", "x = smoke", "fire = drill"])
    found = backtest(parse_rule("fire"), history(), existing=existing)
    assert found.overlaps == (("a", 2), ("big", 1))
    assert found.new == 1


def test_samples_are_some_of_the_matches_and_always_the_same() -> None:
    batches = [
        post_batch([{"id": f"t:{part}-{n}", "text": f"fire {n}"} for n in range(50)])
        for part in range(4)
    ]
    found = backtest(parse_rule("fire"), batches, samples=12)
    assert len(found.samples) == 12
    assert len({post["id"].split("-")[0] for post in found.samples}) > 1
    assert found.samples[0]["rules"] == ["fire"]
    assert backtest(parse_rule("fire"), batches, samples=12) == found
    assert backtest(parse_rule("fire"), batches, samples=0).samples == ()


@pytest.mark.parametrize(("fires", "expected"), [(9, False), (10, True), (30, True)])
def test_a_flood_is_told(fires: int, expected: bool) -> None:
    texts = ["fire"] * fires + ["smoke"] * (500 - fires)
    posts = [post_batch([{"text": text} for text in texts])]
    assert backtest(parse_rule("fire"), posts).is_flood is expected


def test_no_history_gives_nothing() -> None:
    found = backtest(parse_rule("fire"), [])
    assert (found.posts, found.matched, found.days, found.share) == (0, 0, (), 0.0)
    assert not found.is_flood
