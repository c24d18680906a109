from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pyarrow as pa
import pytest

from rookery.matching import RuleSet, backtest, backtests, parse_rule
from rookery.matching.testing import holds
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


RULES = """\
fires = fire OR burning
fire -drill
smoke
big fire
never = zzz
"""
WORDS = ["fire", "burning", "drill", "smoke", "big", "a", "night"]


def made_up(posts: int, batch: int) -> list[pa.RecordBatch]:
    dice = random.Random(7)  # nosec B311
    rows = [
        {
            "id": f"t:{number}",
            "text": " ".join(dice.choices(WORDS, k=4)),
            "created_at": FIRST + timedelta(hours=dice.randrange(100)),
        }
        for number in range(posts)
    ]
    return [post_batch(rows[at : at + batch]) for at in range(0, posts, batch)]


def naive(
    rules: RuleSet, batches: list[pa.RecordBatch], existing: RuleSet | None
) -> dict[str, dict[str, object]]:
    """Counts post by post, with one rule at a time."""
    told: dict[str, dict[str, object]] = {}
    posts = [post for batch in batches for post in batch.to_pylist()]
    for rule in rules.rules:
        others = [
            one
            for one in (rules if existing is None else existing).rules
            if one.id != rule.id and (existing is None or one.enabled)
        ]
        mine = [post for post in posts if holds(rule.expression.node, post)]
        both = Counter(
            one.id
            for post in mine
            for one in others
            if holds(one.expression.node, post)
        )
        told[rule.id] = {
            "matched": len(mine),
            "days": Counter(post["created_at"].date() for post in mine),
            "overlaps": both,
            "new": sum(
                not any(holds(one.expression.node, post) for one in others)
                for post in mine
            ),
            "ids": {post["id"] for post in mine},
        }
    return told


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("batch", [1, 7, 1000])
@pytest.mark.parametrize(
    "existing",
    [None, "", "fires = fire\nburning\n" + '{"rule": "a", "enabled": false}'],
)
def test_all_rules_are_counted_in_one_pass_as_one_by_one(
    existing: str | None, batch: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small limits, so that each is passed.
    monkeypatch.setattr("rookery.matching._backtest._backtest._PAIRS", 5)
    monkeypatch.setattr("rookery.matching._backtest._tally._LOOSE", 3)
    monkeypatch.setattr("rookery.matching._backtest._sampled._LOOSE", 4)
    rules = RuleSet.parse(RULES.splitlines())
    known = None if existing is None else RuleSet.parse(existing.splitlines())
    batches = made_up(120, batch)
    found = backtests(rules, batches, existing=known, samples=4, threads=threads)
    expected = naive(rules, batches, known)
    assert [one.rule for one in found] == list(expected)
    assert found.posts == 120
    for one, number in zip(found, range(len(rules)), strict=True):
        told = expected[one.rule]
        assert (one.posts, one.matched, one.new) == (120, told["matched"], told["new"])
        assert {d.day: d.matched for d in one.days if d.matched} == told["days"]
        assert dict(one.overlaps) == told["overlaps"]
        assert len(one.samples) == min(4, one.matched)
        assert {post["id"] for post in one.samples} <= cast(set[str], told["ids"])
        assert all(post["rules"] == [one.rule] for post in one.samples)
        alone = backtest(
            rules.rules[number], batches, existing=known or RuleSet(()), samples=4
        )
        assert one.samples == alone.samples


def test_rules_are_compared_with_each_other_unless_others_are_given() -> None:
    rules = RuleSet.parse(["fire", "big"])
    fire, big = backtests(rules, history())
    assert (fire.overlaps, fire.new) == ((("big", 1),), 2)
    assert (big.overlaps, big.new) == ((("fire", 1),), 0)
    alone = backtests(rules, history(), existing=RuleSet(()))
    assert [(one.overlaps, one.new) for one in alone] == [((), 3), ((), 1)]


def test_words_are_marked_in_samples_however_many_rules_match() -> None:
    rules = RuleSet.parse([f"n{number} = fire -x{number}" for number in range(100)])
    found = backtests(rules, [post_batch([{"text": "a fire"}])])
    for one in found:
        (post,) = one.samples
        assert [(s["rule"], s["start"], s["end"]) for s in post["spans"]] == [
            (one.rule, 2, 6)
        ]


def test_what_is_not_enabled_is_tested_all_the_same() -> None:
    rules = RuleSet.parse(['{"rule": "fire", "enabled": false}'])
    assert backtests(rules, history())[0].matched == 3


def test_results_are_a_sequence() -> None:
    found = backtests(RuleSet.parse(["fire", "smoke"]), history())
    assert (len(found), found[-1].rule) == (2, "smoke")
    assert [one.rule for one in found[:1]] == ["fire"]
    with pytest.raises(IndexError):
        found[2]
    assert found.days() == ((date(2024, 5, 1), 2), (date(2024, 5, 2), 2))
