from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.matching import Matcher, Rule, RuleSet, explain
from rookery.matching._engine import _columns, _matcher
from rookery.matching._engine._matcher import (
    MAX_RULES_WITH_SPANS,
    MAX_SPANS,
    MAX_SPANS_PER_TERM,
)
from rookery.matching._language._expression import Node
from rookery.matching._language._parser import Expression
from rookery.matching.testing import expressions, holds
from rookery.matching.testing import posts as some_posts
from rookery.records import MATCH, SchemaError, empty, posts_from_columns
from rookery.records.testing import post_batch

NOW = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


def posts(texts: Sequence[str]) -> pa.RecordBatch:
    parsed = posts_from_columns(
        {
            "id": [str(number) for number in range(len(texts))],
            "text": list(texts),
            "created_at": [NOW] * len(texts),
        },
        source="test",
        ingested_at=NOW,
        where=lambda row: f"row {row}",
    )
    assert not parsed.rejected
    return parsed.posts


def matched(lines: Sequence[str], texts: Sequence[str]) -> dict[int, list[str]]:
    batch = Matcher(RuleSet.parse(lines))(posts(texts))
    return {match["row"]: match["rules"] for match in batch.to_pylist()}


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ("fire", "FIRE!", True),
        ("fire", "firefighter", False),
        ("fire", "a #fire near", True),
        ("#fire", "a fire near", False),
        ("#fire", "a #Fire near", True),
        ("@fema", "thanks @FEMA", True),
        ("@fema", "thanks fema", False),
        ("$AAPL", "buy $aapl now", True),
        ('"boulder fire"', "Boulder, #fire", True),
        ('"boulder fire"', "fire boulder", False),
        ("boulder fire", "fire in boulder", True),
        ("boulder fire", "boulder", False),
        ("boulder OR fire", "boulder", True),
        ("fire -drill", "fire drill", False),
        ("fire -drill", "fire", True),
        ("fire -(drill game)", "fire drill", True),
        ("fire -(drill game)", "game: fire drill", False),
        ("(a OR b) (c OR d)", "b d", True),
        ("(a OR b) (c OR d)", "a b", False),
        ("a OR b c", "a", True),
        ("a OR b c", "b", False),
        ("café", "cafe", False),
        ("ſun", "SUN", True),
        ("🔥", "on🔥fire", True),
        ("☀\ufe0f", "☀ today", True),
        ("☀", "☀\ufe0f today", True),
        ("fire -🔥", "fire 🔥", False),
        ("a (b OR c -(d e)) -(f OR g h)", "c d g a", True),
        ("a (b OR c -(d e)) -(f OR g h)", "c d e a", False),
        ("a (b OR c -(d e)) -(f OR g h)", "b c d e a", True),
        ("a (b OR c -(d e)) -(f OR g h)", "a b h g", False),
        ("wild*", "Wildfires", True),
        ("wild*", "the #wild", True),
        ("wild*", "rewild", False),
        ("#wild*", "＃Wildfire", True),
        ("#wild*", "wildfire", False),
        ("$AA*", "$AAPL", True),
        ('"big fire"~1', "fire, very big", True),
        ('"big fire"~1', "fire in a big city", False),
        ('"big fire"~0', "fire big", True),
        ('"a a b"~0', "a b a", True),
        ('"a a b"~0', "a b", False),
        ('"#big fire"~1', "big fire", False),
        ('"#big fire"~1', "fire #big", True),
        ('^"big fire"', "@x: big fire", False),
        ('^"big fire"', "... Big #fire x", True),
        ('^"#big"', "#big fire", True),
        ('"fire"$', "big fire!! 🔥", True),
        ('"fire"$', "fire big", False),
        ('^"fire"$', "#fire", True),
        ('^"fire"$', "fire fire", False),
        ("substring:ire", "firefighter", True),
        ("substring:東京", "在東京都", True),
        ('substring:"# 1"', "we are # 1", True),
        (r"/covid-?\d{2}/", "COVID19", True),
        (r"/covid-?\d{2}/", "covid--19", False),
        (r"/\bcovid\b/", "covidé", False),
        (r"/\bcovid\b/", "the covid.", True),
        ("/straße/", "STRAẞE", True),
        ("/^fire$/", "FIRE", True),
        ("/^fire$/", "a fire", False),
        ("/[A-Z]{3}/", "abc", True),
        ("/[^a-z]b/", "AB", False),
        (r"/\w+\s\w+$/", "日本 語", True),
        ("/(a+)+$/", "a" * 2_000 + "!", False),
        ("x -(a -b)", "x a", False),
        ("x -(a -b)", "x a b", True),
    ],
)
def test_a_rule_is_true_of_a_text_or_not(rule: str, text: str, expected: bool) -> None:
    assert bool(matched([rule], [text])) is expected


@pytest.mark.parametrize(
    ("rule", "post", "expected"),
    [
        ("from:@NASA", {"author": "nasa"}, True),
        ("from:nasa", {"author": "nasa2"}, False),
        ("from:nasa", {"author": None}, False),
        ("source:RSS", {"source": "rss"}, True),
        ("url:bbc.co.uk", {"links": ["https://www.BBC.co.uk/news?x=1"]}, True),
        ("url:bbc.co.uk", {"text": "see http://bbc.co.uk/a"}, True),
        ("url:bbc.co.uk", {"text": "abbc.co.uk", "links": ["http://abbc.co"]}, False),
        ("url:https://www.bbc.co.uk/a", {"links": ["http://bbc.co.uk/a/b"]}, True),
        ("text lang:en", {"language": "en-GB"}, True),
        ("text lang:EN_gb", {"language": "en-GB"}, True),
        ("text lang:en-gb", {"language": "en"}, False),
        ("fire lang:es", {"text": "el fire es muy grande en la ciudad"}, True),
        ("fire lang:es", {"text": "the fire is very big in this city"}, False),
        ("fire -lang:es", {"text": "the fire is very big in this city"}, True),
        ("text has:links", {"links": ["http://a.b"]}, True),
        ("text has:links", {"text": "text http://a.org/x"}, True),
        ("text has:links", {}, False),
        ("text has:media", {"media": ["http://a.b/c.jpg"]}, True),
        ("text has:mentions", {"text": "text @nasa"}, True),
        ("text has:hashtags", {"text": "text #nasa"}, True),
        ("text has:cashtags", {"text": "text $AAPL"}, True),
        ("text -has:cashtags", {"text": "text $5"}, True),
    ],
)
def test_a_rule_asks_for_what_stands_beside_the_text(
    rule: str, post: dict[str, Any], expected: bool
) -> None:
    batch = Matcher(RuleSet.parse([rule]))(post_batch([post]))
    assert bool(batch.num_rows) is expected


def test_a_language_is_identified_only_where_a_rule_may_match(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def identify(text: str) -> str | None:
        asked.append(text)
        return "en"

    monkeypatch.setattr(_columns, "identify", identify)
    rules = RuleSet.parse(["fire smoke lang:en", "fire lang:en -drill"])
    rows: list[dict[str, Any]] = [
        {"text": "smoke"},
        {"text": "fire drill"},
        {"text": "a fire"},
        {"text": "fire", "language": "en"},
    ]
    found = Matcher(rules)(post_batch(rows))
    assert found.column("row").to_pylist() == [2, 3]
    assert asked == ["a fire"]


def test_a_rule_that_is_disabled_matches_nothing() -> None:
    rules = RuleSet.parse(["a = fire", "b = fire smoke"])
    off = RuleSet((replace(rules.rules[0], enabled=False), rules.rules[1]))
    (match,) = Matcher(off)(posts(["fire", "fire smoke"])).to_pylist()
    assert (match["row"], match["rules"]) == (1, ["b"])
    assert {span["rule"] for span in match["spans"]} == {"b"}


def test_every_kind_of_leaf_is_explained_with_its_places() -> None:
    (rule,) = RuleSet.parse(
        [
            r'x = "big fire"~1 wild* /4\d+/ ^"a" "end"$ substring:ild from:nasa lang:en'
            " -has:media"
        ]
    ).rules
    post = {"text": "a wild fire, big: 42 end", "author": "nasa", "language": "en"}
    explanation = explain(rule, post)
    assert explanation.true
    places = [(part.text, part.true, part.spans) for part in explanation.children]
    assert places == [
        ('"big fire"~1', True, ((7, 16),)),
        ("wild*", True, ((2, 6),)),
        (r"/4\d+/", True, ((18, 20),)),
        ('^"a"', True, ((0, 1),)),
        ('"end"$', True, ((21, 24),)),
        ("substring:ild", True, ((3, 6),)),
        ("from:nasa", True, ()),
        ("lang:en", True, ()),
        ("-has:media", True, ()),
    ]


def test_a_post_lists_every_rule_that_matches_it() -> None:
    found = matched(
        ["x = fire", "y = boulder", "z = -a fire"], ["fire", "no", "boulder fire a"]
    )
    assert found == {0: ["x", "z"], 2: ["x", "y"]}


def test_spans_say_which_clause_stands_where_in_characters() -> None:
    rules = RuleSet.parse(['x = "big fire" (smoke OR ash) -drill'])
    batch = Matcher(rules)(posts(["no", "🔥 Ash, a BIG fire, ash"]))
    assert batch.column("spans").to_pylist() == [
        [
            {"rule": "x", "clause": 0, "start": 9, "end": 17},
            {"rule": "x", "clause": 2, "start": 2, "end": 5},
            {"rule": "x", "clause": 2, "start": 19, "end": 22},
        ]
    ]


def test_spans_are_bounded_by_rules_and_by_places() -> None:
    many = MAX_RULES_WITH_SPANS + 6
    rules = RuleSet.parse([f"r{number} = fire" for number in range(many)])
    batch = Matcher(rules)(posts(["fire " * (MAX_SPANS_PER_TERM + 4)]))
    assert len(batch.column("rules")[0]) == many
    spans = batch.column("spans")[0].as_py()
    assert len(spans) == MAX_RULES_WITH_SPANS * MAX_SPANS_PER_TERM


def test_spans_of_a_post_are_bounded_in_all() -> None:
    words = [f"word{number}" for number in range(MAX_SPANS + 6)]
    rules = RuleSet.parse(["x = " + " OR ".join(words), "y = word1"])
    batch = Matcher(rules)(posts([" ".join(words), "nothing", "word1"]))
    first, second = (match["spans"] for match in batch.to_pylist())
    assert [span["clause"] for span in first] == list(range(MAX_SPANS))
    assert [(span["rule"], span["clause"]) for span in second] == [("x", 1), ("y", 0)]
    batch.validate(full=True)


def test_a_match_is_the_whole_post_with_its_row() -> None:
    batch = posts(["no", "fire"])
    result = Matcher(RuleSet.parse(["fire"]))(batch)
    assert result.schema.equals(MATCH, check_metadata=True)
    assert result.column("row").to_pylist() == [1]
    for name in batch.schema.names:
        assert result.column(name).to_pylist() == batch.column(name).to_pylist()[1:]
    result.validate(full=True)


@pytest.mark.parametrize("lines", [[], ["fire"]])
def test_nothing_in_gives_nothing_out(lines: list[str]) -> None:
    result = Matcher(RuleSet.parse(lines))(posts([]))
    assert result.num_rows == 0
    assert result.schema.equals(MATCH)


def test_an_empty_rule_set_matches_nothing() -> None:
    assert matched([], ["fire"]) == {}


def test_a_batch_that_holds_no_posts_is_refused() -> None:
    with pytest.raises(SchemaError, match="posts are expected"):
        Matcher(RuleSet.parse(["fire"]))(empty(MATCH))


def test_a_matcher_without_a_thread_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Matcher(RuleSet.parse(["fire"]), threads=0)


@given(
    st.lists(expressions(), max_size=4),
    st.lists(some_posts(), max_size=6),
    st.integers(2, 8),
)
def test_any_number_of_threads_matches_the_same(
    nodes: list[Node], rows: list[dict[str, Any]], threads: int
) -> None:
    rules = RuleSet(
        tuple(Rule(str(i), Expression(node)) for i, node in enumerate(nodes))
    )
    batch = post_batch(rows)
    matcher = Matcher(rules, threads=threads)
    with mock.patch.object(_matcher, "_WORTH_SECONDS", 1e-12):
        # The first batch tells what a post takes, so the second one is cut.
        assert matcher(batch).equals(matcher(batch))
        found = matcher(batch)
    found.validate(full=True)
    assert found.schema.equals(MATCH, check_metadata=True)
    assert found.equals(Matcher(rules)(batch))


@given(st.lists(expressions(), max_size=6), st.lists(some_posts(), max_size=5))
def test_the_matcher_and_explanations_agree_with_plain_python(
    nodes: list[Node], rows: list[dict[str, Any]]
) -> None:
    rules = RuleSet(
        tuple(Rule(str(i), Expression(node)) for i, node in enumerate(nodes))
    )
    batch = Matcher(rules)(post_batch(rows))
    batch.validate(full=True)
    found = {match["row"]: match["rules"] for match in batch.to_pylist()}
    expected = {
        row: names
        for row, post in enumerate(rows)
        if (names := [r.id for r in rules.rules if holds(r.expression.node, post)])
    }
    assert found == expected
    for row, post in enumerate(rows):
        explained = [rule.id for rule in rules.rules if explain(rule, post).true]
        assert explained == expected.get(row, [])


def test_an_explanation_is_the_tree_of_clauses_with_their_places() -> None:
    (rule,) = RuleSet.parse(["x = fire (smoke OR ash) -drill"]).rules
    explanation = explain(rule, {"text": "ash and fire"})
    assert str(explanation) == (
        "yes  fire (smoke OR ash) -drill\n"
        "  yes  fire  at 8-12\n"
        "  yes  smoke OR ash\n"
        "    no   smoke\n"
        "    yes  ash  at 0-3\n"
        "  yes  -drill\n"
        "    no   drill"
    )
    assert explanation.children[1].children[1].clause == 2
