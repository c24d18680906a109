"""What the page shows, as data."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.serving._counts import Dimension, Series, Totals, Volume
from rookery.serving._filters import Sentiment
from rookery.serving._page import _content as content
from rookery.serving._page._choice import RANGES, UNKNOWN, Choice
from rookery.serving._posts import segments, sentiment_of
from rookery.serving._status import Lag
from rookery.serving.testing import NOON, post

SPANS = st.lists(
    st.fixed_dictionaries(
        {
            "rule": st.sampled_from("abc"),
            "start": st.integers(-2, 30),
            "end": st.integers(-2, 30),
        }
    ),
    max_size=5,
)


@given(text=st.text(max_size=25), spans=SPANS)
def test_segments_are_the_text_and_mark_exactly_what_the_spans_cover(
    text: str, spans: list[dict[str, Any]]
) -> None:
    pieces = list(segments(text, spans))
    assert "".join(piece.text for piece in pieces) == text
    marked = [set(piece.rules) for piece in pieces for _ in piece.text]
    for place, rules in enumerate(marked):
        assert rules == {
            span["rule"] for span in spans if span["start"] <= place < span["end"]
        }


def card(**more: Any) -> dict[str, Any]:
    row = post(1, NOON, "Wildfire & smoke", **{"likes": 1200})
    extra = {
        "counted": int(NOON.timestamp() * 1e6),
        "rules": ["fire"],
        "spans": [{"rule": "fire", "clause": 0, "start": 0, "end": 8}],
        "detected_language": "en",
        "sentiment": None,
    }
    return content.post_card({**row, **extra, **more}, content.Colours(), now=NOON)


def test_a_card_marks_words_by_characters_not_by_bytes() -> None:
    shown = card(text="🔥🔥 fire", spans=[{"rule": "fire", "start": 3, "end": 7}])
    assert shown["parts"] == [
        {"t": "🔥🔥 "},
        {"t": "fire", "c": 0, "r": "fire"},
    ]


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://example.org/a", "https://example.org/a"),
        ("http://example.org", "http://example.org"),
        ("javascript:alert(1)", None),
        ("JavaScript:alert(1)", None),
        ("data:text/html,x", None),
        ("//example.org", None),
        ("http://[broken", None),
        (None, None),
    ],
)
def test_only_links_to_pages_are_links(url: str | None, link: str | None) -> None:
    assert card(url=url)["url"] == link


def test_the_detected_language_stands_in_for_the_declared_one() -> None:
    assert card(language=None)["language"] == "en"
    assert card(language="de")["language"] == "de"


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (NOON, "12:00:00"),
        (NOON.replace(day=2), "02 Mar 12:00"),
        (NOON.replace(year=2017), "01 Mar 2017 12:00"),
    ],
)
def test_the_time_says_as_much_as_is_needed(moment: datetime, shown: str) -> None:
    assert card(counted=int(moment.timestamp() * 1e6))["time"] == shown


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.4, "0.4"),
        (7, "7"),
        (99_999, "99,999"),
        (123_456, "123k"),
        (1_240_000, "1.24M"),
        (250_000_000, "250M"),
        (3e9, "3.00B"),
    ],
)
def test_numbers_are_short(number: float, text: str) -> None:
    assert content.compact(number) == text


@pytest.mark.parametrize(
    ("score", "kind"),
    [
        (None, Sentiment.NEUTRAL),
        (0.05, Sentiment.POSITIVE),
        (0.049, Sentiment.NEUTRAL),
        (-0.05, Sentiment.NEGATIVE),
    ],
)
def test_sentiment_has_three_classes(score: float | None, kind: Sentiment) -> None:
    assert sentiment_of(score) is kind


def test_a_chart_has_one_value_in_each_bucket_of_each_series() -> None:
    volume = Volume(
        5,
        range(100, 115, 5),
        (Series("fire", False, (1, 0, 2), 3), Series(None, True, (0, 4, 0), 4)),
    )
    options = content.chart(volume, Dimension.RULE, content.Colours())
    assert [series["name"] for series in options["series"]] == ["fire", "all others"]
    assert options["series"][0]["data"] == [
        [6_000_000, 1],
        [6_300_000, 0],
        [6_600_000, 2],
    ]


def test_a_name_keeps_its_colour() -> None:
    colours = content.Colours()
    first = [colours.colour(name) for name in "abc"]
    assert [colours.colour(name) for name in "cab"] == [first[2], first[0], first[1]]


def test_a_choice_survives_the_address() -> None:
    choice = Choice(rule="a & b", language=UNKNOWN, time="1h", search='"x y" -z')
    assert Choice.of(choice.chosen) == choice


@pytest.mark.parametrize("wrong", [{"sentiment": "sad"}, {"time": "1y"}, {"x": "y"}])
def test_what_an_address_gets_wrong_is_left_out(wrong: dict[str, str]) -> None:
    assert Choice.of(wrong) == Choice()


def test_a_range_of_time_ends_with_the_newest_post() -> None:
    newest = datetime(2017, 3, 1, tzinfo=UTC)
    assert Choice(time="1h").asked(newest).start == newest.replace(
        day=28, month=2, hour=23
    )
    assert Choice(time="1h").asked(None).start is None
    assert set(RANGES) == {"", "15m", "1h", "6h", "1d", "7d", "30d"}


def test_an_unknown_language_is_asked_for_by_the_empty_one() -> None:
    assert Choice(language=UNKNOWN).asked(None).language == ""
    assert Choice().asked(None).language is None


@pytest.mark.parametrize(
    ("lag", "number", "note"),
    [
        (Lag(0, None), "0", "up to date"),
        (Lag(3, 0.2), "3", "under a second"),
        (Lag(1234, 42.4), "1,234", "oldest waits 42 s"),
    ],
)
def test_lag_is_told_in_frames_and_seconds(lag: Lag, number: str, note: str) -> None:
    assert content.lag_text(lag, "oldest waits") == (number, note)


def test_an_empty_list_says_why() -> None:
    assert content.empty_state(["no-rules"], False, False)["title"] == "No rules yet"
    assert content.empty_state(["no-posts"], False, False)["title"] == "No posts yet"
    assert "filters" in content.empty_state([], True, False)["title"]
    assert "search" in content.empty_state([], False, True)["title"]
    assert "matched" in content.empty_state([], False, False)["title"]


def test_rules_no_longer_in_the_set_are_marked() -> None:
    from rookery.serving._answers import RuleCount

    rows = content.rule_rows(
        [RuleCount("old", None, Totals(posts=5), (1, 4))], 10, content.Colours()
    )
    assert rows[0]["active"] is False
    assert rows[0]["share"] == "50%"


def test_marks_that_touch_are_one() -> None:
    spans = [
        {"rule": "tag", "start": 3, "end": 12},
        {"rule": "word", "start": 4, "end": 12},
    ]
    shown = card(text="an #election", spans=spans)
    assert [part["t"] for part in shown["parts"]] == ["an ", "#election"]
    assert shown["parts"][1]["r"] == "tag, word"


def test_the_style_sheet_has_the_colours_of_the_palette() -> None:
    from rookery.serving._page._dashboard import _style

    for place, colour in enumerate(content.PALETTE):
        assert f".rk-c{place} {{ background: {colour}; }}" in _style()
    assert f"mark.rk-m{content.SEARCH_CLASS} " in _style()
