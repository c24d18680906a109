from __future__ import annotations

import json
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.records import MATCH, empty, to_jsonl
from rookery.records._json import json_texts
from rookery.records.testing import match_batch, post_batch

KIND = pa.struct(
    [
        ("text", pa.string()),
        ("numbers", pa.list_(pa.float64())),
        ("inner", pa.struct([("yes", pa.bool_()), ("many", pa.list_(pa.int16()))])),
    ]
)
TEXT = st.none() | st.text(max_size=8) | st.text('"\\\x00\x1f\n\x7f\u2028\U0001f600')
VALUES = st.none() | st.fixed_dictionaries(
    {
        "text": TEXT,
        "numbers": st.none() | st.lists(st.none() | st.floats(), max_size=3),
        "inner": st.none()
        | st.fixed_dictionaries(
            {
                "yes": st.none() | st.booleans(),
                "many": st.none() | st.lists(st.integers(-9, 9), max_size=2),
            }
        ),
    }
)


@given(st.lists(VALUES, max_size=9), st.integers(0, 3))
def test_a_column_of_any_kind_is_what_json_makes_of_its_values(
    values: list[Any], first: int
) -> None:
    column: pa.Array[Any] = pa.array(values, KIND).slice(first)
    texts = json_texts(column)
    assert texts.null_count == 0
    # msgspec writes what is no number as null.
    expected = [msgspec.json.encode(value).decode() for value in column.to_pylist()]
    assert texts.to_pylist() == expected


def test_lines_are_what_json_makes_of_rows() -> None:
    rows: list[dict[str, object]] = [
        {"text": 'a "b"\\\n\x01é', "rules": ["x", 'y"'], "likes": 3, "links": ["u"]},
        {"text": "b", "sentiment": 0.1, "spans": [], "rules": []},
        {
            "text": "c",
            "rules": ["x"],
            "spans": [{"rule": "x", "clause": 0, "start": 0, "end": 1}],
        },
    ]
    batch = match_batch(rows)
    for some in (batch, batch.slice(1), batch.slice(2, 1), batch.slice(1, 0)):
        lines = [json.loads(line) for line in to_jsonl(some).splitlines()]
        for line, row in zip(lines, some.to_pylist(), strict=True):
            time = row["created_at"].isoformat().replace("+00:00", "Z")
            assert line == row | dict.fromkeys(("created_at", "ingested_at"), time)


def test_no_rows_are_no_lines() -> None:
    assert to_jsonl(empty(MATCH)) == b""
    assert to_jsonl(pa.RecordBatch.from_pydict({})) == b""


def test_columns_that_are_chosen_are_written_in_their_order() -> None:
    batch = post_batch([{"text": "a"}]).select(["text", "id"])
    assert to_jsonl(batch) == b'{"text":"a","id":"test:0"}\n'


def test_a_large_batch_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = post_batch([{"text": f"a{number}"} for number in range(9)])
    whole = to_jsonl(batch)
    monkeypatch.setattr("rookery.records._write._MAX_BYTES", 300)
    assert to_jsonl(batch) == whole
