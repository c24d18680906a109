from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rookery.service.testing import require
from rookery.text import Entities, EntityKind, entities, tlds
from rookery.text._tlds import TOP_LEVEL_DOMAINS


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
        ("#\ufe0f\u20e3 #\u20e3a", []),
        ("#_ #_1 #・ #①", []),
        ("#Ⅷa", []),
        ("日本#東京 、#東京", ["東京"]),
        ("#москва,#اليوم!#한국", ["москва", "اليوم", "한국"]),
        ("#a\u200db #ア・イ #a·b", ["a\u200db", "ア・イ", "a·b"]),
        ("#𐐀 #𝒻ire", ["𐐀", "𝒻ire"]),
        ("##a #a:// #a://b", ["a"]),
        ("☀\ufe0e#sun 👨\u200d#sun", ["sun"]),
        ("http://a.org/#b", []),
        ("#http://a.org", []),
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
        ("@a/list @b/9 @c/" + "l" * 26, ["b"]),
        ("日本@a。@b", ["a", "b"]),
        ("xRT@a .RT@a _rt@a", []),
        ("@a:// @@b", []),
        ("!@a #@a $@a %@a &@a *@a", []),
        ("http://a.org/@b", []),
    ],
)
def test_mentions(text: str, mentions: list[str]) -> None:
    assert one(of(text), "mentions") == mentions


def test_a_list_is_no_mention() -> None:
    found = of("@bbc/news-live @bbc/9 ＠a/B_" + "l" * 26)
    assert one(found, "lists") == ["bbc/news-live", "a/B_" + "l" * 23]
    assert one(found, "mentions") == ["bbc"]


@pytest.mark.parametrize(
    ("text", "cashtags"),
    [
        ("$AAPL, $brk.b and $T", ["AAPL", "brk.b", "T"]),
        ("$100 US$ x$AAPL $toolong", []),
        ("$A.bcd $A.b1 $A_ $AAPL1 $AAPLé", ["A", "A", "A"]),
        ("\u3000$A\u200e$B ($C) $$D", ["B"]),
        ("\u200e$B.x_", ["B.x"]),
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
        ("http://a.org:8080/x, ok", ["http://a.org:8080/x"], ["a.org"]),
        ("http://localhost http://1 ftp://a.org", [], []),
        ("xhttp://a.org @http://a.org", [], []),
        (
            "http://t.co/a http://t.co/b",
            ["http://t.co/a", "http://t.co/b"],
            ["t.co"] * 2,
        ),
        ("http://t.co/日本", ["http://t.co/"], ["t.co"]),
        (
            "http://xn--e1afmkfd.xn--p1ai/",
            ["http://xn--e1afmkfd.xn--p1ai/"],
            ["xn--e1afmkfd.xn--p1ai"],
        ),
        # Without a scheme a valid top-level domain has to end the host.
        ("see www.Example.com.", ["www.Example.com"], ["example.com"]),
        ("example.nosuch a.b e.g. 3.14 etc.Then", [], []),
        ("bbc.co.uk/news?a=b, x", ["bbc.co.uk/news?a=b"], ["bbc.co.uk"]),
        ("a/example.com -example.com .example.com", [], []),
        ("me@example.com john.doe+a@example.com", [], []),
        ("foo_bar.example.com", ["bar.example.com"], ["bar.example.com"]),
        ("foo_bar.com http://foo_bar.com http://foo_bar.a.com",)
        + (["http://foo_bar.a.com"], ["foo_bar.a.com"]),
        # Hosts beyond ASCII, and text that leans on a URL without a space.
        ("http://дом.рф/ъ", ["http://дом.рф/ъ"], ["дом.рф"]),
        ("HTTP://ПРАВДА.РФ", ["HTTP://ПРАВДА.РФ"], ["правда.рф"]),
        ("http://日本語.みんなです", ["http://日本語.みんな"], ["日本語.みんな"]),
        ("これはexample.comです", ["example.com"], ["example.com"]),
        ("「http://example.com/a」を", ["http://example.com/a"], ["example.com"]),
        ("트위터는 twitter.com입니다", ["twitter.com"], ["twitter.com"]),
        ("http://💩.la 💩.la", ["http://💩.la"], ["💩.la"]),
        ("\u202ahttp://a.org\u202c", ["http://a.org"], ["a.org"]),
        # What ends a path, and what does not.
        ("http://a.org/(a)(b(c)d) z", ["http://a.org/(a)(b(c)d)"], ["a.org"]),
        ("(http://a.org/(a(b(c)d", ["http://a.org/"], ["a.org"]),
        ("http://a.org/é–b…", ["http://a.org/é–b"], ["a.org"]),
        (
            "http://a.org/?! http://a.org?q=!",
            ["http://a.org/", "http://a.org?q="],
            None,
        ),
        # A link of t.co has nothing but letters and digits.
        ("http://t.co/aB1's", ["http://t.co/aB1"], ["t.co"]),
        ("http://t.co/aB1-x?y", ["http://t.co/aB1"], ["t.co"]),
        ("http://t.co/" + "a" * 40, ["http://t.co/" + "a" * 40], ["t.co"]),
        ("http://t.co/" + "a" * 41, [], []),
        # Labels and URLs have a longest length, in Punycode.
        (f"http://{'a' * 63}.com", [f"http://{'a' * 63}.com"], None),
        (f"http://{'a' * 64}.com", [], []),
        (f"http://{'ü' * 60}.com", [], []),
        (f"http://a.org/{'a' * 4083}", [f"http://a.org/{'a' * 4083}"], None),
        (f"http://a.org/{'a' * 4084}", [], []),
        ("www.com", ["www.com"], ["www.com"]),
    ],
)
def test_addresses(text: str, urls: list[str], domains: list[str] | None) -> None:
    found = of(text)
    assert one(found, "urls") == urls
    if domains is not None:
        assert one(found, "domains") == domains


def test_every_top_level_domain_ends_a_host() -> None:
    domains = sorted(TOP_LEVEL_DOMAINS)
    assert len(domains) > 1500
    texts = [f"see http://rookery.{domain}/ now" for domain in domains]
    found = entities(pa.array([*texts, *map(str.upper, texts)]))
    expected = [[f"rookery.{domain}"] for domain in domains]
    assert found.domains.to_pylist() == expected * 2


def test_domains_are_those_of_twitter_text() -> None:
    path = require("data") / "conformance/twitter-text/tlds.yml"
    listing = path.read_text(encoding="utf-8")
    assert tlds.read(listing) == sorted(TOP_LEVEL_DOMAINS)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("é #fire @bbc", [("HASHTAG", 2, 7), ("MENTION", 8, 12)]),
        ("🔥＃火 $T @a/b", [("HASHTAG", 1, 3), ("CASHTAG", 4, 6), ("LIST", 7, 11)]),
        ("日本 t.co/a#b x.com", [("URL", 3, 11), ("URL", 12, 17)]),
    ],
)
def test_places_are_counted_in_characters_and_have_their_sign(
    text: str, places: list[tuple[str, int, int]]
) -> None:
    found = of(text).places
    columns = (found.kind.tolist(), found.start.tolist(), found.end.tolist())
    kinds = zip(*columns, strict=True)
    assert [(EntityKind(kind).name, *span) for kind, *span in kinds] == places
    assert len(found) == len(places)
    assert found.row.dtype == np.int32


def test_what_stands_within_a_url_is_nothing_else() -> None:
    found = of("http://a.org/@b/#c?d=$E #日本.com")
    assert one(found, "urls") == ["http://a.org/@b/#c?d=$E"]
    assert one(found, "hashtags") == ["日本"]
    assert not one(found, "mentions")


def test_nulls_and_slices_keep_their_rows() -> None:
    texts = pa.array(["#a", None, "", "#b @c $D http://e.org @f/g", "#f"])
    found = entities(texts.slice(1, 3))
    assert found.hashtags.to_pylist() == [[], [], ["b"]]
    assert found.mentions.to_pylist() == [[], [], ["c"]]
    assert found.cashtags.to_pylist() == [[], [], ["D"]]
    assert found.lists.to_pylist() == [[], [], ["f/g"]]
    assert found.domains.to_pylist() == [[], [], ["e.org"]]
    assert found.places.row.tolist() == [2] * 5


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    (
        *("a.", "#", "(", "http://a.org/(", "(a", "#…", "@a", "http://a.", "é#", "日."),
        *("a_b.com.", "a.com日.", "x.a_b.com-", "(a.com/(b", "xn--", "日", "a.jp＃b"),
    ),
)
def test_a_hostile_text_is_read_in_linear_time(piece: str) -> None:
    # In quadratic time these take minutes.
    text = piece * (1_000_000 // len(piece))
    of(f"http://{text} {text} http://a.org/{text} http://a.org/?{text}")
