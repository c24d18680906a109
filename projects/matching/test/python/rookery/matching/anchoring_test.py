"""Rules are anchored by what is rare in posts, and match the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.matching import Matcher, Rule, RuleSet
from rookery.matching._engine import _engine
from rookery.matching._engine._anchoring import Frequencies, reanchored
from rookery.matching._engine._eager import table_of
from rookery.matching._engine._program import Program, compile_rules
from rookery.matching._language._expression import Node
from rookery.matching._language._parser import Expression
from rookery.matching.testing import expressions
from rookery.matching.testing import posts as some_posts
from rookery.records.testing import post_batch
from rookery.text import Layout


def anchors(program: Program, layout: Layout) -> Iterator[tuple[str, int, str]]:
    """Lists anchors: key, rule, key of the guard or nothing."""
    first, values = layout.anchored
    for atom, key in enumerate(program.keys):
        numbers = values[first[atom] : first[atom + 1]].tolist()
        for posting, guard in zip(numbers[::2], numbers[1::2], strict=True):
            yield key, posting // 2, program.keys[guard] if guard >= 0 else ""


def learned(rules: Sequence[str], texts: Sequence[str]) -> list[tuple[str, int, str]]:
    parsed = RuleSet.parse(rules).rules
    program = compile_rules([rule.expression.lowered for rule in parsed])
    table = table_of(program)
    often = Frequencies(len(table))
    for _ in range(2):
        often.add(table.find(pa.array(texts)), len(texts))
    nodes = [rule.expression.node for rule in parsed]
    layout = reanchored(program, program.layout, nodes, often)
    return sorted(anchors(program, layout)) if layout else []


@pytest.mark.parametrize(
    ("rule", "texts", "expected"),
    [
        # A long word that stands everywhere is no good anchor any more.
        ("california fire", ["california sun"], [("wfire", 0, "wcalifornia")]),
        (
            "california (fire OR sun)",
            ["california", "california"],
            [("wfire", 0, "wcalifornia"), ("wsun", 0, "wcalifornia")],
        ),
        ("(california fire) OR sun", ["california", "sun"], None),
        (r"california /\bsan\w+/", ["california"], [("csan", 0, "wcalifornia")]),
        # What has to be looked at every time stays where it is.
        ("california", ["california"], []),
        ("california fire", ["a post"], []),
    ],
)
def test_rules_are_anchored_by_what_is_rare(
    rule: str, texts: list[str], expected: list[tuple[str, int, str]] | None
) -> None:
    if expected is None:
        expected = [("wfire", 0, "wcalifornia"), ("wsun", 0, "")]
    assert learned([rule], texts) == expected


def test_rules_of_an_atom_stay_in_order() -> None:
    rules = ["fire", "california fire", "california fire -smoke", "fire -drill"]
    found = learned(rules, ["california"])
    assert [rule for key, rule, _ in found if key == "wfire"] == [0, 1, 2, 3]


@given(
    st.lists(expressions(), min_size=1, max_size=5),
    st.lists(some_posts(), min_size=1, max_size=5),
    st.integers(1, 3),
)
def test_what_is_matched_stays_the_same(
    nodes: list[Node], rows: list[dict[str, Any]], sample: int
) -> None:
    rules = RuleSet(
        tuple(Rule(str(i), Expression(node)) for i, node in enumerate(nodes))
    )
    batch = post_batch(rows)
    expected = Matcher(rules)(batch)
    with (
        mock.patch.object(_engine, "SAMPLE", sample),
        mock.patch.object(_engine, "BETWEEN_SAMPLES", 1),
    ):
        matcher = Matcher(rules, threads=2)
        for _ in range(3):
            assert matcher(batch).equals(expected)
