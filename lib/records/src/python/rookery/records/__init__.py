"""The records everybody shares: schemas, frames, validation, conversion.

A post is a row of `POST`, a matched post a row of `MATCH`, counts are rows of `CUBE`.
Batches of them travel as frames. What comes from outside becomes posts by way of
`posts_from_columns` and the readers on top of it, and by no other.
"""

from rookery.records._csv import read_csv
from rookery.records._errors import FrameError, RecordsError, SchemaError
from rookery.records._frames import (
    Frame,
    MatchOrigin,
    SourceOrigin,
    decode,
    decode_origin,
    encode,
)
from rookery.records._jsonl import read_jsonl
from rookery.records._parquet import read_parquet
from rookery.records._parsed import Parsed, Rejected
from rookery.records._posts import posts_from_columns
from rookery.records._schemas import (
    CUBE,
    MATCH,
    POST,
    SCHEMA_VERSION,
    SPAN,
    concat,
    counted_at,
    empty,
)
from rookery.records._snowflake import snowflake_times
from rookery.records._split import MAX_FRAME_BYTES, MAX_FRAME_POSTS, split
from rookery.records._streams import stream_csv, stream_jsonl, stream_parquet
from rookery.records._write import to_csv, to_jsonl, to_parquet

__all__ = [
    "CUBE",
    "MATCH",
    "MAX_FRAME_BYTES",
    "MAX_FRAME_POSTS",
    "POST",
    "SCHEMA_VERSION",
    "SPAN",
    "Frame",
    "FrameError",
    "MatchOrigin",
    "Parsed",
    "RecordsError",
    "Rejected",
    "SchemaError",
    "SourceOrigin",
    "concat",
    "counted_at",
    "decode",
    "decode_origin",
    "empty",
    "encode",
    "posts_from_columns",
    "read_csv",
    "read_jsonl",
    "read_parquet",
    "snowflake_times",
    "split",
    "stream_csv",
    "stream_jsonl",
    "stream_parquet",
    "to_csv",
    "to_jsonl",
    "to_parquet",
]
