from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.records import (
    POST,
    Parsed,
    RecordsError,
    SchemaError,
    concat,
    read_csv,
    read_jsonl,
    read_parquet,
    stream_csv,
    stream_jsonl,
    stream_parquet,
)
from rookery.records._streams import MAX_RECORD_BYTES

NOW = datetime(2024, 5, 6, tzinfo=UTC)
OPTIONS: dict[str, Any] = {"source": "t", "ingested_at": NOW, "where": "f"}
HEADER = b"id,text,created_at\n"
BOM = b"\xef\xbb\xbf"


class Drip:
    """Gives bytes a few at a time, as a pipe may."""

    def __init__(self, data: bytes, most: int) -> None:
        self._file = io.BytesIO(data)
        self._most = most

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._most))


def joined(parts: Iterator[Parsed]) -> Parsed:
    every = list(parts)
    return Parsed(
        concat([part.posts for part in every], POST),
        tuple(one for part in every for one in part.rejected),
    )


def line(number: int, **values: object) -> bytes:
    post = {"id": number, "text": "a", "created_at": "2024-05-01T00:00:00Z"} | values
    return json.dumps(post).encode() + b"\n"


def record(number: int, text: bytes = b"a") -> bytes:
    return b'%d,"%s",2024-05-01\n' % (number, text)


JSONL = [
    b"",
    BOM,
    line(1),
    line(1).rstrip(),
    BOM + line(1) + b"\n \r\n" + line(2, text="\n"),
    line(1) + b"null\n" + line(2)[:20] + b"\n" + line(3),
    b"".join(line(n, likes=n if n % 9 else "x") for n in range(300)),
]
CSV = [
    HEADER,
    HEADER.rstrip(),
    HEADER + record(1).rstrip(),
    BOM + HEADER + record(1, b'a ""b""\nc\n') + b"\n\r\n" + record(2),
    b'"id","text\n",created_at\n'.replace(b"\n", b"", 1) + record(1, b"\n\n"),
    HEADER + record(1) + b"2,b\n" + record(3, b"") + record(4, b"\xff"),
    HEADER + b"".join(record(n, b"a,\n" * (n % 7)) for n in range(200)),
    HEADER + record(1) + b'2,"open,2024-05-01\n3,b,2024-05-01\n',
]


@pytest.mark.parametrize("size", [1, 2, 7, 100, 10**6])
@pytest.mark.parametrize("data", JSONL)
def test_json_lines_in_pieces_are_what_they_are_as_a_whole(
    data: bytes, size: int
) -> None:
    assert joined(stream_jsonl(Drip(data, size), **OPTIONS)) == read_jsonl(
        data, **OPTIONS
    )


@pytest.mark.parametrize("size", [1, 2, 7, 100, 10**6])
@pytest.mark.parametrize("data", CSV)
def test_csv_in_pieces_is_what_it_is_as_a_whole(data: bytes, size: int) -> None:
    assert joined(stream_csv(Drip(data, size), **OPTIONS)) == read_csv(data, **OPTIONS)


@given(
    st.lists(st.sampled_from([b'"', b"\n", b",", b"a", b"1,b,2024-05-01\n"])),
    st.integers(1, 9),
)
def test_garbage_in_csv_loses_no_line_and_ends(parts: list[bytes], size: int) -> None:
    data = HEADER + b"".join(parts) + b"\n" + record(7)
    found = joined(stream_csv(Drip(data, size), **OPTIONS))
    lines = [int(one.where.removeprefix("f:")) for one in found.rejected]
    assert lines == sorted(set(lines))
    if b'"' not in data[len(HEADER) : -len(record(7))]:
        assert found.posts.column("id").to_pylist()[-1] == "t:7"


@pytest.mark.parametrize("rows", [1, 3, 1000])
@pytest.mark.parametrize("time", [None, "snowflake", "at"])
def test_parquet_in_pieces_is_what_it_is_as_a_whole(
    rows: int, time: str | None
) -> None:
    numbers = [211040709124440064 + n for n in range(10)]
    table = pa.table(
        {
            "Tweet ID": [str(n) for n in numbers[:-1]] + ["x"],
            "text": ["a"] * 4 + [None] + ["b"] * 5,
            "at": [NOW] * 10,
            "created_at": [NOW] * 10,
        }
    )
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, row_group_size=4)
    options = OPTIONS | {"columns": {"id": "Tweet ID"}, "time": time}
    whole = read_parquet(sink.getvalue(), **options)
    found = joined(stream_parquet(io.BytesIO(sink.getvalue()), **options))
    assert found == whole
    pieces = list(
        stream_parquet(io.BytesIO(sink.getvalue()), piece_rows=rows, **options)
    )
    assert joined(iter(pieces)) == whole
    assert [one.where for one in whole.rejected][0] == "f:5"
    assert max(len(piece.posts) for piece in pieces) <= rows


@pytest.mark.parametrize("stream", [stream_jsonl, stream_csv])
def test_a_record_without_end_costs_no_other(stream: Callable[..., Any]) -> None:
    is_csv = stream is stream_csv
    good = record if is_csv else line
    long = b'2,"' + b"x" * 3 * MAX_RECORD_BYTES if is_csv else b"x" * (2**22)
    data = (HEADER if is_csv else b"") + good(1) + long + b"\n" + good(3) + good(4)
    for size in (2**16, 2**20, 10**8):
        found = joined(stream(Drip(data, size), **OPTIONS))
        assert found.posts.column("id").to_pylist() == ["t:1", "t:3", "t:4"]
        (rejected,) = found.rejected
        assert rejected.where == ("f:3" if is_csv else "f:2")
        if size < 2**21:
            assert "does not end within" in rejected.reason


def test_a_quote_that_is_never_closed_costs_only_its_own_line() -> None:
    dice = random.Random(1)  # nosec B311
    rows = [record(n, b"a" * dice.randrange(1, 200)) for n in range(1, 30_000)]
    rows[20] = b'21,"open,2024-05-01\n'
    data = HEADER + b"".join(rows)
    found = joined(stream_csv(Drip(data, 2**18), **OPTIONS))
    assert [one.where for one in found.rejected] == ["f:22"]
    assert found.posts.num_rows == len(rows) - 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the CSV has no header"),
        (b"\n", "the CSV has no header"),
        (b'"id,text\n' + record(1), "the header: a quoted field is not closed"),
        (b"a,b\n", "no column 'id' for id; there is 'a', 'b'"),
        (b"id,text\n", "no column 'created_at' for created_at"),
        (b"id,created_at,text,text\n", "more than one column 'text'"),
    ],
)
def test_a_header_that_gives_no_posts_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(RecordsError, match=says):
        list(stream_csv(io.BytesIO(data), **OPTIONS))


def test_parquet_that_gives_no_posts_is_refused() -> None:
    with pytest.raises(RecordsError, match="f is not a Parquet file"):
        list(stream_parquet(io.BytesIO(b"PAR1 and no more"), **OPTIONS))
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": [1]}), sink)
    with pytest.raises(SchemaError, match="no column 'id' for id; there is 'a'"):
        list(stream_parquet(sink, **OPTIONS))
