"""What questions about counts are answered with."""

import enum
from dataclasses import dataclass


class Dimension(enum.StrEnum):
    """What counts can be split by."""

    RULE = "rule"
    SOURCE = "source"
    LANGUAGE = "language"
    SENTIMENT = "sentiment"


@dataclass(frozen=True)
class Totals:
    """Counts of matched posts.

    Attributes:
        posts: How many.
        positive: How many of them are positive.
        neutral: How many are neutral, or of unknown sentiment.
        negative: How many are negative.
        sentiment_sum: Sum of their sentiment scores, each in -1..1.
        engagement: Sum of their likes, replies and reposts.
    """

    posts: int = 0
    positive: int = 0
    neutral: int = 0
    negative: int = 0
    sentiment_sum: float = 0.0
    engagement: int = 0


@dataclass(frozen=True)
class Series:
    """The counts of one rule, source, language or sentiment over time.

    Attributes:
        key: Its name, None where the posts have none (a language not known).
        other: Whether this is the sum of all that are not shown by themselves.
        posts: Matched posts in each bucket.
        total: Their sum.
    """

    key: str | None
    other: bool
    posts: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class Volume:
    """Counts over time.

    Attributes:
        width: Minutes in a bucket.
        buckets: First minute of each bucket, minutes since 1970.
        series: The largest first, then the rest as one.
    """

    width: int
    buckets: range
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Ranked:
    """One rule, source or language with its counts.

    Attributes:
        key: Its name, None where the posts have none.
        totals: Its counts.
    """

    key: str | None
    totals: Totals
