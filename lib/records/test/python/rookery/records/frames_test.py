import os
import struct
import zlib
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.records import (
    MATCH,
    POST,
    FrameError,
    MatchOrigin,
    SchemaError,
    SourceOrigin,
    decode,
    decode_origin,
    empty,
    encode,
)
from rookery.records.testing import NOW, match_batch, post_batch

INGESTED = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SOURCE = SourceOrigin("test", b"\x00position\xff", INGESTED)
MATCHED = MatchOrigin("epoch", 2**40, "0123456789abcdef", 1000)

FIXED = struct.Struct("<4sHI")


def _rebuilt(frame: bytes, *, body: bytes | None = None, **changes: object) -> bytes:
    """A frame with another body or header, whose checksums are right."""
    _, _, length = FIXED.unpack_from(frame)
    start = FIXED.size + 4
    header = msgspec.msgpack.decode(frame[start : start + length])
    body = frame[start + length :] if body is None else body
    header |= {"checksum": zlib.crc32(body)} | changes
    packed = msgspec.msgpack.encode(header)
    return _framed(packed) + body


def _framed(header: bytes, *, magic: bytes = b"RKRY", version: int = 1) -> bytes:
    fixed = FIXED.pack(magic, version, len(header))
    return fixed + struct.pack("<I", zlib.crc32(fixed + header)) + header


def _body_of(frame: bytes) -> bytes:
    return frame[FIXED.size + 4 + FIXED.unpack_from(frame)[2] :]


@given(st.data())
def test_posts_come_out_of_a_frame_as_they_went_in(
    any_posts: st.SearchStrategy[pa.RecordBatch], data: st.DataObject
) -> None:
    batch = data.draw(any_posts)
    frame = decode(encode(batch, SOURCE))
    assert frame.batch.equals(batch, check_metadata=True)
    assert frame.origin == SOURCE


@given(st.data())
def test_matches_come_out_of_a_frame_as_they_went_in(
    any_matches: st.SearchStrategy[pa.RecordBatch], data: st.DataObject
) -> None:
    batch = data.draw(any_matches)
    frame = decode(encode(batch, MATCHED))
    assert frame.batch.equals(batch, check_metadata=True)
    assert frame.origin == MATCHED


def test_only_the_rows_of_a_slice_are_in_its_frame(posts: pa.RecordBatch) -> None:
    frame = encode(posts.slice(7, 2), SOURCE)
    assert decode(frame).batch.equals(posts.slice(7, 2))
    assert len(frame) < len(encode(posts, SOURCE))


def test_the_origin_is_read_without_the_body(posts: pa.RecordBatch) -> None:
    frame = encode(posts, SOURCE)
    assert decode_origin(frame[: -len(_body_of(frame))]) == SOURCE


def test_the_time_of_ingest_comes_out_in_utc() -> None:
    there = timezone(timedelta(hours=-7))
    origin = SourceOrigin("test", b"", INGESTED.astimezone(there))
    read = decode_origin(encode(empty(POST), origin))
    assert isinstance(read, SourceOrigin)
    assert (read.ingested_at, read.ingested_at.utcoffset()) == (INGESTED, timedelta(0))


def test_event_times_are_those_a_post_is_counted_under() -> None:
    later, absurd = NOW + timedelta(hours=1), datetime(1970, 1, 1, tzinfo=UTC)
    batch = post_batch(
        [
            {"created_at": later},
            {"created_at": NOW, "ingested_at": absurd},
            {"created_at": absurd, "ingested_at": NOW, "time_suspect": True},
        ]
    )
    frame = decode(encode(batch, SOURCE))
    assert (frame.first_event, frame.last_event) == (NOW, later)


def test_a_frame_without_posts_has_no_event_times() -> None:
    frame = decode(encode(empty(POST), SOURCE))
    assert (frame.batch.num_rows, frame.first_event, frame.last_event) == (
        0,
        None,
        None,
    )


def test_a_dead_frame_keeps_its_reason() -> None:
    origin = MatchOrigin("epoch", 7, "rules", 3, dead="five workers died of it")
    assert decode_origin(encode(empty(MATCH), origin)) == origin


def test_a_dead_frame_with_matches_is_refused() -> None:
    origin = MatchOrigin("epoch", 7, "rules", 3, dead="why")
    with pytest.raises(FrameError, match="a dead frame has no matches"):
        encode(match_batch([{}]), origin)


def test_a_time_of_ingest_without_a_zone_is_refused() -> None:
    origin = SourceOrigin("test", b"", datetime(2024, 1, 1))
    with pytest.raises(FrameError, match="no time zone"):
        encode(empty(POST), origin)


def test_a_batch_of_another_schema_is_refused() -> None:
    with pytest.raises(SchemaError, match="not of schema post/1.*'row'"):
        encode(empty(MATCH), SOURCE)
    with pytest.raises(SchemaError, match="not of schema match/1: it has no column"):
        encode(empty(POST), MATCHED)


def test_nulls_where_there_must_be_none_are_refused() -> None:
    batch = post_batch([{}, {}])
    text = POST.get_field_index("text")
    holes = batch.set_column(text, POST.field("text"), pa.array(["a", None]))
    with pytest.raises(SchemaError, match="column 'text' has nulls"):
        encode(holes, SOURCE)


def test_a_batch_too_big_for_a_message_is_refused() -> None:
    noise = [{"author": os.urandom(2**22).hex()}]
    with pytest.raises(FrameError, match="too big: 1 rows are .* split the batch"):
        encode(post_batch(noise), SOURCE)


@pytest.mark.parametrize("size", [0, 3, 13, 14, 30, -1])
def test_a_frame_that_is_cut_short_is_refused(posts: pa.RecordBatch, size: int) -> None:
    with pytest.raises(FrameError, match="cut short"):
        decode(encode(posts, SOURCE)[:size])


def test_a_frame_with_bytes_behind_it_is_refused(posts: pa.RecordBatch) -> None:
    with pytest.raises(FrameError, match="checksum differs"):
        decode(encode(posts, SOURCE) + b"\x00")


def test_what_is_no_frame_is_refused_by_its_magic() -> None:
    with pytest.raises(FrameError, match="not a frame: it begins with b'PAR1'"):
        decode(_framed(b"", magic=b"PAR1"))


def test_a_frame_of_a_newer_version_is_refused_by_name() -> None:
    with pytest.raises(FrameError, match="of version 2, .* reads version 1"):
        decode_origin(_framed(b"\xc1 whatever it will be", version=2))


def test_a_frame_of_a_newer_schema_is_refused_by_name(posts: pa.RecordBatch) -> None:
    frame = _rebuilt(encode(posts, SOURCE), schema="post/2")
    with pytest.raises(FrameError, match="holds 'post/2', .* reads 'post/1'"):
        decode(frame)


def test_a_member_of_the_header_that_is_new_is_skipped(posts: pa.RecordBatch) -> None:
    assert decode(_rebuilt(encode(posts, SOURCE), colour="blue")).batch.equals(posts)


def test_a_frame_that_claims_to_be_huge_is_refused_before_it_is_unpacked(
    posts: pa.RecordBatch,
) -> None:
    frame = _rebuilt(encode(posts, SOURCE), size=2**40)
    with pytest.raises(FrameError, match="too big: 1,099,511,627,776 bytes unpacked"):
        decode(frame)


def test_a_header_without_an_origin_is_refused() -> None:
    header = msgspec.msgpack.encode({"schema": "post/1", "size": 0, "checksum": 0})
    with pytest.raises(FrameError, match="names 0 origins"):
        decode_origin(_framed(header))


def test_text_that_is_not_utf8_is_refused() -> None:
    # What Arrow would hand on as a string, and Python could not read.
    batch = post_batch([{"text": "ok"}])
    raw = pa.array([b"\xff\xfe"]).view(pa.string())
    broken = batch.set_column(POST.get_field_index("text"), POST.field("text"), raw)
    with pytest.raises(FrameError, match="(?i)the body cannot be read: .*utf8"):
        decode(encode(broken, SOURCE))


def test_a_batch_of_the_wrong_schema_in_a_frame_is_refused() -> None:
    matches = encode(empty(MATCH), MATCHED)
    size = len(_unpacked(matches))
    frame = _rebuilt(encode(empty(POST), SOURCE), body=_body_of(matches), size=size)
    with pytest.raises(FrameError, match="the body cannot be read"):
        decode(frame)


@given(st.binary(max_size=200))
def test_garbage_is_never_anything_but_a_frame_error(garbage: bytes) -> None:
    for data in (garbage, _framed(garbage), b"RKRY\x01\x00" + garbage):
        with pytest.raises(FrameError):
            decode(data)


@given(
    st.integers(0, 10**6),
    st.binary(min_size=1, max_size=4),
    st.sampled_from(["replace", "insert", "drop"]),
)
def test_a_damaged_frame_is_never_anything_but_a_frame_error(
    at: int, noise: bytes, how: str
) -> None:
    whole = encode(post_batch([{}, {"links": ["a"]}]), SOURCE)
    damaged = _damaged(whole, at % len(whole), noise, how)
    if damaged == whole:
        return
    with pytest.raises(FrameError):
        decode(damaged)


@given(
    st.integers(0, 10**6),
    st.binary(min_size=1, max_size=8),
    st.sampled_from(["replace", "insert", "drop"]),
)
def test_a_forged_body_is_read_or_is_a_frame_error(
    at: int, noise: bytes, how: str
) -> None:
    # The checksums are right, so it is Arrow's reader that is put to the test.
    whole = encode(post_batch([{"likes": 1}, {"links": ["a", "bc"]}]), SOURCE)
    body = _unpacked(whole)
    damaged = _damaged(body, at % len(body), noise, how)
    forged = _rebuilt(
        whole,
        body=pa.compress(damaged, codec="lz4", asbytes=True),
        size=len(damaged),
    )
    try:
        frame = decode(forged)
    except FrameError:
        return
    frame.batch.validate(full=True)
    assert frame.batch.schema.equals(POST)


def _unpacked(frame: bytes) -> bytes:
    header = msgspec.msgpack.decode(
        frame[FIXED.size + 4 : FIXED.size + 4 + FIXED.unpack_from(frame)[2]]
    )
    unpacked = pa.decompress(_body_of(frame), header["size"], codec="lz4", asbytes=True)
    assert isinstance(unpacked, bytes)
    return unpacked


def _damaged(data: bytes, at: int, noise: bytes, how: str) -> bytes:
    match how:
        case "replace":
            return data[:at] + noise + data[at + len(noise) :]
        case "insert":
            return data[:at] + noise + data[at:]
        case _:
            return data[:at] + data[at + len(noise) :]
