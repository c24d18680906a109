"""The kernel finds the entities that twitter-text's patterns find, in any text."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from rookery.text import Entities, EntityKind, entities, oracle
from rookery.text._tlds import TOP_LEVEL_DOMAINS
from rookery.text.testing import columns_of
from rookery.text_native import kernel

PIECES = (
    *("#", "@", "$", "＃", "＠", "/", "//", "://", "http://", "https://", "HTTPS://"),
    *(".", "..", "-", "_", "+", "~", "&", ":", "?", "(", ")", "'", '"', ",", "!", "="),
    *("[", "|", "%", "\\", "`", " ", "\n", "\x85", "\xa0", "\u180e", "\u3000"),
    *("\u200e", "\u202a", "\u202e", "\ufeff", "\ufffe", "\ufe0f", "\ufe0e", "\u20e3"),
    *("\u200c", "\u200d", "\u2013", "\x00", "\x7f", "\u0378", "\uf8d0", "\uf883"),
    *("rt", "RT", "rT:", "a", "b1", "42", "TEST", "aapl", "twitter", "www.", "user"),
    *("com", "co", "jp", "みんな", "香港", "한국", "РФ", "嘉里", "嘉里大酒店"),
    *("भारतम्", "भारत", "VERMÖGENSBERATER", "xn--", "xn--p1ai", "http://xn--", "Xn--"),
    *(".com", ".jp", ".co.uk", ".tv", "t.co/", "http://t.co/", "example.com"),
    *("a.b.org", "x_y.net", "_a.com", "-a.com", "a_b.c.org", "été.com", "。com", "．a"),
    *(
        "日本",
        "です",
        "。",
        "é",
        "ß",
        "İ",
        "ſ",
        "\u212a",
        "e\u0301",
        "\u0301",
        "Ж",
        "ー",
    ),
    *("☀", "👨‍👩‍👧", "𐐀", "①", "²", "Ⅷ", "٣", "・", "1️⃣", "اليوم", "ไทย", "עברית"),
    *("x" * 21, "slug" * 11, "日" * 20, "ü" * 30, "a" * 60, "?a=b", "(b)", "(b(c)d)"),
    *("/list", "/a-b", "@user", "#tag", "$CASH", "/é–b", ":80", "/ъ", "?", "/"),
)
NAMES = ("hashtags", "mentions", "lists", "cashtags", "urls")

# What entities begin with comes up more often, and each of the domains sometimes.
BEGINNINGS = (
    " #",
    " @",
    " $",
    "#",
    "@",
    " http://",
    " a.",
    " été.",
    "RT@",
    " \u3000",
    " ",
)
texts = columns_of(
    [
        *BEGINNINGS * 200,
        *PIECES * 40,
        *(f".{domain}" for domain in sorted(TOP_LEVEL_DOMAINS)),
    ]
)


def places(found: Entities) -> list[tuple[int, str, int, int]]:
    rows = zip(
        found.places.row.tolist(),
        found.places.kind.tolist(),
        found.places.start.tolist(),
        found.places.end.tolist(),
        strict=True,
    )
    return [
        (row, EntityKind(kind).name.lower(), start, end)
        for row, kind, start, end in rows
    ]


def column(found: Entities, name: str) -> list[list[str]]:
    values: pa.ListArray[Any] = getattr(found, name)
    values.validate(full=True)
    return [list(value or ()) for value in values.to_pylist()]


@given(texts)
def test_entities_are_those_that_the_patterns_find(texts: list[str | None]) -> None:
    found = entities(pa.array(texts, pa.string()))
    expected = [oracle.entities(text or "") for text in texts]
    assert places(found) == [
        (row, entity.kind, entity.start, entity.end)
        for row, several in enumerate(expected)
        for entity in several
    ]
    for kind, name in zip(EntityKind, NAMES, strict=True):
        assert column(found, name) == [
            [entity.value for entity in several if entity.kind == kind.name.lower()]
            for several in expected
        ]
    assert column(found, "domains") == [
        [entity.domain for entity in several if entity.domain] for several in expected
    ]


@given(texts, st.integers(0, 4), st.integers(0, 4))
def test_a_slice_in_any_layout_is_read_like_its_texts(
    texts: list[str | None], start: int, length: int
) -> None:
    expected = entities(pa.array(texts[start : start + length], pa.string()))
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        found = entities(pa.array(texts, kind).slice(start, length))
        assert places(found) == places(expected)
        for name in (*NAMES, "domains"):
            assert column(found, name) == column(expected, name)


@given(st.text(max_size=70))
def test_a_label_is_as_long_as_in_punycode(label: str) -> None:
    size = len(label)
    if not label.isascii():
        size = 4 + len(label.encode("punycode"))
    assert kernel.label_size(label) == min(size, 64)


@given(st.lists(st.binary(max_size=12), max_size=4))
def test_bytes_that_are_no_utf8_are_read_and_do_no_harm(texts: list[bytes]) -> None:
    signs = [b"#" + text + b".com/@" + text + b"://" + text for text in texts]
    joined = pa.array([*texts, *signs], pa.binary())
    column = pa.Array.from_buffers(pa.string(), len(joined), joined.buffers())
    assert all(row < len(joined) for row in entities(column).places.row.tolist())
