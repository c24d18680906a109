from collections.abc import Sequence
from datetime import datetime, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.matching import Matcher, Rule, RuleSet, explain
from rookery.matching._expression import Node
from rookery.matching._matcher import (
    MAX_RULES_WITH_SPANS,
    MAX_SPANS,
    MAX_SPANS_PER_TERM,
)
from rookery.matching.testing import expressions
from rookery.records import MATCH, SchemaError, empty, posts_from_columns

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
        ("x -(a -b)", "x a", False),
        ("x -(a -b)", "x a b", True),
    ],
)
def test_a_rule_is_true_of_a_text_or_not(rule: str, text: str, expected: bool) -> None:
    assert bool(matched([rule], [text])) is expected


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


TEXTS = st.lists(
    st.lists(
        st.sampled_from(
            ["fire", "Boulder", "#flood", "4mile", "σίσυφος", "STRASSE", "@東京", "or"]
            + [
                "$привет",
                "a_b",
                "back",
                "slash",
                "from",
                "nobody",
                "quoted",
                "x",
                "🔥",
                "☀",
            ]
        ),
        min_size=1,
        max_size=8,
    ).map(" ".join),
    max_size=6,
)


@given(st.lists(expressions(), max_size=6), TEXTS)
def test_the_matcher_agrees_with_evaluating_rule_by_rule(
    nodes: list[Node], texts: list[str]
) -> None:
    rules = RuleSet(tuple(Rule(str(i), node) for i, node in enumerate(nodes)))
    found = {
        match["row"]: match["rules"]
        for match in Matcher(rules)(posts(texts)).to_pylist()
    }
    expected = {
        row: names
        for row, text in enumerate(texts)
        if (names := [r.id for r in rules.rules if explain(r, {"text": text}).true])
    }
    assert found == expected


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
