from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rookery.matching import Problem, Rule, RuleFormat, RuleSet, lint
from rookery.matching._language._expression import Node
from rookery.matching._language._parser import Expression
from rookery.matching._lint._meanings import Clash, Cover, Meanings
from rookery.matching.testing import expressions, holds, leaves_of_rules
from rookery.matching.testing import posts as some_posts
from rookery.records.testing import post_batch


def found(*lines: str) -> list[tuple[str, int]]:
    return [(str(one.problem), one.line) for one in lint(RuleSet.parse(lines))]


@pytest.mark.parametrize(
    "rule",
    [
        "fire -fire",
        "fire big -FIRE",
        '"big fire" -fire',
        '"big #fire" -big',
        "#fire -fire",
        "wildfire -wild*",
        "#wildfire -wild*",
        "wildfires* -wild*",
        '^"big fire" -"big fire"',
        '^"fire"$ -^"fire"',
        '"big fire"~3 -fire',
        "fire lang:en -lang:EN",
        "fire lang:en-gb -lang:en",
        "fire lang:en lang:de",
        "fire from:a from:b",
        "source:a source:b",
        "url:bbc.co.uk/news -url:bbc.co.uk",
        "(fire -big) big",
        "(a OR b) -a -b",
        "fire -(fire OR x)",
    ],
)
def test_a_rule_that_can_never_match_is_told(rule: str) -> None:
    assert found(rule) == [("never", 1)]


@pytest.mark.parametrize(
    "rule",
    [
        "fire -#fire",
        "fire -big",
        "wild* -wildfire",
        "fire lang:en -lang:en-gb",
        "fire lang:en lang:en-gb",
        "(a OR b) -a",
        "a -(a b)",
        '"big fire" -"fire big"',
        '"fire"$ -^"fire"',
        "fire -firefighter",
        "from:a source:b",
    ],
)
def test_a_rule_that_may_match_is_not(rule: str) -> None:
    assert found(rule) == []


def test_an_alternative_that_can_never_match_is_told() -> None:
    (finding,) = lint(RuleSet.parse(["x = a OR fire -fire"]))
    assert str(finding) == (
        "1: never: x: one of its alternatives never matches: it asks for fire and for"
        " -fire; leave the alternative out, or mend it"
    )


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        ("boulder fire", "x = Fire boulder"),
        ("fire", '"FIRE"'),
        ("covid-19", '"covid 19"'),
        ("a b OR a c", "a (b OR c)"),
        ("a OR a b", "x = a"),
        ("a -(b OR c)", "x = a -c -b"),
        ('"a b"~2', '"b a"~2'),
        ("x lang:EN_gb", "x lang:en-GB"),
    ],
)
def test_what_says_the_same_is_told(rule: str, other: str) -> None:
    assert found(rule, other) == [("duplicate", 2)]


@pytest.mark.parametrize(
    ("rule", "by"),
    [
        ("big fire", "fire"),
        ("fire -drill", "fire"),
        ("fire -drill -game", "fire -game"),
        ("fire -drill", 'fire -"fire drill"'),
        ('"big fire"', "fire"),
        ("#fire", "fire"),
        ("wildfire", "wild*"),
        ("big fire", "fire OR smoke"),
        ("big fire OR smoke ash", "fire OR ash"),
        ("fire lang:en-gb", "fire lang:en"),
        ('^"big fire"', '"big fire"'),
        ("(a OR b) c", "c"),
    ],
)
def test_a_rule_within_another_is_told_and_not_the_other(rule: str, by: str) -> None:
    assert found(rule, by) == [("subsumed", 1)]
    assert found(by, rule) == [("subsumed", 2)]


@pytest.mark.parametrize(
    ("rule", "by"),
    [
        ("fire", "big fire"),
        ("fire", "fire -drill"),
        ("fire -drill", "fire -drill -game"),
        ("fire OR smoke", "fire"),
        ("fire", "fires"),
        ("wild*", "wildfire"),
    ],
)
def test_a_rule_that_is_not_within_the_other_is_let_be(rule: str, by: str) -> None:
    assert ("subsumed", 1) not in found(rule, by)


def test_of_two_that_cover_each_other_the_second_is_told() -> None:
    # `fire fi*` and `fire` are the same without saying the same.
    assert found("fire fi*", "fire") == [("subsumed", 2)]


def test_a_finding_says_where_what_and_what_to_do() -> None:
    rules = RuleSet.read("rule,id\nfire,all\nbig fire,some\n", RuleFormat.CSV)
    (finding,) = lint(rules)
    assert str(finding) == (
        "3: subsumed: some: all (fire) in line 2 matches whatever it matches;"
        " delete it, unless it is counted for itself"
    )
    assert (finding.problem, finding.rule, finding.line) == (
        Problem.SUBSUMED,
        "some",
        3,
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (r"/\d+/", ["unanchored"]),
        (r"/\d+/ OR fire", ["unanchored"]),
        (r"/\d+/ fire", []),
        (r"/no\.\d+/", []),
    ],
)
def test_a_regular_expression_that_runs_on_every_post_is_told(
    rule: str, expected: list[str]
) -> None:
    assert [problem for problem, _ in found(rule)] == expected


def test_rules_that_are_not_enabled_are_passed_over() -> None:
    rules = RuleSet.parse(['{"rule": "a -a", "enabled": false}', "x = a", "y = a b"])
    assert [finding.rule for finding in lint(rules)] == ["y"]


def sample(texts: Sequence[str]) -> list[Any]:
    return [post_batch([{"text": text} for text in texts])]


def test_a_rule_that_floods_is_told_with_its_commonest_term() -> None:
    rules = RuleSet.parse(["x = the OR smoke", "y = fire"])
    posts = sample(["the fire"] * 15 + ["the smoke"] * 25 + ["no"] * 960)
    (finding,) = lint(rules, sample=posts)
    assert (finding.problem, finding.rule) == (Problem.FLOOD, "x")
    assert "4.0% (40 of 1,000 posts)" in finding.reason
    assert "its terms the is the most common" in finding.reason
    assert [one.rule for one in lint(rules, sample=posts, flood=0.01)] == ["x", "y"]


def test_a_few_posts_are_no_flood() -> None:
    assert lint(RuleSet.parse(["fire"]), sample=sample(["fire"] * 9)) == []


def groups(count: int) -> str:
    return " ".join(f"(a{n} OR b{n})" for n in range(count))


def test_a_rule_of_many_alternatives_is_compared() -> None:
    assert found(groups(8), f"{groups(8)} x") == [("subsumed", 2)]
    words = " OR ".join(f"w{n}" for n in range(1_500))
    assert found(words, "w7 x", f"{words} OR w2001") == [
        ("subsumed", 1),
        ("subsumed", 2),
    ]


def test_a_rule_of_too_many_alternatives_is_told() -> None:
    finding, other = lint(RuleSet.parse([groups(9), f"x = {groups(9)} c"]))
    assert (finding.problem, other.problem) == (Problem.UNCOMPARED,) * 2
    assert str(other) == (
        "2: uncompared: x: it has so many alternatives that it was compared with no other"
        " rule; split it into several rules"
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("fire or flood", ["operator"]),
        ("x OR (fire Or smoke)", ["operator"]),
        ("a -(b or c)", ["operator"]),
        ("fire OR flood", []),
        ('fire "or" flood', []),
        ("or", []),
        ("or OR and", []),
        ("Bed Bath and Beyond", []),
    ],
)
def test_an_or_in_lower_case_is_told(rule: str, expected: list[str]) -> None:
    assert [problem for problem, _ in found(rule)] == expected


SIMPLE = st.one_of(expressions(), leaves_of_rules())


# How fast examples are made depends on what else the machine does.
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(SIMPLE, min_size=2, max_size=6),
    st.lists(some_posts(), min_size=1, max_size=5),
)
def test_what_is_told_is_so(nodes: list[Node], posts: list[dict[str, Any]]) -> None:
    for node, doubt in zip(nodes, Meanings(nodes).doubts(), strict=True):
        for post in posts:
            match doubt:
                case Clash(whole=True):
                    assert not holds(node, post)
                case Cover(other, same):
                    assert holds(node, post) <= holds(nodes[other], post)
                    assert not same or holds(node, post) == holds(nodes[other], post)


def test_many_rules_are_compared_through_an_index() -> None:
    lines = [f"w{n} common" for n in range(4_000)]
    lines += [f"common -w{n}" for n in range(4_000)]
    lines += ["w7 common x", "common -w8 -w9"]
    findings = lint(RuleSet.parse(lines))
    assert [(one.problem, one.line) for one in findings] == [
        (Problem.SUBSUMED, 8_001),
        (Problem.SUBSUMED, 8_002),
    ]


def test_rules_made_by_a_program_are_linted_too() -> None:
    rule = Rule("x", Expression(RuleSet.parse(["a -a"]).rules[0].expression.node))
    (finding,) = lint(RuleSet((rule,)))
    assert str(finding).startswith("never: x: the rule never matches")
