"""What can be chosen on the command line."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """What posts are written in."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class Output(StrEnum):
    """What matches are written in."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    TABLE = "table"
