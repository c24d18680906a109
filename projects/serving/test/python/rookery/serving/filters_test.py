"""Filters, and cursors that come back from outside."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.serving._errors import FilterInvalid
from rookery.serving._filters import Filter, Place, microseconds

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.integers(-(2**61), 2**61), st.text(st.characters(codec="utf-8")))
def test_a_cursor_comes_back_as_the_place_it_was(counted: int, post: str) -> None:
    place = Place(counted, post)
    assert Place.parse(place.cursor) == place


@given(st.text(max_size=40))
def test_what_is_no_cursor_is_refused_or_a_place(text: str) -> None:
    try:
        place = Place.parse(text)
    except FilterInvalid as refused:
        assert refused.field == "cursor"
    else:
        assert Place.parse(place.cursor) == place


def test_a_time_without_zone_is_refused_by_name() -> None:
    with pytest.raises(FilterInvalid, match="time zone") as refused:
        Filter(end=datetime(2026, 1, 1))
    assert refused.value.field == "end"


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(FilterInvalid, match="not after"):
        Filter(start=NOON, end=NOON)


def test_times_are_widened_to_whole_minutes() -> None:
    asked = Filter(
        start=NOON + timedelta(seconds=59), end=NOON + timedelta(minutes=2, seconds=1)
    )
    first = int(NOON.timestamp()) // 60
    assert (asked.start_minute, asked.end_minute) == (first, first + 3)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=30)))))
def test_microseconds_are_exact_in_any_zone(moment: datetime) -> None:
    back = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=microseconds(moment)
    )
    assert back == moment
