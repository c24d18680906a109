"""What is read from the bus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class Message:
    """One message of a stream.

    Attributes:
        sequence: Its place in the stream, from 1, never used twice within an epoch.
        subject: The subject it was published under.
        data: What was published.
        time: When the server stored it, UTC.
        headers: What was published with it, the server's own among them.
    """

    sequence: int
    subject: str
    data: bytes
    time: datetime
    headers: Mapping[str, str] = field(
        default_factory=dict, compare=False, kw_only=True
    )


@dataclass(frozen=True)
class StreamState:
    """How full a stream is.

    Attributes:
        first: Sequence of the first message present; one more than `last` if none is.
        last: Sequence of the last message ever stored, 0 if there never was one.
        messages: How many messages are present.
        bytes: What they take, with the server's overhead.
        max_bytes: Where the stream is full.
    """

    first: int
    last: int
    messages: int
    bytes: int
    max_bytes: int


@dataclass(frozen=True)
class ConsumerState:
    """How far a group has come.

    Attributes:
        ack_floor: Stream sequence up to which everything is acknowledged.
        pending: Messages that were never delivered.
        in_flight: Messages delivered and not acknowledged.
        redelivered: Those of `in_flight` that were delivered more than once.
    """

    ack_floor: int
    pending: int
    in_flight: int
    redelivered: int


@dataclass(frozen=True)
class Value:
    """The value of a key.

    Attributes:
        key: Its key.
        data: What was put.
        revision: Rises with each change of any key of the bucket.
        time: When the server stored it, UTC.
        headers: What was put with it.
    """

    key: str
    data: bytes
    revision: int
    time: datetime = field(default=datetime.min.replace(tzinfo=UTC), compare=False)
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
