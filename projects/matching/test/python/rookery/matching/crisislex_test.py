"""Real tracking rules on the real posts that they collected."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from rookery.matching import Matcher, RuleSet, explain, track_rule
from rookery.records import read_csv
from rookery.service.testing import require

EVENTS = (
    *("2012_Colorado_wildfires", "2012_Costa_Rica_earthquake", "2012_Typhoon_Pablo"),
    *("2013_Alberta_floods", "2013_Australia_bushfire", "2013_Brazil_nightclub_fire"),
    *("2013_Glasgow_helicopter_crash", "2013_Lac_Megantic_train_crash"),
    *("2013_Sardinia_floods", "2013_Singapore_haze"),
)
NOW = datetime(2014, 1, 1, tzinfo=UTC)


def folder(event: str) -> Path:
    return require("data") / "social/crisislex/CrisisLexT26" / event


def rules_of(event: str) -> RuleSet:
    text = (folder(event) / f"{event}-event_description.json").read_text()
    return RuleSet.parse(dict.fromkeys(map(track_rule, json.loads(text)["keywords"])))


def posts_of(event: str) -> pa.RecordBatch:
    parsed = read_csv(
        (folder(event) / f"{event}-tweets_labeled.csv").read_bytes(),
        source="crisislex",
        ingested_at=NOW,
        columns={"id": "Tweet ID", "text": "Tweet Text"},
        time="snowflake",
    )
    assert not parsed.rejected
    return parsed.posts


@pytest.mark.parametrize("event", EVENTS)
def test_every_labelled_post_matches_a_rule_of_its_event(event: str) -> None:
    rules, posts = rules_of(event), posts_of(event)
    assert posts.num_rows > 900
    matches = Matcher(rules)(posts)
    found = set(matches.column("row").to_pylist())
    missed = [row for row in range(posts.num_rows) if row not in found]
    assert [posts.column("text")[row].as_py() for row in missed] == []


def test_the_matcher_and_the_explanation_agree_on_real_posts() -> None:
    rules, posts = rules_of(EVENTS[0]), posts_of(EVENTS[0]).slice(0, 100)
    matches = Matcher(rules)(posts)
    found = dict(
        zip(
            matches.column("row").to_pylist(),
            matches.column("rules").to_pylist(),
            strict=True,
        )
    )
    for row, post in enumerate(posts.to_pylist()):
        expected = [rule.id for rule in rules.rules if explain(rule, post).true]
        assert found.get(row, []) == expected
