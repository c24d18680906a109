from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.text import ColumnError, PhraseError, PhraseTable, oracle
from rookery.text_native import kernel

# Words that fold into each other in odd ways, and what stands between words.
WORDS = (
    *("fire", "Fire", "FIRE", "boulder", "k", "\u212a", "s", "ſ", "ß", "ẞ", "ss"),
    *("i", "I", "İ", "ı", "Σ", "σ", "ς", "Ⱥ", "ⱥ", "Ꭰ", "ꭰ", "𐐀", "𐐨", "é", "e\u0301"),
    *("日本", "ไทย", "नमस्ते", "العربية", "_", "a_b", "42", "٣", "\u0345", "ᾳ", "ǅ"),
    *("internationalisation", "internationaliſation", "eightchr", "sixteencharacter"),
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
    *("👨‍👩‍👧", "\u200d", "\u0301", "'", "\x00", "\U0010ffff", "::", "/"),
)

texts_of_words = st.lists(
    st.sampled_from(WORDS + BETWEEN), min_size=0, max_size=12
).map("".join)
anything = st.text(max_size=12)
columns = st.lists(st.one_of(st.none(), texts_of_words, anything), max_size=6)
phrases = st.lists(st.one_of(texts_of_words, anything), max_size=6)


def found(table: PhraseTable, texts: pa.Array[Any]) -> list[tuple[int, int, int, int]]:
    hits = table.find(texts)
    for array in (hits.row, hits.phrase, hits.start, hits.end):
        assert array.dtype == np.int32
    return list(
        zip(
            hits.row.tolist(),
            hits.phrase.tolist(),
            hits.start.tolist(),
            hits.end.tolist(),
            strict=True,
        )
    )


def strings(
    texts: Sequence[str | None], kind: pa.DataType | None = None
) -> pa.Array[Any]:
    return pa.array(texts, kind or pa.string())


@given(phrases.map(lambda all: [p for p in all if oracle.words(p)]), columns)
def test_whole_words_are_found_where_the_oracle_finds_them(
    phrases: list[str], texts: list[str | None]
) -> None:
    table = PhraseTable.build(phrases)
    assert found(table, strings(texts)) == oracle.find(phrases, texts)


@given(phrases.map(lambda all: [p for p in all if p]), columns)
def test_characters_are_found_where_the_oracle_finds_them(
    phrases: list[str], texts: list[str | None]
) -> None:
    table = PhraseTable.build(phrases, boundaries=False)
    expected = oracle.find(phrases, texts, boundaries=False)
    assert found(table, strings(texts)) == expected


@given(columns, st.integers(0, 6), st.integers(0, 6))
def test_a_slice_in_any_layout_is_read_like_its_texts(
    texts: list[str | None], start: int, length: int
) -> None:
    wanted = ["fire", "k", "#boulder", "ß"]
    table = PhraseTable.build(wanted)
    expected = oracle.find(wanted, texts[start : start + length])
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        assert found(table, strings(texts, kind).slice(start, length)) == expected
    encoded = strings(texts).dictionary_encode().slice(start, length)
    assert found(table, encoded) == expected


@pytest.mark.parametrize(
    ("phrase", "text", "spans"),
    [
        ("boulder fire", "Boulder, #fire", [(0, 14)]),
        ("boulder fire", "boulder big fire", []),
        ("fire", "firefighter #fire @fire fire_", [(13, 17), (19, 23)]),
        ("#fire", "fire #fire ＃FIRE # fire", [(5, 10), (11, 16)]),
        ("@bbc", "bbc @BBC ＠bbc", [(4, 8), (9, 13)]),
        ("$aapl", "$AAPL ＄AAPL AAPL", [(0, 5)]),
        ("fire", "☀\ufe0ffire", [(2, 6)]),
        ("café", "cafe café cafe\u0301", [(5, 9)]),
        ("straße", "STRASSE STRAẞE", [(8, 14)]),
        ("kelvin", "\u212aELVIN", [(0, 6)]),
        ("a a", "a a a", [(0, 3), (2, 5)]),
        ("𐐨", "🔥𐐀", [(1, 2)]),
    ],
)
def test_a_phrase_is_found_in_these_places(
    phrase: str, text: str, spans: list[tuple[int, int]]
) -> None:
    table = PhraseTable.build([phrase])
    assert [hit[2:] for hit in found(table, strings([text]))] == spans


def test_hits_are_sorted_by_row_start_and_phrase() -> None:
    table = PhraseTable.build(["b", "a b", "#a", "a", "a"])
    assert found(table, strings(["#a b", None, "b"])) == [
        (0, 2, 0, 2),
        (0, 1, 1, 4),
        (0, 3, 1, 2),
        (0, 4, 1, 2),
        (0, 0, 3, 4),
        (2, 0, 0, 1),
    ]


def test_many_phrases_with_the_same_first_word_are_told_apart() -> None:
    phrases = [f"the word{number}" for number in range(20_000)]
    table = PhraseTable.build(phrases)
    text = "the word7 the the word19999 word3"
    assert found(table, strings([text])) == [(0, 7, 0, 9), (0, 19_999, 14, 27)]


def test_a_word_longer_than_any_phrase_is_no_hit() -> None:
    table = PhraseTable.build(["fire"])
    texts = strings(["fire" * 50_000, "ſ" * 100_000, "é fire"])
    assert found(table, texts) == [(2, 0, 2, 6)]


def test_an_empty_table_finds_nothing() -> None:
    table = PhraseTable.build([])
    assert len(table) == 0
    assert found(table, strings(["fire", None])) == []


@pytest.mark.parametrize(("phrase", "boundaries"), [("!? 🔥", True), ("", False)])
def test_a_phrase_with_nothing_to_look_for_is_refused(
    phrase: str, boundaries: bool
) -> None:
    with pytest.raises(PhraseError, match="phrase 1"):
        PhraseTable.build(["fire", phrase], boundaries=boundaries)


def test_a_phrase_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(PhraseError, match="no valid Unicode"):
        PhraseTable.build(["\ud800"])


def test_what_holds_no_text_is_refused() -> None:
    with pytest.raises(ColumnError, match="int64 holds no text"):
        PhraseTable.build(["fire"]).find(pa.array([1]))


@pytest.mark.parametrize("offsets", [[0, 1000], [-1, 2], [3, 2]])
def test_offsets_beyond_the_text_are_refused_and_not_followed(
    offsets: list[int],
) -> None:
    # pyarrow makes no such array; what comes by the C data interface may be one.
    buffer = pa.py_buffer(np.array(offsets, np.int32).tobytes())
    column = kernel.Column(None, buffer, pa.py_buffer(b"fire"), 0, 1, False)
    phrases = PhraseTable.build(["fire"])
    for read in (phrases._table.find, kernel.words, kernel.entities):
        with pytest.raises(ValueError, match="outside of the buffer"):
            read(column)


def test_buffers_that_are_too_short_are_refused() -> None:
    buffer = pa.py_buffer(np.array([0, 4], np.int32).tobytes())
    text = pa.py_buffer(b"fire")
    with pytest.raises(ValueError, match="buffer of offsets"):
        kernel.Column(None, buffer, text, 1, 1, False)
    with pytest.raises(ValueError, match="buffer of offsets"):
        kernel.Column(None, buffer, text, 0, 1, True)
    with pytest.raises(ValueError, match="buffer of validity"):
        kernel.Column(pa.py_buffer(b""), buffer, text, 0, 1, False)


@given(st.lists(st.binary(max_size=10), max_size=4))
def test_bytes_that_are_no_utf8_are_read_and_do_no_harm(texts: list[bytes]) -> None:
    joined = b"".join(texts)
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(joined)]
    column = pa.Array.from_buffers(pa.string(), len(texts), buffers)
    hits = PhraseTable.build(["fire", "\ufffd", "é"], boundaries=False).find(column)
    sizes = [len(text) for text in texts]
    assert all(hits.end[i] <= sizes[hits.row[i]] for i in range(len(hits)))


def test_threads_share_a_table() -> None:
    table = PhraseTable.build(["fire", "#fire", "a fire"])
    texts = strings(["a #fire é fire", None, "FIRE"] * 500)
    expected = found(table, texts)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: found(table, texts), range(16)):
            assert result == expected
