import pyarrow as pa
import pytest

from rookery.records import (
    CUBE,
    MATCH,
    POST,
    SPAN,
    SchemaError,
    concat,
    counted_at,
    empty,
)
from rookery.records.testing import NOW, match_batch, post_batch


@pytest.mark.parametrize(
    ("schema", "name"), [(POST, b"post/1"), (MATCH, b"match/1"), (CUBE, b"cube/1")]
)
def test_a_schema_says_its_name_and_version(schema: pa.Schema, name: bytes) -> None:
    assert schema.metadata == {b"rookery.schema": name}


@pytest.mark.parametrize(
    ("schema", "nullable"),
    [
        (
            POST,
            "author author_name language url reply_to repost_of quote_of likes reposts "
            "replies followers",
        ),
        (
            MATCH,
            "author author_name language url reply_to repost_of quote_of likes reposts "
            "replies followers detected_language sentiment",
        ),
        (CUBE, "rule language"),
    ],
)
def test_only_these_columns_may_hold_nulls(schema: pa.Schema, nullable: str) -> None:
    assert [field.name for field in schema if field.nullable] == nullable.split()


def test_a_match_is_a_post_and_more() -> None:
    assert list(MATCH)[: len(POST)] == list(POST)
    assert MATCH.field("spans").type == pa.list_(SPAN)


@pytest.mark.parametrize("schema", [POST, MATCH, CUBE])
def test_an_empty_batch_has_its_schema(schema: pa.Schema) -> None:
    assert empty(schema).schema.equals(schema, check_metadata=True)
    assert empty(schema).num_rows == 0


def test_batches_are_put_behind_each_other(posts: pa.RecordBatch) -> None:
    parts = [posts.slice(0, 3), posts.slice(3, 0), posts.slice(3)]
    assert concat(parts, POST).equals(posts, check_metadata=True)
    assert concat(iter([]), POST).equals(empty(POST), check_metadata=True)


def test_a_batch_of_another_schema_is_not_put_behind_others() -> None:
    with pytest.raises(SchemaError, match="nobody knows its column 'row'"):
        concat([post_batch([{}]), match_batch([{}])], POST)


def test_the_first_difference_of_a_schema_is_named(posts: pa.RecordBatch) -> None:
    with pytest.raises(SchemaError, match="has no column 'media'"):
        concat([posts.drop_columns(["media"])], POST)
    with pytest.raises(SchemaError, match="likes is string, and not likes is int64"):
        likes = pa.nulls(posts.num_rows, pa.string())
        at = POST.get_field_index("likes")
        concat([posts.set_column(at, "likes", likes)], POST)
    with pytest.raises(SchemaError, match="another order"):
        concat([posts.select(sorted(POST.names))], POST)


def test_a_post_of_a_suspect_time_is_counted_when_it_was_taken_in() -> None:
    long_ago = NOW.replace(year=1970)
    batch = post_batch(
        [
            {"created_at": long_ago},
            {"created_at": long_ago, "time_suspect": True},
        ]
    )
    assert counted_at(batch).to_pylist() == [long_ago, NOW]
