import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.records import (
    POST,
    Parsed,
    RecordsError,
    SchemaError,
    posts_from_columns,
)

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "id": "1",
    "text": "text",
    "created_at": "2024-05-01T00:00:00Z",
}


def parse(columns: dict[str, Any], source: str = "test") -> Parsed:
    return posts_from_columns(
        columns,
        source=source,
        ingested_at=NOW,
        where=lambda row: f"rows:{row + 1}",
    )


def parse_one(**values: Any) -> Parsed:
    return parse({name: [value] for name, value in (GOOD | values).items()})


def one(**values: Any) -> dict[str, Any]:
    parsed = parse_one(**values)
    assert parsed.rejected == ()
    (row,) = parsed.posts.to_pylist()
    return dict(row)


def reason(**values: Any) -> str:
    parsed = parse_one(**values)
    assert parsed.posts.num_rows == 0
    (rejected,) = parsed.rejected
    return rejected.reason


def test_a_post_needs_no_more_than_id_text_and_time() -> None:
    assert one() == {
        **dict.fromkeys(POST.names),
        "id": "test:1",
        "source": "test",
        "text": "text",
        "created_at": datetime(2024, 5, 1, tzinfo=UTC),
        "ingested_at": NOW,
        "time_suspect": False,
        "links": [],
        "media": [],
    }


def test_posts_have_the_schema() -> None:
    assert parse_one().posts.schema.equals(POST, check_metadata=True)


@pytest.mark.parametrize("column", ["id", "text", "created_at"])
def test_a_row_without_what_a_post_needs_is_rejected(column: str) -> None:
    assert reason(**{column: None}) == f"{column}: is missing"


def test_a_column_that_a_post_needs_may_be_absent_and_costs_each_row() -> None:
    parsed = parse({"id": ["1", "2"], "text": ["a", "b"]})
    assert [r.reason for r in parsed.rejected] == ["created_at: is missing"] * 2


def test_no_columns_are_no_posts() -> None:
    assert parse({}).posts.num_rows == 0


def test_bad_rows_are_named_and_good_ones_stay() -> None:
    parsed = parse(
        {
            "id": ["1", "2", None, "4", "5"],
            "text": ["a", "", "c", "d", "e"],
            "created_at": [NOW, NOW, NOW, "soon", NOW],
            "likes": [1, 2, 3, 4, -5],
        }
    )
    assert parsed.posts.column("id").to_pylist() == ["test:1"]
    assert [(r.where, r.reason) for r in parsed.rejected] == [
        ("rows:2", "text: is empty"),
        ("rows:3", "id: is missing"),
        (
            "rows:4",
            "created_at: is neither RFC 3339 nor microseconds since 1970: 'soon'",
        ),
        ("rows:5", "likes: is not from 0 to 1,000,000,000,000: -5"),
    ]


def test_of_several_reasons_the_first_column_of_a_post_gives_it() -> None:
    assert reason(id=" ", text=" ", likes=-1) == "id: is missing"


def test_a_rejected_row_is_kept_as_json() -> None:
    (rejected,) = parse_one(text=b"\xff", likes=float("inf")).rejected
    kept = json.loads(rejected.raw)
    assert kept["id"] == "1"
    assert kept["text"] == "\ufffd"


def test_a_rejected_row_is_kept_as_its_reader_says() -> None:
    parsed = posts_from_columns(
        {"id": ["1"]},
        source="test",
        ingested_at=NOW,
        where=["a.csv:17"],
        raw=lambda row: b"x" * 5000,
    )
    (rejected,) = parsed.rejected
    assert (rejected.where, rejected.raw) == ("a.csv:17", b"x" * 4096)


def test_columns_that_nobody_knows_are_ignored() -> None:
    assert one(colour="blue") == one()


def test_what_is_set_here_is_not_taken_from_the_input() -> None:
    row = one(source="other", ingested_at="1999-01-01T00:00:00Z", time_suspect=True)
    assert (row["source"], row["ingested_at"], row["time_suspect"]) == (
        "test",
        NOW,
        False,
    )


@pytest.mark.parametrize(
    ("given_id", "expected"),
    [
        ("7", "test:7"),
        (7, "test:7"),
        (2**64 - 1, f"test:{2**64 - 1}"),
        ("test:7", "test:7"),
        ("other:7", "test:other:7"),
        (" 7\n", "test:7"),
    ],
)
def test_an_id_has_its_source_before_it(given_id: object, expected: str) -> None:
    assert one(id=given_id)["id"] == expected


def test_ids_of_both_kinds_are_told_apart_row_by_row() -> None:
    columns = {name: [value] * 3 for name, value in GOOD.items()}
    columns["id"] = ["test:1", "2", 3]
    ids = parse(columns).posts.column("id").to_pylist()
    assert ids == ["test:1", "test:2", "test:3"]


def test_what_refers_to_a_post_is_an_id_too() -> None:
    row = one(reply_to="5", repost_of=6, quote_of="test:7")
    assert (row["reply_to"], row["repost_of"], row["quote_of"]) == (
        "test:5",
        "test:6",
        "test:7",
    )


def test_an_empty_string_is_a_null_where_there_may_be_one() -> None:
    row = one(author="", url="", reply_to="", language="")
    assert row == one()


@pytest.mark.parametrize("text", ["", " ", "\n\t \u00a0\u3000"])
def test_text_without_a_visible_character_is_rejected(text: str) -> None:
    assert reason(text=text) == "text: is empty"


@pytest.mark.parametrize(
    ("column", "limit"),
    [("text", 65_536), ("id", 512), ("author", 4096), ("url", 4096)],
)
def test_strings_are_bounded(column: str, limit: int) -> None:
    assert one(**{column: "é" * (limit // 2)})
    said = reason(**{column: "é" * (limit // 2) + "x"})
    assert said == f"{column}: is too long: {limit + 1:,} bytes, {limit:,} at most"


def test_lists_are_bounded_whatever_they_are_long_of() -> None:
    assert "links: is too long" in reason(links=["x" * 40_000])
    assert "links: is too long" in reason(links=[""] * 40_000)
    assert one(links=["x" * 100] * 100)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"text": 7}, "text: is not text: 7"),
        ({"text": ["a"]}, "text: is not text: ['a']"),
        ({"text": b"ok \xff"}, "text: is not valid UTF-8 at byte 3"),
        ({"text": "ok \ud800"}, "text: is not valid Unicode at character 3"),
        ({"id": 1.5}, "id: is not text: 1.5"),
        ({"id": True}, "id: is not text: True"),
        ({"likes": "many"}, "likes: is not a whole number: 'many'"),
        ({"likes": 1.5}, "likes: is not a whole number: 1.5"),
        ({"likes": True}, "likes: is not a number: True"),
        ({"likes": 10**12 + 1}, "likes: is not from 0 to 1,000,000,000,000: "),
        ({"likes": 10**400}, "likes: is not from 0 to 1,000,000,000,000: "),
        ({"likes": 10**5000}, "likes: is not from 0 to 1,000,000,000,000: "),
        ({"likes": "9" * 5000}, "likes: is not a whole number: '999"),
        ({"created_at": True}, "created_at: is not a time: True"),
        ({"created_at": 10**30}, "created_at: is not a time: 1000000"),
        ({"created_at": 10**18}, "created_at: is not in years 1 to 9999"),
        ({"created_at": "2024-13-01T00:00:00Z"}, "created_at: is neither RFC 3339"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at: is not in years"),
        ({"links": "https://a"}, "links: is not a JSON array of strings: 'https://a'"),
        ({"links": "[1]"}, "links: is not a JSON array of strings: '[1]'"),
        ({"links": ["a", None]}, "links: element 1 is not text: None"),
        ({"links": ["a", b"\xff"]}, "links: element 1 is not valid UTF-8 at byte 0"),
        ({"links": 7}, "links: is not a list of text: 7"),
    ],
)
def test_a_value_that_is_not_what_its_column_asks_for_is_named(
    values: dict[str, Any], said: str
) -> None:
    assert reason(**values).startswith(said)


MOMENT = datetime(2024, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01T12:30:15.123456Z",
        "2024-05-01t12:30:15.123456z",
        "2024-05-01 12:30:15.123456+00:00",
        "2024-05-01T14:30:15.123456+02:00",
        "2024-05-01T12:30:15.123456789Z",
        "2024-05-01T12:30:15.123456",
        " 2024-05-01T12:30:15.123456Z ",
        b"2024-05-01T12:30:15.123456Z",
        1714566615123456,
        "1714566615123456",
        1714566615123456.0,
        MOMENT,
        MOMENT.replace(tzinfo=None),
        np.datetime64("2024-05-01T12:30:15.123456789", "ns"),
    ],
)
def test_a_time_is_read_however_it_is_written(value: object) -> None:
    assert one(created_at=value)["created_at"] == MOMENT


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_unit_are_the_same_times(
    unit: Literal["s", "ms", "us", "ns"],
) -> None:
    whole = datetime(1969, 12, 31, 23, 59, 58, tzinfo=UTC)
    kind = pa.timestamp(unit, "UTC")
    array = pa.array([whole, MOMENT]).cast(kind, safe=False)
    columns = {"id": ["1", "2"], "text": ["a"] * 2, "created_at": array}
    times = parse(columns).posts.column("created_at").to_pylist()
    assert times[0] == whole
    assert times[1] == {
        "s": MOMENT.replace(microsecond=0),
        "ms": MOMENT.replace(microsecond=123000),
    }.get(unit, MOMENT)


def test_a_time_of_seconds_beyond_all_years_is_rejected() -> None:
    array = pa.array([2**60, 0], pa.timestamp("s"))
    columns = {"id": ["1", "2"], "text": ["a"] * 2, "created_at": array}
    parsed = parse(columns)
    assert [r.where for r in parsed.rejected] == ["rows:1"]
    assert parsed.posts.num_rows == 1


@pytest.mark.parametrize(
    ("created", "suspect"),
    [
        ("1999-12-31T23:59:59.999999Z", True),
        ("2000-01-01T00:00:00Z", False),
        ("2024-05-07T07:08:09Z", False),
        ("2024-05-07T07:08:09.000001Z", True),
        ("1970-01-01T00:00:00Z", True),
        ("9999-12-31T23:59:59.999999Z", True),
    ],
)
def test_a_time_before_2000_or_a_day_from_now_is_suspect(
    created: str, suspect: bool
) -> None:
    assert one(created_at=created)["time_suspect"] is suspect


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (10**12, 10**12),
        ("12", 12),
        (" 12 ", 12),
        ("+12", 12),
        (b"12", 12),
        (12.0, 12),
        ("", None),
        (float("nan"), None),
        (np.uint64(12), 12),
    ],
)
def test_a_count_is_read_however_it_is_written(
    value: object, expected: int | None
) -> None:
    assert one(likes=value)["likes"] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ("", []),
        ("[]", []),
        ('["a","b"]', ["a", "b"]),
        ('["a",\n"b"]', ["a", "b"]),
        (["a"], ["a"]),
        (("a", "b"), ["a", "b"]),
        ([], []),
    ],
)
def test_a_list_is_read_however_it_is_written(
    value: object, expected: list[str]
) -> None:
    assert one(links=value)["links"] == expected


def test_lists_as_json_are_kept_apart() -> None:
    # Together these three lines are three arrays, and yet not one from each row.
    columns = {name: [value] * 3 for name, value in GOOD.items()}
    columns["links"] = ['["a"', '"b"]', '["c"],["d"],["e"]']
    assert [r.where for r in parse(columns).rejected] == ["rows:1", "rows:2", "rows:3"]
    columns["links"] = ['["a"]\n["b"]', "[", '["c"]']
    assert [r.where for r in parse(columns).rejected] == ["rows:1", "rows:2"]


def _types(values: Sequence[Any]) -> list[Any]:
    plain = pa.array(values)
    return [
        values,
        plain,
        pa.chunked_array([plain.slice(0, 1), plain.slice(1)]),
        plain.cast(pa.large_string()),
        plain.cast(pa.string_view()),
        plain.cast(pa.binary()),
        plain.dictionary_encode(),
        pa.concat_arrays([pa.array(["x"]), plain]).slice(1),
        np.array(values, dtype=object),
    ]


@pytest.mark.parametrize("kind", range(9))
def test_text_of_any_type_is_the_same_text(kind: int) -> None:
    columns = {name: [value] * 3 for name, value in GOOD.items()}
    columns["text"] = _types(["a", "b\u00e9", "\U0001f600"])[kind]
    assert parse(columns).posts.column("text").to_pylist() == [
        "a",
        "b\u00e9",
        "\U0001f600",
    ]


def test_a_column_of_strings_is_checked_although_arrow_calls_it_valid() -> None:
    columns: dict[str, Any] = {name: [value] * 2 for name, value in GOOD.items()}
    columns["text"] = pa.array([b"ok", b"\xc3("]).view(pa.string())
    parsed = parse(columns)
    assert parsed.posts.num_rows == 1
    assert parsed.rejected[0].reason == "text: is not valid UTF-8 at byte 0"


def test_lists_of_a_slice_with_nulls_are_those_of_its_rows() -> None:
    lists = pa.array([["x"], ["a", "b"], None, [], ["c"]], pa.large_list(pa.string()))
    columns: dict[str, Any] = {name: [v] * 4 for name, v in GOOD.items()}
    columns["links"] = lists.slice(1)
    links = parse(columns).posts.column("links").to_pylist()
    assert links == [["a", "b"], [], [], ["c"]]


@pytest.mark.parametrize("source", ["", "a b", "a:b", "a\n", "x" * 129])
def test_a_name_that_no_source_can_have_is_refused(source: str) -> None:
    with pytest.raises(RecordsError, match="a source cannot be called"):
        parse({}, source)


def test_lists_are_checked_although_arrow_calls_them_valid() -> None:
    columns: dict[str, Any] = {name: [value] * 2 for name, value in GOOD.items()}
    values = pa.array([b"ok", b"\xc3("]).view(pa.string())
    columns["links"] = pa.ListArray.from_arrays([0, 1, 2], values)
    parsed = parse(columns)
    assert parsed.posts.column("links").to_pylist() == [["ok"]]
    (rejected,) = parsed.rejected
    assert rejected.reason == "links: element 0 is not valid UTF-8 at byte 0"


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(SchemaError, match="different lengths: id 1, text 2"):
        parse({"id": ["1"], "text": ["a", "b"]})


def test_a_time_of_ingest_without_a_zone_is_refused() -> None:
    with pytest.raises(RecordsError, match="ingested_at has no time zone"):
        posts_from_columns(
            {}, source="test", ingested_at=datetime(2024, 1, 1), where=[]
        )


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.datetimes(),
    st.lists(st.none() | st.text() | st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


@given(
    st.lists(st.fixed_dictionaries({name: ANYTHING for name in POST.names}), max_size=4)
)
def test_every_row_of_anything_is_a_post_or_is_rejected(
    rows: list[dict[str, Any]],
) -> None:
    columns = {name: [row[name] for row in rows] for name in POST.names}
    parsed = parse(columns)
    parsed.posts.validate(full=True)
    assert parsed.posts.num_rows + len(parsed.rejected) == len(rows)
    for rejected in parsed.rejected:
        assert rejected.reason.partition(": ")[0] in POST.names


@given(st.integers(0, 5), ANYTHING, st.sampled_from(POST.names))
def test_one_bad_row_costs_no_other(at: int, value: Any, column: str) -> None:
    columns = {name: [good] * 6 for name, good in GOOD.items()}
    columns["id"] = list("abcdef")
    columns.setdefault(column, [None] * 6)
    columns[column][at] = value
    parsed = parse(columns)
    kept = parsed.posts.column("id").to_pylist()
    others = [f"test:{name}" for n, name in enumerate("abcdef") if n != at]
    assert [name for name in kept if name in others] == others
