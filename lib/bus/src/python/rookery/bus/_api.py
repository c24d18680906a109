"""JetStream's own requests, typed.

nats-py has them too, but its answers are loose dictionaries, it drops how much was
purged, and it reads times as text.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, NoReturn, TypeVar

import msgspec
from nats.aio.client import Client

from rookery.bus._errors import (
    BusConfiguration,
    BusError,
    StreamFull,
    TooLarge,
    Unavailable,
)
from rookery.bus._messages import StreamState

# Codes of the server's errors, from its errors.json.
_NOT_FOUND = {10014, 10037, 10059}  # consumer, message, stream
NAME_TAKEN = 10058
_WRONG_LAST = {10071, 10164}
NO_STORAGE = 10047
_FULL = {NO_STORAGE, 10077}  # the server has no room, the stream has none
_TOO_LARGE = {10054, 10097}
_MISCONFIGURED = {10025, 10039, 10074}  # requests and features not allowed, replicas

_T = TypeVar("_T")
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


class Fault(msgspec.Struct):
    """What the server answers instead of an answer."""

    code: int
    err_code: int = 0
    description: str = ""


class Refused(Exception):
    """The server answered with a fault that the caller may know how to handle."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.description} ({fault.err_code})")
        self.fault = fault

    @property
    def not_found(self) -> bool:
        """Whether what was asked for does not exist."""
        return self.fault.err_code in _NOT_FOUND or self.fault.code == 404

    @property
    def wrong_last(self) -> int | None:
        """The actual last sequence of the subject; -1 if the server does not say."""
        if self.fault.err_code not in _WRONG_LAST:
            return None
        _, _, actual = self.fault.description.rpartition(": ")
        return int(actual) if actual.isdecimal() else -1

    def explain(self, what: str) -> NoReturn:
        """Raises the error of ours that says the same, about `what` was asked for."""
        raise self._error(what) from self

    def _error(self, what: str) -> BusError:
        text = f"{what}: {self}"
        if self.fault.err_code in _FULL:
            return StreamFull(f"{text}: the stream is full, or the disk nearly is")
        if self.fault.err_code in _TOO_LARGE:
            return TooLarge(text)
        if self.fault.err_code in _MISCONFIGURED:
            return BusConfiguration(text)
        if self.fault.code in (408, 409, 500, 503):
            return Unavailable(text)
        return BusError(text)


class _Outcome(msgspec.Struct):
    error: Fault | None = None


class Published(msgspec.Struct):
    """Answer to a publish."""

    seq: int


class State(msgspec.Struct):
    """How full a stream is."""

    messages: int
    bytes: int
    first_seq: int
    last_seq: int
    subjects: dict[str, int] | None = None


class StreamInfo(msgspec.Struct):
    """Answer to STREAM.INFO, CREATE and UPDATE.

    The configuration stays a dictionary: whatever an operator or a newer server has put
    there goes back unchanged with an update.
    """

    config: dict[str, Any]
    state: State


class Purged(msgspec.Struct):
    """Answer to STREAM.PURGE."""

    purged: int


class Stored(msgspec.Struct):
    """A stored message, as STREAM.MSG.GET gives it; the time in nanoseconds, as text."""

    subject: str
    seq: int
    time: str
    data: bytes = b""
    hdrs: bytes = b""


class Got(msgspec.Struct):
    """Answer to STREAM.MSG.GET."""

    message: Stored


class Place(msgspec.Struct):
    """A pair of sequences."""

    consumer_seq: int
    stream_seq: int


class ConsumerInfo(msgspec.Struct):
    """Answer to CONSUMER.INFO and CREATE."""

    name: str
    ack_floor: Place
    num_ack_pending: int
    num_redelivered: int
    num_pending: int


async def call(client: Client, subject: str, body: object, answer: type[_T]) -> _T:
    """Asks the server.

    Args:
        client: The connection.
        subject: What is asked, after `$JS.API.`.
        body: The question, encoded as JSON; None for none.
        answer: The type of the answer.

    Returns:
        The answer. A fault is raised as `Refused`.
    """
    payload = b"" if body is None else msgspec.json.encode(body)
    # Without end: whoever calls has set one for everything.
    message = await client.request(f"$JS.API.{subject}", payload, timeout=NEVER)
    return read(message.data, answer)


def read(data: bytes, answer: type[_T]) -> _T:
    """Reads what the server answered.

    Args:
        data: The answer's bytes.
        answer: The type of the answer.

    Returns:
        The answer.

    Raises:
        Refused: If it is a fault.
    """
    fault = msgspec.json.decode(data, type=_Outcome).error
    if fault is not None:
        raise Refused(fault)
    return msgspec.json.decode(data, type=answer)


class Delivered(NamedTuple):
    """What the server says about a delivery, in the subject to answer it to.

    Attributes:
        sequence: Place of the message in its stream.
        delivery: Number of this delivery of its consumer, from 1.
        deliveries: How often the message was delivered.
        time: When it was stored, UTC.
    """

    sequence: int
    delivery: int
    deliveries: int
    time: datetime


def delivered(reply: str) -> Delivered:
    """Reads the subject to which a delivery is answered.

    nats-py reads it too, but takes the nanoseconds through a float, so that the time
    differs from that of the same message when it is looked up.

    Args:
        reply: The subject. Servers know two forms: with nine parts, or with two more
            in front (domain and account) and perhaps one at the end.

    Returns:
        What it says.
    """
    parts = reply.split(".")
    first = 4 if len(parts) == 9 else 6
    deliveries, sequence, delivery, time = map(int, parts[first : first + 4])
    moment = _UNIX + timedelta(microseconds=time // 1000)
    return Delivered(sequence, delivery, deliveries, moment)


def stream_state(info: StreamInfo) -> StreamState:
    """How full a stream is.

    Args:
        info: What the server says about it.

    Returns:
        Its state.
    """
    state = info.state
    return StreamState(
        first=state.first_seq if state.messages else state.last_seq + 1,
        last=state.last_seq,
        messages=state.messages,
        bytes=state.bytes,
        max_bytes=info.config["max_bytes"],
    )


def nanoseconds(seconds: float) -> int:
    """Seconds as the server takes them."""
    return round(seconds * 1_000_000_000)


def is_tombstone(headers: bytes) -> bool:
    """Whether these headers mark a deleted key."""
    return b"KV-Operation: DEL" in headers or b"KV-Operation: PURGE" in headers


def read_headers(block: bytes) -> dict[str, str]:
    """Reads the headers of a stored message.

    Args:
        block: The headers as the server keeps them.

    Returns:
        The value of each name; the last one, if there are several.
    """
    lines = block.decode("utf-8", "replace").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def encoded(name: str) -> str:
    """A name as the object store writes it into a subject."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def decoded(name: str) -> str:
    """A name as it was before `encoded`."""
    return base64.urlsafe_b64decode(name).decode()


# nats-py takes None for "no time-out" although it says float.
NEVER: Any = None
