import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.records import (
    MAX_FRAME_BYTES,
    MAX_FRAME_POSTS,
    POST,
    FrameError,
    MatchOrigin,
    SourceOrigin,
    concat,
    empty,
    encode,
    split,
)
from rookery.records.testing import NOW, match_batch, post_batch

ORIGIN = SourceOrigin("test", b"", NOW)


def test_a_batch_that_fits_is_not_cut(posts: pa.RecordBatch) -> None:
    (part,) = split(posts)
    assert part is posts


def test_nothing_is_cut_into_nothing() -> None:
    assert split(empty(POST)) == []


def test_a_frame_has_no_more_posts_than_it_may() -> None:
    batch = post_batch({} for _ in range(2 * MAX_FRAME_POSTS + 1))
    assert [part.num_rows for part in split(batch, max_bytes=10**9)] == [1000, 1000, 1]


@given(st.lists(st.integers(0, 30_000), max_size=40), st.integers(1, 7))
def test_each_part_fits_a_frame_and_all_rows_are_in_them(
    sizes: list[int], max_rows: int
) -> None:
    # Text that does not compress, so that a frame is as big as its rows.
    noise = bytes(range(32, 127)).decode() * 320
    rows = [{"text": noise[n % 90 : n % 90 + n], "links": ["a"] * n} for n in sizes]
    batch = post_batch(rows)
    parts = split(batch, max_rows=max_rows)
    assert concat(parts, POST).equals(batch)
    for part in parts:
        assert 0 < part.num_rows <= max_rows
        plain = part.nbytes
        assert plain <= MAX_FRAME_BYTES
        assert len(encode(part, ORIGIN)) <= MAX_FRAME_BYTES


def test_parts_are_as_big_as_they_may_be() -> None:
    batch = post_batch({"text": "x" * 1000} for _ in range(800))
    parts = split(batch)
    assert len(parts) == 4
    for part, following in zip(parts, parts[1:], strict=False):
        both = part.num_rows + following.num_rows
        assert both * 1000 > MAX_FRAME_BYTES


def test_parts_of_a_slice_hold_its_rows_alone(posts: pa.RecordBatch) -> None:
    some = posts.slice(11, 20)
    assert concat(split(some, max_rows=3), POST).equals(some)


def test_matches_are_measured_with_all_that_is_in_their_lists() -> None:
    span = {"rule": "r" * 100, "clause": 1, "start": 2, "end": 3}
    batch = match_batch({"spans": [span] * 64, "rules": ["r"] * 64} for _ in range(100))
    parts = split(batch)
    assert len(parts) > 1
    for part in parts:
        assert part.nbytes <= MAX_FRAME_BYTES
        frame = encode(part, MatchOrigin("epoch", 1, "rules", 100))
        assert len(frame) <= MAX_FRAME_BYTES


def test_a_row_too_big_for_any_frame_is_named() -> None:
    batch = post_batch([{}, {"author": "x" * 300_000}])
    with pytest.raises(FrameError, match="row 1 is too big for a frame: 300,"):
        split(batch)
