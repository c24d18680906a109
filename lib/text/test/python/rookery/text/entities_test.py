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
        ("#שלום־עולם #ไทย #日本語テスト", ["שלום־עולם", "ไทย", "日本語テスト"]),
        ("#한국어,#Привет!", ["한국어", "Привет"]),
        ("۲#a ーー#b ･#c", ["c"]),
        # Two that touch are none, and a mark is a letter, as in a keycap.
        ("#a #b#c #d", ["a", "d"]),
        ("#1\ufe0f\u20e3 #٣", ["1\ufe0f\u20e3"]),
        # For private use, and yet among the published letters.
        ("#\uf8d0 #\uf882 #\uf883 \uf870#a", ["\uf8d0", "\uf882"]),
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
        ("👍@a é@b …@c -@d", ["a", "b", "c", "d"]),
        ("@a\u0301 @b\u02bb @c· @dж", ["c", "d"]),
        ("+RT@a ~rt:@b -Rt@c", ["b"]),
        ("@a/1 @b/ @c", ["a", "b", "c"]),
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
        ("$A\u3000 $B\xa0 $C\ufeff $D\x85 $E。", ["A", "B", "C"]),
        ("\x85$A \u180e$B \ufeff$C", ["A", "B"]),
        ('$A" $B` $C\\ $D$E', ["A", "B", "C", "D"]),
        ("$ABCDEF $ABCDEFG $A.BC $A_B $A-B", ["ABCDEF", "A.BC", "A_B", "A"]),
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
        ("foo_bar.example.com", ["foo_bar.example.com"], ["foo_bar.example.com"]),
        ("日_b.c.com -a_b.c.com", ["_b.c.com"], ["_b.c.com"]),
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
        # Neither a short domain nor one of a country needs a path.
        ("vine.co MLB.tv goo.gl", ["vine.co", "MLB.tv", "goo.gl"], None),
        # Without a scheme, a port and a query need one.
        ("a.org:80 b.org?x=1 c.org:80?x", ["a.org", "b.org", "c.org"], None),
        ("a.org:80/ b.org/?x=1", ["a.org:80/", "b.org/?x=1"], None),
        ("http://a.org:80 http://b.org?x", ["http://a.org:80", "http://b.org?x"], None),
        # A path belongs to the last Latin host before it.
        ("a.comです.jp/b", ["a.com/b"], ["a.com"]),
        ("a.com日.b.orgの.jp/c d.jp", ["a.com", "b.org/c", "d.jp"], None),
        # What begins a text stands before a host, if one begins behind it.
        ("été.com", ["té.com"], ["té.com"]),
        (" été.com", ["été.com"], ["été.com"]),
        ("é.com", ["é.com"], ["é.com"]),
        ("é_a.com ", [], []),
        ("日本語example.com", ["example.com"], None),
        ("＃1.com #1.com", ["1.com"], None),
        ("éhttp://é.com", ["http://é.com"], None),
        # What begins like Punycode has no other characters, unless a host follows.
        ("http://xn--日本.com http://xn--日本.a.com", ["http://xn--日本.a.com"], None),
        ("http://XN--日本.com", ["http://XN--日本.com"], None),
        # Other full stops separate labels where their length counts only.
        (f"http://{'a' * 40}。{'b' * 22}.com", [f"http://{'a' * 40}。{'b' * 22}.com"])
        + (None,),
        (f"http://{'a' * 40}。{'b' * 23}.com http://a。com", [], []),
        ("a.com,b.com:c.com", ["a.com", "b.com", "c.com"], None),
        ("http://a.com/,http://b.com:x", ["http://a.com/,http://b.com:x"], ["a.com"]),
        ("http://- http://a..com http://a.comx http://.com http://-a.com", [], []),
        ("http://a.com_b http://a.com+b http://a.com@b", ["http://a.com"], None),
        ("🔥http://a.org🔥 a.org🔥", ["http://a.org", "a.org"], None),
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
        ("été.com", [("URL", 1, 7)]),
        (" a.comです.jp/b", [("URL", 1, 13)]),
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


HOSTILE = (
    *("a.", "#", "(", "http://a.org/(", "(a", "#…", "@a", "http://a.", "é#", "日."),
    *("a_b.com.", "a.com日.", "x.a_b.com-", "(a.com/(b", "xn--", "日", "a.jp＃b"),
    *(
        "a",
        "#a",
        "_",
        "-",
        ".xn--",
        "a.com",
        "((a)",
        "(a)(",
        "()",
        "http://",
        "$A.",
        "RT@",
    ),
    *(
        "。",
        "a。",
        "a.com/日",
        "日a.com",
        "http://t.co/a?",
        "é",
        "\ufe0f#",
        "xn--日.com",
    ),
)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_is_read_in_linear_time(piece: str) -> None:
    # In quadratic time these take minutes.
    text = piece * (1_000_000 // len(piece))
    of(f"http://{text} {text} http://a.org/{text} http://a.org/?{text} #a{text}")
    of(text)


@pytest.mark.parametrize("threads", [1, 2, 3, 9])
def test_any_number_of_threads_finds_the_same(threads: int) -> None:
    texts = pa.array(["#a @b", None, "$C a.org/x", "", "@d/e http://f.org #g"] * 3)
    found, expected = entities(texts, threads=threads), entities(texts)
    for name in ("hashtags", "mentions", "lists", "cashtags", "urls", "domains"):
        column: pa.ListArray[Any] = getattr(found, name)
        column.validate(full=True)
        assert column.to_pylist() == getattr(expected, name).to_pylist()
    for name in ("row", "kind", "start", "end"):
        values = getattr(found.places, name)
        assert values.tolist() == getattr(expected.places, name).tolist()
        assert values.dtype == np.int32
        assert not values.flags.writeable


def test_no_thread_is_refused() -> None:
    with pytest.raises(ValueError, match="give at least one"):
        entities(pa.array(["#a"]), threads=0)
