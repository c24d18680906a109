"""What can be chosen on the command line."""

from __future__ import annotations

import os
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


class Wanted(StrEnum):
    """Which posts are written."""

    MATCHES = "matches"
    OTHERS = "others"
    ALL = "all"
    COUNTS = "counts"


def cores() -> int:
    """Says how many cores this process may use."""
    return len(os.sched_getaffinity(0))
