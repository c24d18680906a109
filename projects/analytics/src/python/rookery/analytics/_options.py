"""What can be chosen on the command line."""

from enum import StrEnum


class By(StrEnum):
    """What posts are counted by."""

    MINUTE = "minute"
    DAY = "day"
    RULE = "rule"
    SOURCE = "source"
    LANGUAGE = "language"


class Format(StrEnum):
    """How counts are written."""

    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"
