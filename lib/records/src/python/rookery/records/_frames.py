"""Frames: a record batch with a header, as one message of a log.

    magic     4 bytes   "RKRY"
    version   uint16    little-endian, like all numbers here
    length    uint32    of the header
    checksum  uint32    CRC-32 of the three fields above and the header
    header    MessagePack: origin, schema, event times, size and CRC-32 of the body
    body      an Arrow IPC stream of one batch, as one LZ4 frame

The stream is compressed as a whole and not by Arrow, buffer by buffer: with 19 columns of
which half are small that takes a fifth of the time to read, and what a frame claims to
unpack to is known, and refused, before any memory is asked for.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import pyarrow as pa

from rookery.records._arrow import kernels as pc
from rookery.records._errors import FrameError, RecordsError, SchemaError
from rookery.records._schemas import (
    MATCH,
    POST,
    counted_at,
    name_of,
    require_schema,
)

# Below the 8 MiB that a message may have in the log, with room for subject and headers.
MAX_ENCODED_BYTES = 8_000_000
MAX_BODY_BYTES = 64 * 1024 * 1024

_MAGIC = b"RKRY"
_VERSION = 1
_FIXED = struct.Struct("<4sHI")
_CHECKSUM = struct.Struct("<I")
_PREFIX_BYTES = _FIXED.size + _CHECKSUM.size
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IPC = pa.ipc.IpcWriteOptions(use_threads=False)


@dataclass(frozen=True)
class SourceOrigin:
    """Where a frame of `POST` comes from.

    Attributes:
        source: Name of the source.
        position: Where the source stands after this frame; what it means is the
            source's own business.
        ingested_at: When the posts were taken in.
    """

    source: str
    position: bytes
    ingested_at: datetime


@dataclass(frozen=True)
class MatchOrigin:
    """Which frame of posts a frame of `MATCH` answers.

    Attributes:
        epoch: Epoch of the log.
        sequence: Sequence of the frame of posts.
        ruleset: Version of the rules it was matched with.
        posts: How many posts it holds.
        dead: Why it could not be matched; the batch is empty then.
    """

    epoch: str
    sequence: int
    ruleset: str
    posts: int
    dead: str | None = None


Origin = SourceOrigin | MatchOrigin


@dataclass(frozen=True)
class Frame:
    """What a message of the log holds.

    Attributes:
        batch: Of schema `POST` or `MATCH`, by its origin.
        origin: Where it comes from.
        first_event: Least time a row is counted under; None in an empty batch.
        last_event: Greatest time a row is counted under.
    """

    batch: pa.RecordBatch
    origin: Origin
    first_event: datetime | None
    last_event: datetime | None


class _Header(msgspec.Struct, omit_defaults=True):
    schema: str
    size: int
    checksum: int
    source: SourceOrigin | None = None
    match: MatchOrigin | None = None
    first: datetime | None = None
    last: datetime | None = None


_HEADERS = msgspec.msgpack.Decoder(_Header)


def encode(batch: pa.RecordBatch, origin: Origin) -> bytes:
    """Makes a frame.

    Args:
        batch: `POST` for a `SourceOrigin`, `MATCH` for a `MatchOrigin`; empty where a
            frame is dead.
        origin: Where it comes from; its time has a time zone.

    Returns:
        The frame. A batch of another schema, or with nulls where there are none, raises
        `SchemaError`; so does an event time beyond year 9999.

    Raises:
        FrameError: If it is too big for a message, or the origin contradicts itself.
    """
    schema = _schema_for(origin)
    _check(batch, schema)
    _check_origin(origin, batch.num_rows)
    body = _write(batch.replace_schema_metadata(schema.metadata))
    if body.size > MAX_BODY_BYTES:
        raise FrameError(_too_big(batch, body.size, MAX_BODY_BYTES))
    packed = pa.compress(body, codec="lz4", asbytes=True)
    first, last = _event_range(batch)
    header = msgspec.msgpack.encode(
        _Header(
            schema=name_of(schema),
            size=body.size,
            checksum=zlib.crc32(packed),
            source=origin if isinstance(origin, SourceOrigin) else None,
            match=origin if isinstance(origin, MatchOrigin) else None,
            first=first,
            last=last,
        )
    )
    fixed = _FIXED.pack(_MAGIC, _VERSION, len(header))
    checksum = _CHECKSUM.pack(zlib.crc32(header, zlib.crc32(fixed)))
    frame = b"".join((fixed, checksum, header, packed))
    if len(frame) > MAX_ENCODED_BYTES:
        raise FrameError(_too_big(batch, len(frame), MAX_ENCODED_BYTES))
    return frame


def decode(frame: bytes) -> Frame:
    """Reads a frame.

    Args:
        frame: What `encode` made.

    Returns:
        Its contents, checked down to the last offset and byte of text.

    Raises:
        FrameError: If it is anything else than a frame that this program knows.
    """
    header, start = _read_header(frame)
    origin = _origin_of(header)
    schema = _schema_for(origin)
    if header.schema != name_of(schema):
        raise FrameError(
            f"the frame holds {header.schema!r}, and this program reads "
            f"{name_of(schema)!r}: run a version that knows both"
        )
    if not 0 <= header.size <= MAX_BODY_BYTES:
        raise FrameError(
            f"the frame is too big: {header.size:,} bytes unpacked, "
            f"{MAX_BODY_BYTES:,} at most"
        )
    packed = memoryview(frame)[start:]
    if zlib.crc32(packed) != header.checksum:
        raise FrameError("the body is cut short or damaged: its checksum differs")
    batch = _read(packed, header.size, schema)
    return Frame(batch, origin, header.first, header.last)


def decode_origin(frame: bytes) -> Origin:
    """Reads where a frame comes from, without unpacking it.

    Args:
        frame: What `encode` made; its body is not looked at.

    Returns:
        The origin. A damaged header raises `FrameError`.
    """
    header, _ = _read_header(frame)
    return _origin_of(header)


def _schema_for(origin: Origin) -> pa.Schema:
    return POST if isinstance(origin, SourceOrigin) else MATCH


def _check(batch: pa.RecordBatch, schema: pa.Schema) -> None:
    require_schema(batch, schema)
    for field, column in zip(schema, batch.columns, strict=True):
        if not field.nullable and column.null_count:
            raise SchemaError(f"column {field.name!r} has nulls, and must have none")


def _check_origin(origin: Origin, rows: int) -> None:
    if isinstance(origin, SourceOrigin):
        if origin.ingested_at.utcoffset() is None:
            raise FrameError("ingested_at has no time zone: give it one")
    elif origin.dead is not None and rows:
        raise FrameError(f"a dead frame has no matches, and this one has {rows:,}")


def _too_big(batch: pa.RecordBatch, size: int, limit: int) -> str:
    return (
        f"the frame is too big: {batch.num_rows:,} rows are {size:,} bytes, "
        f"{limit:,} at most: split the batch"
    )


def _write(batch: pa.RecordBatch) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_IPC) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def _event_range(
    batch: pa.RecordBatch,
) -> tuple[datetime | None, datetime | None]:
    if not batch.num_rows:
        return None, None
    # As numbers, since Arrow needs the time zones of the machine to make times of UTC.
    ends = pc.min_max(counted_at(batch).cast(pa.int64()))
    try:
        first, last = (
            _EPOCH + timedelta(microseconds=ends[end].as_py()) for end in ("min", "max")
        )
    except OverflowError as error:
        raise SchemaError(f"an event time is not in years 1 to 9999: {error}") from None
    return first, last


def _read_header(frame: bytes) -> tuple[_Header, int]:
    if len(frame) < _PREFIX_BYTES:
        raise FrameError(f"the frame is cut short: it has only {len(frame)} bytes")
    magic, version, length = _FIXED.unpack_from(frame)
    if magic != _MAGIC:
        raise FrameError(f"not a frame: it begins with {magic!r}, and not {_MAGIC!r}")
    if version != _VERSION:
        raise FrameError(
            f"the frame is of version {version}, and this program reads version "
            f"{_VERSION}: run one that knows it"
        )
    if len(frame) > MAX_ENCODED_BYTES:
        raise FrameError(
            f"the frame is too big: {len(frame):,} bytes, {MAX_ENCODED_BYTES:,} at most"
        )
    start = _PREFIX_BYTES + length
    if start > len(frame):
        raise FrameError(
            f"the frame is cut short: its header ends at byte {start:,} of {len(frame):,}"
        )
    header = frame[_PREFIX_BYTES:start]
    (checksum,) = _CHECKSUM.unpack_from(frame, _FIXED.size)
    if zlib.crc32(header, zlib.crc32(frame[: _FIXED.size])) != checksum:
        raise FrameError("the header is damaged: its checksum differs")
    try:
        return _HEADERS.decode(header), start
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FrameError(f"the header cannot be read: {error}") from error


def _origin_of(header: _Header) -> Origin:
    origins = [o for o in (header.source, header.match) if o is not None]
    if len(origins) != 1:
        raise FrameError(f"the header names {len(origins)} origins, and not one")
    return origins[0]


def _read(packed: memoryview, size: int, schema: pa.Schema) -> pa.RecordBatch:
    try:
        body = pa.decompress(pa.py_buffer(packed), size, codec="lz4")
        with pa.ipc.open_stream(body) as reader:
            batches = list(reader)
        if len(batches) != 1:
            raise FrameError(f"it holds {len(batches)} batches, and not one")
        batches[0].validate(full=True)
        _check(batches[0], schema)
    # What Arrow raises over damaged bytes is not documented: these were all seen, the
    # ValueError over names of columns that are not UTF-8.
    except (
        RecordsError,
        pa.ArrowException,
        OSError,
        ValueError,
        MemoryError,
    ) as error:
        raise FrameError(f"the body cannot be read: {error}") from error
    return batches[0].replace_schema_metadata(schema.metadata)
