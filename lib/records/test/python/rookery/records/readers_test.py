"""What the three formats have in common, and the way back."""

from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.records import (
    POST,
    Parsed,
    SchemaError,
    posts_from_columns,
    read_csv,
    read_jsonl,
    read_parquet,
    snowflake_times,
    to_csv,
    to_jsonl,
    to_parquet,
)
from rookery.records.testing import NOW, match_batch, post_batch

Reader = Callable[..., Parsed]
Writer = Callable[[pa.RecordBatch], bytes]
PAIRS = [(to_jsonl, read_jsonl), (to_csv, read_csv), (to_parquet, read_parquet)]


@pytest.mark.parametrize(("write", "read"), PAIRS)
@given(data=st.data())
def test_posts_are_read_as_they_were_written(
    write: Writer,
    read: Reader,
    any_posts: st.SearchStrategy[pa.RecordBatch],
    data: st.DataObject,
) -> None:
    batch = data.draw(any_posts)
    columns = dict(zip(POST.names, batch.columns, strict=True))
    posts = posts_from_columns(columns, source="test", ingested_at=NOW, where=str).posts
    parsed = read(write(posts), source="test", ingested_at=NOW)
    assert parsed.rejected == ()
    assert parsed.posts.equals(posts, check_metadata=True)


@pytest.mark.parametrize("write", [to_jsonl, to_csv, to_parquet])
@given(data=st.data())
def test_matches_of_any_kind_can_be_written(
    write: Writer,
    any_matches: st.SearchStrategy[pa.RecordBatch],
    data: st.DataObject,
) -> None:
    assert isinstance(write(data.draw(any_matches)), bytes)


def test_json_lines_of_matches_hold_all_that_is_known() -> None:
    span = {"rule": "r", "clause": 0, "start": 1, "end": 2}
    batch = match_batch([{"rules": ["r"], "spans": [span], "sentiment": 0.5}])
    assert to_jsonl(batch) == (
        b'{"id":"test:0","source":"test","author":null,"author_name":null,'
        b'"text":"text number 0","language":null,'
        b'"created_at":"2024-05-06T07:08:09.123456Z",'
        b'"ingested_at":"2024-05-06T07:08:09.123456Z","time_suspect":false,'
        b'"url":null,"reply_to":null,"repost_of":null,"quote_of":null,"likes":null,'
        b'"reposts":null,"replies":null,"followers":null,"links":[],"media":[],'
        b'"row":0,"rules":["r"],'
        b'"spans":[{"rule":"r","clause":0,"start":1,"end":2}],'
        b'"detected_language":null,"sentiment":0.5,"hashtags":[],"mentions":[],'
        b'"domains":[]}\n'
    )


def test_csv_of_matches_holds_lists_as_json() -> None:
    batch = match_batch([{"rules": ["a", 'b"']}])
    header, record = to_csv(batch.select(["id", "rules", "sentiment"])).splitlines()
    assert header == b'"id","rules","sentiment"'
    assert record == rb'"test:0","[""a"",""b\""""]",'


def test_a_slice_is_written_without_the_rows_around_it(posts: pa.RecordBatch) -> None:
    assert to_jsonl(posts.slice(1, 1)).count(b"\n") == 1
    parsed = read_parquet(to_parquet(posts.slice(5, 3)), source="test", ingested_at=NOW)
    texts = parsed.posts.column("text").to_pylist()
    assert texts == posts.column("text").to_pylist()[5:8]


@pytest.mark.parametrize("read", [read_csv, read_parquet])
def test_a_column_that_was_named_must_be_there(read: Reader) -> None:
    batch = post_batch([{}])
    data = to_csv(batch) if read is read_csv else to_parquet(batch)
    with pytest.raises(SchemaError, match="no column 'body' for text; there is 'id'"):
        read(data, source="test", ingested_at=NOW, columns={"text": "body"})
    with pytest.raises(SchemaError, match="a post has no column 'body'"):
        read(data, source="test", ingested_at=NOW, columns={"body": "text"})


@pytest.mark.parametrize("read", [read_csv, read_parquet])
def test_columns_are_renamed(read: Reader) -> None:
    table = pa.table(
        {
            " Key": ["1"],
            "Body ": ["hello"],
            "text": ["not this"],
            "when": ["2024-05-01T00:00:00Z"],
            "likes": ["7"],
        }
    )
    (batch,) = table.to_batches()
    data = to_csv(batch) if read is read_csv else to_parquet(batch)
    parsed = read(
        data,
        source="test",
        ingested_at=NOW,
        columns={"id": "Key", "text": "Body"},
        time="when",
    )
    (post,) = parsed.posts.to_pylist()
    assert (post["id"], post["text"], post["likes"]) == ("test:1", "hello", 7)
    assert post["created_at"] == datetime(2024, 5, 1, tzinfo=UTC)


def test_a_column_given_to_another_name_is_not_used_twice() -> None:
    data = b"id,created_at,author,text\n1,2024-05-01T00:00:00Z,me,hi\n"
    parsed = read_csv(
        data, source="test", ingested_at=NOW, columns={"author_name": "author"}
    )
    (post,) = parsed.posts.to_pylist()
    assert (post["author"], post["author_name"]) == (None, "me")


@pytest.mark.parametrize("read", [read_csv, read_parquet])
def test_a_snowflake_holds_the_time(read: Reader) -> None:
    table = pa.table({"id": ["211040709124440064", "x"], "text": ["a", "b"]})
    (batch,) = table.to_batches()
    data = to_csv(batch) if read is read_csv else to_parquet(batch)
    parsed = read(data, source="test", ingested_at=NOW, time="snowflake")
    (post,) = parsed.posts.to_pylist()
    assert post["created_at"] == datetime(2012, 6, 8, 10, 23, 20, 659000, UTC)
    (rejected,) = parsed.rejected
    assert "is not a snowflake" in rejected.reason


def test_snowflakes_are_read_by_their_milliseconds() -> None:
    # 1 << 22 is one millisecond after Twitter began to count.
    ids = pa.array(["0", str(1 << 22), str(2**63 - 1), str(2**63), "-1", None, "1e3"])
    times = snowflake_times(ids).to_pylist()
    assert times[1] == datetime(2010, 11, 4, 1, 42, 54, 658000, UTC)
    assert times[2] == datetime(2080, 7, 10, 17, 30, 30, 208000, UTC)
    assert [time is None for time in times] == [1, 0, 0, 1, 1, 1, 1]
    assert snowflake_times(pa.array([1 << 22])).to_pylist() == [times[1]]
