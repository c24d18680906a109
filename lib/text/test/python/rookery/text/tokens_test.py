from __future__ import annotations

import re
import sys
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given

from rookery.text import UNICODE_VERSION, ColumnError, fold, oracle, tables, tokens
from rookery.text.testing import columns_of
from rookery.text_native import kernel

EVERY_CHARACTER = "".join(
    map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)])
)


PIECES = (
    *(
        " ",
        ",",
        "_",
        "#",
        "-",
        "'",
        "a",
        "Z",
        "0",
        "é",
        "ß",
        "\u0301",
        "e\u0301",
        "日本",
    ),
    *(
        "ไทย",
        "नमस्ते",
        "अ",
        "①",
        "٣",
        "Ⅷ",
        "\u20e3",
        "\ufe0f",
        "\u200d",
        "☀",
        "🔥",
        "𐐀",
    ),
    *(" " * 61, "x" * 62, "é" * 31, "." * 64, "日" * 21, "\x00", "\x7f", "\U0010ffff"),
)


def test_the_kernel_knows_the_same_unicode_as_python() -> None:
    assert UNICODE_VERSION == unicodedata.unidata_version


def test_every_character_is_folded_as_python_does_it() -> None:
    assert kernel.fold(EVERY_CHARACTER) == oracle.fold(EVERY_CHARACTER)


def test_folding_twice_is_folding_once() -> None:
    folded = fold(EVERY_CHARACTER)
    assert fold(folded) == folded


def test_every_character_begins_or_continues_a_word_as_re_has_it() -> None:
    begins = set(re.findall(r"\w", EVERY_CHARACTER))
    for character in EVERY_CHARACTER:
        is_mark = unicodedata.category(character).startswith("M")
        expected = 3 if character in begins else 1 if is_mark else 0
        assert kernel.character_class(character) & 3 == expected, hex(ord(character))


def test_every_character_is_a_letter_or_digit_of_hashtags_as_unicode_has_it() -> None:
    for character in EVERY_CHARACTER:
        category = unicodedata.category(character)
        expected = 4 if category[0] in "LM" else 8 if category == "Nd" else 0
        assert kernel.character_class(character) & 12 == expected, hex(ord(character))


def test_the_tables_can_be_made_again() -> None:
    assert f'"{UNICODE_VERSION}"' in tables.header()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("STRAẞE", "straße"),
        ("İstanbul", "İstanbul"),
        ("\u212a ſ", "k s"),
        ("ΣΊΣΥΦΟΣ ς", "σίσυφοσ σ"),
        ("𐐀", "𐐨"),
        ("ᾈ", "ᾀ"),
        ("", ""),
    ],
)
def test_case_is_folded_one_character_into_one(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert len(folded) == len(text)


@given(columns_of(PIECES))
def test_words_are_where_the_oracle_finds_them(texts: list[str | None]) -> None:
    found = tokens(pa.array(texts, pa.string()))
    expected = [
        (row, *span)
        for row, text in enumerate(texts)
        if text is not None
        for span in oracle.words(text)
    ]
    rows = zip(
        found.row.tolist(), found.start.tolist(), found.end.tolist(), strict=True
    )
    assert list(rows) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't stop", ["don", "t", "stop"]),
        ("e\u0301te\u0301 \u0301x", ["e\u0301te\u0301", "x"]),
        ("☀\ufe0ffire", ["fire"]),
        ("a_b 4mile ٣", ["a_b", "4mile", "٣"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("👨‍👩‍👧", []),
    ],
)
def test_a_text_has_these_words(text: str, words: list[str]) -> None:
    found = tokens(pa.array([text]))
    spans = zip(found.start.tolist(), found.end.tolist(), strict=True)
    assert [text[start:end] for start, end in spans] == words


def test_words_of_what_holds_no_text_are_refused() -> None:
    with pytest.raises(ColumnError, match="holds no text"):
        tokens(pa.array([True]))
