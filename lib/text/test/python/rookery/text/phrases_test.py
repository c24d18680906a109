from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.text import ColumnError, PhraseError, PhraseTable, Term, TermKind
from rookery.text._columns import column
from rookery.text_native import kernel


def found(table: PhraseTable, texts: pa.Array[Any]) -> list[tuple[int, int, int, int]]:
    hits = table.find(texts)
    return [
        (int(hits.row[i]), int(hits.phrase[i]), int(hits.start[i]), int(hits.end[i]))
        for i in range(len(hits))
    ]


def strings(
    texts: Sequence[str | None], kind: pa.DataType | None = None
) -> pa.Array[Any]:
    return pa.array(texts, kind or pa.string())


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


@pytest.mark.parametrize(
    ("term", "text", "spans"),
    [
        (
            Term("fi", TermKind.PREFIX),
            "Fires fi, offi FIRE",
            [(0, 5), (6, 8), (15, 19)],
        ),
        (Term("#fi", TermKind.PREFIX), "fire #fire", [(5, 10)]),
        (Term("big fi", TermKind.PREFIX), "a BIG, #fire big f", [(2, 12)]),
        (Term("stra", TermKind.PREFIX), "\u017ftraße", [(0, 6)]),
        (Term("internationalis", TermKind.PREFIX), "Internationalisation", [(0, 20)]),
        (Term("cafe", TermKind.PREFIX), "cafe\u0301s", [(0, 6)]),
        (Term("\u212a", TermKind.PREFIX), "Kelvin", [(0, 6)]),
        (Term("aa", TermKind.SUBSTRING), "aAaa", [(0, 2), (1, 3), (2, 4)]),
        (Term("火", TermKind.SUBSTRING), "山火事", [(1, 2)]),
        (Term("👩", TermKind.SUBSTRING), "👨‍👩‍👧", [(2, 3)]),
        (Term("d f", TermKind.SUBSTRING), "A wilD Fire", [(5, 8)]),
        (Term("big fire"), "A BIG fire", [(2, 10)]),
    ],
)
def test_a_term_is_found_in_these_places(
    term: Term, text: str, spans: list[tuple[int, int]]
) -> None:
    table = PhraseTable.build([term])
    assert [hit[2:] for hit in found(table, strings([text]))] == spans


def test_hits_know_their_words() -> None:
    terms = [
        *(Term("big fire"), Term("#fi", TermKind.PREFIX)),
        *(Term("🔥", TermKind.SUBSTRING), Term("g #f", TermKind.SUBSTRING)),
    ]
    hits = PhraseTable.build(terms).find(strings(["a BIG #fire 🔥 é"]))
    words = zip(hits.phrase, hits.first_word, hits.last_word, strict=True)
    assert [tuple(map(int, hit)) for hit in words] == [
        *((0, 1, 2), (3, 1, 2), (1, 2, 2), (2, 3, 2))
    ]


def test_substrings_that_end_alike_are_all_found() -> None:
    # Each is a suffix of the next, so that failure links lead from one to the other.
    wanted = ["he", "she", "ushe", "xushe", "e", "us"]
    table = PhraseTable.build(wanted, boundaries=False)
    text = "ushers"
    assert {wanted[phrase] for _, phrase, _, _ in found(table, strings([text]))} == {
        *("he", "she", "ushe", "e", "us")
    }


def test_more_substrings_than_have_full_rows_are_told_apart() -> None:
    wanted = [
        f"{first}{second}ü{first}x" for first in "abcdefgh" for second in range(99)
    ]
    table = PhraseTable.build(wanted, boundaries=False)
    text = "--".join(wanted)
    hits = found(table, strings([text]))
    assert [phrase for _, phrase, _, _ in hits] == list(range(len(wanted)))
    assert all(text[start:end] == wanted[phrase] for _, phrase, start, end in hits)


def test_no_thread_is_too_few() -> None:
    with pytest.raises(ValueError, match="at least one"):
        PhraseTable.build(["fire"]).find(strings(["fire"]), threads=0)


def test_a_post_of_a_megabyte_is_read_to_its_end() -> None:
    text = "é Boulder #fire, 🔥 " * 50_000
    table = PhraseTable.build(
        ["boulder fire", Term("fi", TermKind.PREFIX), Term("🔥", TermKind.SUBSTRING)]
    )
    hits = found(table, strings([text]))
    assert hits == [
        (0, phrase, 19 * at + start, 19 * at + end)
        for at in range(50_000)
        for phrase, start, end in ((0, 2, 15), (1, 11, 15), (2, 17, 18))
    ]


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


@pytest.mark.parametrize(
    ("phrase", "boundaries"),
    [
        *(("!? 🔥", True), ("", False), (Term("", TermKind.SUBSTRING), True)),
        (Term("!", TermKind.PREFIX), False),
    ],
)
def test_a_phrase_with_nothing_to_look_for_is_refused(
    phrase: str | Term, boundaries: bool
) -> None:
    with pytest.raises(PhraseError, match="phrase 1"):
        PhraseTable.build(["fire", phrase], boundaries=boundaries)


def test_a_kind_is_needed_for_each_phrase() -> None:
    with pytest.raises(ValueError, match="0 kinds of 1 phrases"):
        kernel.Table(column(strings(["fire"])), b"")


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
    damaged = kernel.Column(None, buffer, pa.py_buffer(b"fire"), 0, 1, False)
    phrases = PhraseTable.build(["fire"])
    assert len(phrases) == 1
    for read in (phrases._table.find, kernel.words, kernel.entities):
        with pytest.raises(ValueError, match="outside of the buffer"):
            read(damaged)


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
    broken = pa.Array.from_buffers(pa.string(), len(texts), buffers)
    hits = PhraseTable.build(["fire", "\ufffd", "é"], boundaries=False).find(broken)
    sizes = [len(text) for text in texts]
    assert all(hits.end[i] <= sizes[hits.row[i]] for i in range(len(hits)))


def test_threads_share_a_table() -> None:
    table = PhraseTable.build(["fire", "#fire", "a fire"])
    texts = strings(["a #fire é fire", None, "FIRE"] * 500)
    expected = found(table, texts)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: found(table, texts), range(16)):
            assert result == expected


@pytest.mark.parametrize("first", range(40))
def test_a_phrase_is_found_wherever_it_begins(first: int) -> None:
    # The kernel reads some words ahead: phrases go on from those to the next ones.
    phrases = ["boulder fire today", "fire", "filler"]
    text = " ".join(["filler"] * first + ["Boulder fire", "TODAY"] + ["filler"] * 3)
    hits = PhraseTable.build(phrases).find(pa.array([text]))
    found = list(zip(hits.phrase.tolist(), hits.first_word.tolist(), strict=True))
    assert found == (
        [(2, word) for word in range(first)]
        + [(0, first), (1, first + 1)]
        + [(2, first + 3 + word) for word in range(3)]
    )
