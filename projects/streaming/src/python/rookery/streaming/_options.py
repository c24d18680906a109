"""What can be chosen on the command line, and what is chosen where nobody does."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

ACK_WAIT_SECONDS: Final = 10.0
BLOCK_FRAMES: Final = 256
BLOCK_SECONDS: Final = 10.0
KEEP_MATCHES_SECONDS: Final = 600.0


class Format(StrEnum):
    """A format that posts are read from."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class What(StrEnum):
    """What can be looked at."""

    POSTS = "posts"
    MATCHES = "matches"
    DEAD = "dead"
