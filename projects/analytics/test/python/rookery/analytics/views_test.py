import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from rookery.analytics import By, Format, view, write
from rookery.records import CUBE

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(
    minute: int,
    rule: str | None,
    posts: int,
    *,
    source: str = "a",
    language: str = "en",
) -> dict[str, object]:
    return {
        "minute": NOON + timedelta(minutes=minute),
        "rule": rule,
        "source": source,
        "language": language or None,
        "posts": posts,
        "positive": 0,
        "neutral": posts,
        "negative": 0,
        "sentiment_sum": posts / 2,
        "engagement": 10 * posts,
    }


# Three posts at noon, of which one matched both rules; one post a day later.
ROWS = [
    row(0, "fire", 3),
    row(0, 'flood, "high"', 1),
    row(0, None, 3),
    row(1440, "fire", 1, source="b", language=""),
    row(1440, None, 1, source="b", language=""),
]
COUNTED = pa.Table.from_pylist(ROWS, schema=CUBE)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ((), [{"posts": 4}]),
        (
            (By.RULE,),
            [{"rule": "fire", "posts": 4}, {"rule": 'flood, "high"', "posts": 1}],
        ),
        ((By.SOURCE,), [{"source": "a", "posts": 3}, {"source": "b", "posts": 1}]),
        (
            (By.LANGUAGE,),
            [{"language": "en", "posts": 3}, {"language": None, "posts": 1}],
        ),
        (
            (By.DAY,),
            [
                {"day": datetime(2026, 3, 1, tzinfo=UTC), "posts": 3},
                {"day": datetime(2026, 3, 2, tzinfo=UTC), "posts": 1},
            ],
        ),
        (
            (By.MINUTE, By.RULE),
            [
                {"minute": NOON, "rule": "fire", "posts": 3},
                {"minute": NOON, "rule": 'flood, "high"', "posts": 1},
                {"minute": NOON + timedelta(days=1), "rule": "fire", "posts": 1},
            ],
        ),
    ],
)
def test_posts_are_counted_by_what_is_asked_for(
    by: tuple[By, ...], expected: list[dict[str, object]]
) -> None:
    found = view(COUNTED, by)
    assert found.select([*map(str, by), "posts"]).to_pylist() == expected
    for row in found.to_pylist():
        assert row["engagement"] == 10 * row["posts"]


def test_nothing_has_no_rows_but_a_total() -> None:
    empty = CUBE.empty_table()
    assert view(empty, [By.RULE]).num_rows == 0
    assert view(empty, [])["posts"].to_pylist() == [0]


def test_csv_can_be_read_back() -> None:
    lines = list(write(view(COUNTED, [By.RULE]), Format.CSV))
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    assert [each["rule"] for each in rows] == ["fire", 'flood, "high"']
    assert [each["posts"] for each in rows] == ["4", "1"]


def test_json_lines_can_be_read_back() -> None:
    lines = list(write(view(COUNTED, [By.LANGUAGE, By.MINUTE]), Format.JSONL))
    rows = [json.loads(line) for line in lines]
    assert rows[0] == {
        "language": "en",
        "minute": "2026-03-01T12:00:00Z",
        "posts": 3,
        "positive": 0,
        "neutral": 3,
        "negative": 0,
        "sentiment_sum": 1.5,
        "engagement": 30,
    }
    assert rows[1]["language"] is None


def test_a_table_lines_its_columns_up() -> None:
    table = view(COUNTED, [By.RULE]).select(["rule", "posts"])
    assert list(write(table, Format.TABLE)) == [
        "rule           posts",
        "fire               4",
        'flood, "high"      1',
    ]


def test_a_table_without_rows_has_a_head() -> None:
    table = view(CUBE.empty_table(), [By.RULE]).select(["rule", "posts"])
    assert list(write(table, Format.TABLE)) == ["rule  posts"]
