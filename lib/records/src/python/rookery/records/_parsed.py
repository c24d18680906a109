"""What a reader makes of its input: posts, and the records that are none."""

from dataclasses import dataclass

import pyarrow as pa

MAX_RAW_BYTES = 4096


@dataclass(frozen=True)
class Rejected:
    """A record that is not a post.

    Attributes:
        where: File and line or row, as in `tweets.csv:17`.
        reason: Which column is wrong, and why.
        raw: The record as it came; only its first 4 KiB are kept.
    """

    where: str
    reason: str
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) > MAX_RAW_BYTES:
            object.__setattr__(self, "raw", self.raw[:MAX_RAW_BYTES])


@dataclass(frozen=True)
class Parsed:
    """Posts and what could not become one.

    Attributes:
        posts: The good ones, of schema `POST`, in the order of the input.
        rejected: The others, in the order of the input.
    """

    posts: pa.RecordBatch
    rejected: tuple[Rejected, ...]
