"""All matches of a regular expression are told, as Python's `re` finds them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.matching import explain, parse_rule
from rookery.matching._language._pattern import parse_pattern
from rookery.matching.testing import PATTERNS, texts
from rookery.text import fold

# Expressions of which the second match is easily missed or made up.
TRICKY = st.sampled_from(
    [
        *(r"\bx\b", r"\bx", r"x\b", r"\b\w+\b", r"^x", r"(?:^|x)y", r"x$", r"^x$"),
        *(r"x+?", r"x|xy", r"xy|x", r"\w\W", r"\d\d", r"[^x]x", r"x.", r"(x|^)y\b"),
        *(r"é\b", r"\b(?:x|é)", r"\b(?:x|xy)\b", r"\s\w", r"x\s?x"),
    ]
)
TRICKY_TEXTS = st.text("xy é1_🔥\n", max_size=20)


def by_python(source: str, text: str) -> list[tuple[int, int]]:
    pattern = re.sub(r"\$$", r"\\Z", source)
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


@given(TRICKY, st.lists(TRICKY_TEXTS, max_size=4), st.integers(1, 5))
def test_matches_are_those_of_python(source: str, some: list[str], most: int) -> None:
    found = parse_pattern(source).search([fold(text) for text in some], most)
    assert found == [by_python(source, text)[:most] for text in some]


@given(PATTERNS, st.lists(texts(), max_size=3))
def test_matches_in_posts_are_those_of_python(source: str, some: list[str]) -> None:
    found = parse_pattern(source).search([fold(text) for text in some], 100)
    assert found == [by_python(source, text) for text in some]


@pytest.mark.parametrize(
    ("rule", "text", "spans"),
    [
        (r"/covid-?\d+/", "COVID19, covid-2 🔥 covid3", ((0, 7), (9, 16), (19, 25))),
        (r"/\bfire\b/", "fire fire fires", ((0, 4), (5, 9))),
        ("/^fire/", "fire fire", ((0, 4),)),
        ("/fire$/", "fire fire", ((5, 9),)),
    ],
)
def test_every_place_of_an_expression_is_explained(
    rule: str, text: str, spans: tuple[tuple[int, int], ...]
) -> None:
    assert explain(parse_rule(rule), {"text": text}).spans == spans
