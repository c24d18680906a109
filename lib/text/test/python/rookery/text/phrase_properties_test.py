"""The kernel finds the phrases that the oracle finds, in any text."""

from __future__ import annotations

import itertools
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from rookery.text import PhraseTable, Term, TermKind, oracle
from rookery.text.testing import columns_of

# Words that fold into each other in odd ways, and what stands between words.
WORDS = (
    *("fire", "Fire", "FIRE", "boulder", "k", "\u212a", "s", "ſ", "ß", "ẞ", "ss"),
    *("i", "I", "İ", "ı", "Σ", "σ", "ς", "Ⱥ", "ⱥ", "Ꭰ", "ꭰ", "𐐀", "𐐨", "é", "e\u0301"),
    *("日本", "ไทย", "नमस्ते", "العربية", "_", "a_b", "42", "٣", "\u0345", "ᾳ", "ǅ"),
    *("internationalisation", "internationaliſation", "eightchr", "sixteencharacter"),
    *("fir", "fi", "f", "INTERNATIONAL", "боулдер", "БОУЛДЕР", "\u1e9b", "Å", "\u212b"),
)
BETWEEN = (
    *(
        " ",
        ", ",
        "#",
        " #",
        "＃",
        " @",
        "＠",
        "$",
        "-",
        "\n",
        "\u00a0",
        "🔥",
        "☀\ufe0f",
    ),
    *("👨‍👩‍👧", "\u200d", "\u0301", "'", "\x00", "\U0010ffff", "::", "/", "\u202e"),
    *("\u200f", "\u061c", " " * 61, "." * 64, "🇩🇪", "1️⃣"),
)

PIECES = (*WORDS, *WORDS, *BETWEEN)

Case: TypeAlias = tuple[list[Term], list[str | None]]


def _case(
    texts: list[str | None],
    others: list[str | None],
    cuts: bytes,
    kinds: list[tuple[TermKind, bool, bool]],
) -> Case:
    # Half of the terms are cut out of the texts, so that there is something to find.
    # What is no term is dropped: that is cheaper than trying others in its place.
    for which, start, length in zip(cuts[::3], cuts[1::3], cuts[2::3], strict=False):
        text = texts[which % len(texts)] or ""
        start %= len(text) + 1
        cut = text[start : start + length % 16]
        others = [*others, cut.swapcase() if length & 16 else cut]
    terms = [
        Term(text, kind, at_start, at_end)
        for text, (kind, at_start, at_end) in zip(others, itertools.cycle(kinds))
        if text and (kind is TermKind.SUBSTRING or oracle.words(text))
    ]
    return terms, texts


rarely = st.sampled_from([False, False, False, True])
cases = st.builds(
    _case,
    columns_of(PIECES),
    columns_of([*WORDS * 4, *(f"{word} " for word in WORDS), *PIECES], length=2),
    st.binary(min_size=3, max_size=18),
    st.lists(
        st.tuples(st.sampled_from(TermKind), rarely, rarely), min_size=1, max_size=4
    ),
)


def found(
    table: PhraseTable, texts: pa.Array[Any], threads: int = 1
) -> list[tuple[int, ...]]:
    hits = table.find(texts, threads=threads)
    places = (hits.row, hits.phrase, hits.start, hits.end)
    arrays = (*places, hits.first_word, hits.last_word)
    for array in arrays:
        assert array.dtype == np.int32
        assert not array.flags.writeable
    return list(zip(*(array.tolist() for array in arrays), strict=True))


@given(cases)
def test_terms_are_found_where_the_oracle_finds_them(case: Case) -> None:
    terms, texts = case
    table = PhraseTable.build(terms)
    assert found(table, pa.array(texts, pa.string())) == oracle.find(terms, texts)


@given(cases, st.booleans())
def test_texts_without_a_kind_have_that_of_the_table(
    case: Case, boundaries: bool
) -> None:
    terms, texts = case
    phrases = [term.text for term in terms if oracle.words(term.text)]
    table = PhraseTable.build(phrases, boundaries=boundaries)
    expected = oracle.find(phrases, texts, boundaries=boundaries)
    assert found(table, pa.array(texts, pa.string())) == expected


@given(cases, st.integers(1, 9))
def test_any_number_of_threads_finds_the_same(case: Case, threads: int) -> None:
    terms, texts = case
    table = PhraseTable.build(terms)
    array = pa.array(texts, pa.large_string())
    assert found(table, array, threads) == found(table, array)


@given(cases, st.integers(0, 6), st.integers(0, 6), st.integers(1, 3))
def test_a_slice_in_any_layout_is_read_like_its_texts(
    case: Case, start: int, length: int, threads: int
) -> None:
    terms, texts = case
    table = PhraseTable.build(terms)
    expected = oracle.find(terms, texts[start : start + length])
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        array = pa.array(texts, kind).slice(start, length)
        assert found(table, array, threads) == expected
    encoded = pa.array(texts, pa.string()).dictionary_encode().slice(start, length)
    assert found(table, encoded, threads) == expected


@given(
    st.lists(st.text("abAB", min_size=1, max_size=6), min_size=1, max_size=12),
    st.lists(st.text("abAB", max_size=40), max_size=3),
)
def test_substrings_that_overlap_are_all_found(
    phrases: list[str], texts: list[str]
) -> None:
    table = PhraseTable.build(phrases, boundaries=False)
    expected = oracle.find(phrases, texts, boundaries=False)
    assert found(table, pa.array(texts, pa.string())) == expected
