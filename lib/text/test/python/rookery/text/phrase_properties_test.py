"""The kernel finds the phrases that the oracle finds, in any text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.text import PhraseTable, Term, TermKind, oracle

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

texts_of_words = st.lists(st.sampled_from(WORDS + BETWEEN), max_size=12).map("".join)
anything = st.text(max_size=12)
# Longer than the blocks in which the kernel reads.
long = st.lists(texts_of_words, min_size=4, max_size=8).map("".join)
columns = st.lists(
    st.one_of(st.none(), texts_of_words, anything, long, st.just("")), max_size=6
)
terms = st.lists(
    st.builds(
        Term,
        st.one_of(st.sampled_from(WORDS), texts_of_words, anything),
        st.sampled_from(TermKind),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([False, False, False, True]),
    ).filter(
        lambda term: bool(
            term.text if term.kind is TermKind.SUBSTRING else oracle.words(term.text)
        )
    ),
    max_size=8,
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


@given(terms, columns)
def test_terms_are_found_where_the_oracle_finds_them(
    terms: list[Term], texts: list[str | None]
) -> None:
    table = PhraseTable.build(terms)
    assert found(table, pa.array(texts, pa.string())) == oracle.find(terms, texts)


@given(terms, columns, st.booleans())
def test_texts_without_a_kind_have_that_of_the_table(
    terms: list[Term], texts: list[str | None], boundaries: bool
) -> None:
    phrases = [term.text for term in terms if oracle.words(term.text)]
    table = PhraseTable.build(phrases, boundaries=boundaries)
    expected = oracle.find(phrases, texts, boundaries=boundaries)
    assert found(table, pa.array(texts, pa.string())) == expected


@given(terms, columns, st.integers(1, 9))
def test_any_number_of_threads_finds_the_same(
    terms: list[Term], texts: list[str | None], threads: int
) -> None:
    table = PhraseTable.build(terms)
    array = pa.array(texts, pa.large_string())
    assert found(table, array, threads) == found(table, array)


@given(terms, columns, st.integers(0, 6), st.integers(0, 6), st.integers(1, 3))
def test_a_slice_in_any_layout_is_read_like_its_texts(
    terms: list[Term],
    texts: list[str | None],
    start: int,
    length: int,
    threads: int,
) -> None:
    table = PhraseTable.build(terms)
    expected = oracle.find(terms, texts[start : start + length])
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        array = pa.array(texts, kind).slice(start, length)
        assert found(table, array, threads) == expected
    encoded = pa.array(texts, pa.string()).dictionary_encode().slice(start, length)
    assert found(table, encoded, threads) == expected


@pytest.mark.timeout(60)
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
