"""The kernel evaluates expressions as loops in Python do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.text import (
    FALSE,
    TRUE,
    Candidates,
    ColumnError,
    Expressions,
    Layout,
    PhraseTable,
    Term,
    TermKind,
    Truths,
    oracle,
)

# Atoms: phrases, nears (any order, so many others among them), known ones, open ones.
PHRASES = (
    *("a", "b", "c", "a b", "#a", Term("a", at_start=True), Term("b", at_end=True)),
    *(Term("x", TermKind.SUBSTRING), Term("c", TermKind.PREFIX)),
)
NEARS = (((0, 1), (1, 1), 1), ((0, 2), (1, 1), 0), ((2, 1), (4, 1), 2))
FIRST_NEAR = len(PHRASES)
ALWAYS = FIRST_NEAR + len(NEARS)
KNOWN = ALWAYS + 1
OPEN = KNOWN + 1
# An open atom is the case only where its trigger is, or anywhere.
TRIGGERS = ((0,), (), (1, 7))
ATOMS = OPEN + len(TRIGGERS)

Literal = tuple[int, bool]
Clauses = list[list[Literal]]


def lists(values: Sequence[Sequence[int]]) -> Any:
    first = np.cumsum([0, *map(len, values)]).astype(np.int32)
    return first, np.array([each for some in values for each in some], np.int32)


def int32(*values: int) -> Any:
    return np.array(values, np.int32)


def code_of(clauses: Clauses) -> list[int]:
    """Joins literals: some of each clause, all clauses."""
    code: list[int] = []
    place = 0
    for number, clause in enumerate(clauses):
        behind = place + len(clause)
        if_true = TRUE if number == len(clauses) - 1 else behind
        for _, negated in clause:
            place += 1
            if_false = FALSE if place == behind else place
            code += [if_false, if_true, 1] if negated else [if_true, if_false, 0]
    return code


def layout_of(
    rules: Sequence[Clauses], anchored: Sequence[Sequence[int]] | None = None
) -> Layout:
    everywhere = [n for rule in range(len(rules)) for n in (2 * rule, -1)]
    postings: list[Sequence[int]] = [[] for _ in range(ATOMS)]
    postings[ALWAYS] = everywhere
    nears: list[list[int]] = [[] for _ in range(FIRST_NEAR)]
    for near, (word, *_) in enumerate(NEARS):
        nears[word[0]].append(near)
    return Layout(
        atoms=ATOMS,
        first_near=FIRST_NEAR,
        open=OPEN,
        leaves=lists([[atom for part in rule for atom, _ in part] for rule in rules]),
        shape=int32(*range(len(rules))),
        code=lists(list(map(code_of, rules))),
        anchored=lists(postings if anchored is None else anchored),
        triggers=lists(TRIGGERS),
        near=lists([[n for word in words for n in word] for *words, _ in NEARS]),
        distance=int32(*(distance for *_, distance in NEARS)),
        near_of=lists(nears),
    )


@dataclass(frozen=True)
class Scene:
    """What is true of a text: the places of each atom; none where it has no place."""

    places: dict[int, list[tuple[int, int]]]


def scene_of(text: str | None, known: bool) -> Scene:
    places: dict[int, list[tuple[int, int]]] = {ALWAYS: []}
    if known:
        places[KNOWN] = []
    hits = oracle.find(PHRASES, [text])
    for hit in sorted(hits, key=lambda hit: (hit.phrase, hit.start, hit.end)):
        places.setdefault(hit.phrase, []).append((hit.start, hit.end))
    for near, (*words, distance) in enumerate(NEARS):
        if stretches := _near(hits, dict(words), distance):
            places[FIRST_NEAR + near] = stretches
    return Scene(places)


def _near(
    hits: list[oracle.Hit], wanted: dict[int, int], distance: int
) -> list[tuple[int, int]]:
    """Lists stretches from each word on; those that contain another one fall away."""
    found: list[tuple[int, int, int, int]] = []
    ordered = sorted(
        (hit for hit in hits if hit.phrase in wanted),
        key=lambda hit: (hit.first_word, list(wanted).index(hit.phrase)),
    )
    for first, begin in enumerate(ordered):
        for last in range(first, len(ordered)):
            inside = [hit.phrase for hit in ordered[first : last + 1]]
            if all(inside.count(each) >= many for each, many in wanted.items()):
                found.append((first, last, begin.start, ordered[last].end))
                break
    smallest = [
        one
        for one in found
        if not any(
            other != one and one[0] <= other[0] and other[1] <= one[1]
            for other in found
        )
    ]
    most = sum(wanted.values()) + distance
    return [
        (start, end)
        for first, last, start, end in smallest
        if ordered[last].first_word - ordered[first].first_word < most
    ]


def is_true(rule: Clauses, true: set[int]) -> bool:
    return all(any((atom in true) != no for atom, no in clause) for clause in rule)


def run(
    layout: Layout,
    texts: Sequence[str | None],
    known: Sequence[bool],
    opened: set[int],
    limit: int = 100,
) -> tuple[Candidates, Truths]:
    table = PhraseTable.build(PHRASES)
    expressions = Expressions(table, layout)
    others = [row << 32 | ALWAYS for row in range(len(texts))]
    others += [row << 32 | KNOWN for row, is_known in enumerate(known) if is_known]
    candidates = expressions.match(
        pa.array(texts, pa.string()), np.array(sorted(others), np.int64)
    )
    wanted = zip(candidates.row.tolist(), candidates.atom.tolist(), strict=True)
    found = [row << 32 | atom for row, atom in wanted if atom in opened]
    truths = expressions.settle(
        candidates,
        np.array(sorted([*others, *found]), np.int64),
        expressions=limit,
        of_leaf=limit,
        of_text=limit,
    )
    return candidates, truths


def spans_of(truths: Truths) -> list[tuple[int, list[int], list[tuple[int, ...]]]]:
    spans: list[tuple[int, ...]] = list(
        zip(
            truths.span_expression.tolist(),
            truths.clause.tolist(),
            truths.start.tolist(),
            truths.end.tolist(),
            strict=True,
        )
    )
    expressions = truths.expression.tolist()
    found: list[tuple[int, list[int], list[tuple[int, ...]]]] = []
    for row, count, places in zip(
        truths.row.tolist(),
        truths.expressions.tolist(),
        truths.spans.tolist(),
        strict=True,
    ):
        found.append((row, expressions[:count], spans[:places]))
        del expressions[:count], spans[:places]
    assert not expressions
    assert not spans
    return found


texts_of_words = st.lists(
    st.sampled_from(["a", "b", "c", "#a", "cc", "x", ",", "ax", "é"]), max_size=9
).map(" ".join)
literals = st.tuples(st.integers(0, ATOMS - 1), st.booleans())
rules_of_literals = st.lists(
    st.lists(st.lists(literals, min_size=1, max_size=3), min_size=1, max_size=3),
    max_size=5,
)


@given(
    rules_of_literals,
    st.lists(st.tuples(st.none() | texts_of_words, st.booleans()), max_size=5),
    st.sets(st.integers(OPEN, ATOMS - 1)),
)
def test_expressions_are_true_of_what_they_are_true_of_in_python(
    rules: list[Clauses], rows: list[tuple[str | None, bool]], opened: set[int]
) -> None:
    texts, known = [text for text, _ in rows], [is_known for _, is_known in rows]
    _, truths = run(layout_of(rules), texts, known, opened)
    expected = []
    for row, (text, is_known) in enumerate(rows):
        scene = scene_of(text, is_known)
        true = set(scene.places)
        for atom, triggers in enumerate(TRIGGERS, OPEN):
            if atom in opened and (not triggers or true.intersection(triggers)):
                true.add(atom)
        matching = [n for n, rule in enumerate(rules) if is_true(rule, true)]
        spans = [
            (number, clause, *place)
            for number in matching
            for clause, (atom, negated) in enumerate(
                [literal for part in rules[number] for literal in part]
            )
            if not negated
            for place in scene.places.get(atom, [])
        ]
        if matching:
            expected.append((row, matching, spans))
    assert spans_of(truths) == expected


def test_only_what_decides_is_asked_for() -> None:
    rules: list[Clauses] = [
        [[(0, False)], [(OPEN + 1, False)]],  # a and something open
        [[(0, False), (OPEN + 1, False)]],  # a or something open
        [[(2, False)], [(OPEN, True)]],  # c and not something that needs an a
    ]
    candidates, _ = run(layout_of(rules), ["b", "a", "a", "c"], [False] * 4, set())
    asked = list(zip(candidates.row.tolist(), candidates.atom.tolist(), strict=True))
    assert asked == [(0, OPEN + 1), (1, OPEN + 1), (2, OPEN + 1), (3, OPEN + 1)]


def test_anchors_and_guards_put_expressions_aside() -> None:
    # Of itself the expression is true of each text: what it depends on is the anchor.
    rules: list[Clauses] = [[[(ALWAYS, False)]]] * 3
    anchored: list[list[int]] = [[] for _ in range(ATOMS)]
    anchored[0] = [0, -1, 2, 1]
    anchored[2] = [2 * 2 + 1, KNOWN]
    texts = ["a", "b", "a b", "c", "c"]
    _, truths = run(layout_of(rules, anchored), texts, [False] * 4 + [True], set())
    found = [(row, expressions) for row, expressions, _ in spans_of(truths)]
    assert found == [(0, [0]), (2, [0, 1]), (4, [2])]


def test_an_anchor_that_proves_an_expression_leaves_nothing_to_evaluate() -> None:
    rules: list[Clauses] = [[[(0, True)]]] * 2
    anchored: list[list[int]] = [[] for _ in range(ATOMS)]
    anchored[0] = [0, -1, 3, -1]
    _, truths = run(layout_of(rules, anchored), ["a"], [False], set())
    assert truths.expression.tolist() == [1]


def test_many_expressions_of_a_text_are_in_order() -> None:
    count = 500
    rules: list[Clauses] = [[[(ALWAYS, False)]]] * count
    anchored: list[list[int]] = [[] for _ in range(ATOMS)]
    for number in range(count):
        anchored[number % 3] += [2 * number, -1]
    _, truths = run(layout_of(rules, anchored), ["c b a", "b"], [False] * 2, set())
    assert [expressions for _, expressions, _ in spans_of(truths)] == [
        list(range(count)),
        list(range(1, count, 3)),
    ]


def test_spans_are_bounded() -> None:
    rules: list[Clauses] = [[[(0, False)], [(1, False)]]] * 3
    layout = layout_of(rules)
    for limit, expected in ((2, 2), (3, 3), (100, 2 * 3 * 6)):
        _, truths = run(layout, ["a b " * 6], [False], set(), limit)
        assert truths.expression.tolist() == [0, 1, 2]
        assert truths.spans.tolist() == [expected]


def test_a_text_of_a_megabyte_is_evaluated() -> None:
    text = "a x b " * 180_000
    _, truths = run(
        layout_of([[[(FIRST_NEAR, False)]]]), [text], [False], set(), 1 << 40
    )
    # Each a and the b behind it, and each b and the a behind it.
    assert truths.spans.tolist() == [2 * 180_000 - 1]


@pytest.mark.parametrize(
    "change",
    [
        {"atoms": -1},
        {"open": ATOMS + 1},
        {"first_near": FIRST_NEAR - 1},
        {"first_near": OPEN},
        {"leaves": (int32(0, 1), int32(ATOMS))},
        {"leaves": (int32(0, 1), int32(-1))},
        {"leaves": (int32(0, 0), int32())},
        {"leaves": (int32(0, 2), int32(0))},
        {"leaves": (int32(1, 1), int32(0))},
        {"leaves": (int32(), int32())},
        {"shape": int32(1)},
        {"shape": int32(-1)},
        {"shape": int32(0, 0)},
        {"code": (int32(0, 3), int32(0, FALSE, 0))},
        {"code": (int32(0, 3), int32(TRUE, 1, 0))},
        {"code": (int32(0, 3), int32(TRUE, -3, 0))},
        {"code": (int32(0, 2), int32(TRUE, FALSE))},
        {"code": (int32(0, 6), int32(TRUE, FALSE, 0, TRUE, FALSE, 0))},
        {"anchored": lists([[2, -1], *[[]] * (ATOMS - 1)])},
        {"anchored": lists([[0, OPEN], *[[]] * (ATOMS - 1)])},
        {"anchored": lists([[0], *[[]] * (ATOMS - 1)])},
        {"anchored": lists([[]] * (ATOMS - 1))},
        {"triggers": lists([[OPEN], [], []])},
        {"triggers": lists([[], []])},
        {"near": lists([[0, 1], [FIRST_NEAR, 1], [0, 1]])},
        {"near": lists([[0, 1], [0, 0], [0, 1]])},
        {"distance": int32(0)},
        {"near_of": lists([[3], *[[]] * (FIRST_NEAR - 1)])},
        {"near_of": lists([[]])},
    ],
)
def test_a_layout_that_leads_nowhere_is_refused(change: dict[str, Any]) -> None:
    layout = layout_of([[[(0, False)]]])
    table = PhraseTable.build(PHRASES)
    Expressions(table, layout)
    with pytest.raises(ValueError, match="damaged|shapes|distances|first value"):
        Expressions(table, replace(layout, **change))


@pytest.mark.parametrize(
    "others",
    [[0], [OPEN], [ATOMS], [1 << 32 | KNOWN], [-1], [1 << 32 | KNOWN, KNOWN]],
)
def test_what_is_no_fact_of_the_texts_is_refused(others: list[int]) -> None:
    expressions = Expressions(PhraseTable.build(PHRASES), layout_of([]))
    with pytest.raises(ValueError, match="is damaged"):
        expressions.match(pa.array(["a"]), np.array(others, np.int64))


def test_what_is_no_text_is_refused() -> None:
    expressions = Expressions(PhraseTable.build(PHRASES), layout_of([]))
    with pytest.raises(ColumnError, match="holds no text"):
        expressions.match(pa.array([1]), np.array([], np.int64))
