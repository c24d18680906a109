from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.text import Entities, entities

KINDS = ("hashtags", "mentions", "cashtags", "urls", "domains")


def of(text: str) -> Entities:
    return entities(pa.array([text]))


def one(found: Entities, kind: str) -> list[str]:
    column: pa.ListArray[Any] = getattr(found, kind)
    return list(column.to_pylist()[0] or ())


@pytest.mark.parametrize(
    ("text", "hashtags"),
    [
        ("#fire and #Flood", ["fire", "Flood"]),
        ("text#fire", []),
        ("#a#b", []),
        ("#1", []),
        ("#1st #2024vote", ["1st", "2024vote"]),
        ("＃日本、#東京", ["日本", "東京"]),
        ("#café_au_lait!", ["café_au_lait"]),
        ("#e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("&#39;", []),
        ("#fire…", ["fire"]),
        ("☀\ufe0f#sun", ["sun"]),
        ("#\ufe0f\u20e3", []),
        ("http://a.example/#b", []),
        ("#http://a.example", []),
        ("(#one) '#two' .#three", ["one", "two", "three"]),
        ("#नमस्ते", ["नमस्ते"]),
    ],
)
def test_hashtags(text: str, hashtags: list[str]) -> None:
    assert one(of(text), "hashtags") == hashtags


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("@bbc and .@CNN", ["bbc", "CNN"]),
        ("mail me@example.com", []),
        ("RT@bbc RT:@cnn rt @npr", ["bbc", "cnn", "npr"]),
        ("@a@b", []),
        ("＠日本 ＠nhk", ["nhk"]),
        ("@under_score1: yes", ["under_score1"]),
        ("@thisnameismorethantwentycharacters", ["thisnameismorethantw"]),
        ("@usér", []),
        ("http://a.example/@b", []),
    ],
)
def test_mentions(text: str, mentions: list[str]) -> None:
    assert one(of(text), "mentions") == mentions


@pytest.mark.parametrize(
    ("text", "cashtags"),
    [
        ("$AAPL, $brk.b and $T", ["AAPL", "brk.b", "T"]),
        ("$100 US$ x$AAPL $toolong", []),
    ],
)
def test_cashtags(text: str, cashtags: list[str]) -> None:
    assert one(of(text), "cashtags") == cashtags


@pytest.mark.parametrize(
    ("text", "urls", "domains"),
    [
        ("http://t.co/abc", ["http://t.co/abc"], ["t.co"]),
        (
            "(see https://www.Example.com/a_(b)?q=1&r=2.)",
            ["https://www.Example.com/a_(b)?q=1&r=2"],
            ["example.com"],
        ),
        ("http://a.example:8080/x, ok", ["http://a.example:8080/x"], ["a.example"]),
        ("http://localhost http://1 ftp://a.example", [], []),
        ("xhttp://a.example @http://a.example", [], []),
        (
            "http://t.co/a http://t.co/b",
            ["http://t.co/a", "http://t.co/b"],
            ["t.co"] * 2,
        ),
        ("http://t.co/日本", ["http://t.co/"], ["t.co"]),
        ("http://xn--e1afmkfd.xn--p1ai/", ["http://xn--e1afmkfd.xn--p1ai/"], None),
    ],
)
def test_addresses(text: str, urls: list[str], domains: list[str] | None) -> None:
    found = of(text)
    assert one(found, "urls") == urls
    if domains is not None:
        assert one(found, "domains") == domains


def test_nulls_and_slices_keep_their_rows() -> None:
    texts = pa.array(["#a", None, "", "#b @c $D http://e.example", "#f"])
    found = entities(texts.slice(1, 3))
    assert found.hashtags.to_pylist() == [[], [], ["b"]]
    assert found.mentions.to_pylist() == [[], [], ["c"]]
    assert found.cashtags.to_pylist() == [[], [], ["D"]]
    assert found.domains.to_pylist() == [[], [], ["e.example"]]


@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=4))
def test_any_text_gives_a_list_of_its_parts_for_each_row(
    texts: list[str | None],
) -> None:
    found = entities(pa.array(texts, pa.large_string()))
    for kind in KINDS:
        column: pa.ListArray[Any] = getattr(found, kind)
        column.validate(full=True)
        assert len(column) == len(texts)
        for text, values in zip(texts, column.to_pylist(), strict=True):
            assert all(value.lower() in (text or "").lower() for value in values or ())


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["a.", "#", "(", "http://a.example/(", "(a", "#…", "@a", "http://a.", "é#"]
)
def test_a_hostile_text_is_read_in_linear_time(piece: str) -> None:
    # Of the size that a post may have; in quadratic time these take minutes.
    text = piece * (65_536 // len(piece))
    of(f"http://{text} {text} http://a.example/{text} http://a.example/?{text}")
