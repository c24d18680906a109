"""Reading a stream in order, without acknowledging anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import nats.errors
import structlog
from nats.aio.msg import Msg

from rookery.bus import _api
from rookery.bus._errors import Unavailable
from rookery.bus._inbox import MAX_BYTES, Backoff, Inbox, Interrupted
from rookery.bus._link import Link
from rookery.bus._messages import Message

_log = structlog.get_logger("rookery.bus")

# Up to twice this is held in memory ahead of the caller, and up to twice MAX_BYTES.
_BATCH = 64
_SETUP_SECONDS = 5.0
# The server forgets a reader that died after so long.
_INACTIVE_SECONDS = 60.0


class Position:
    """Where a reader goes on.

    Args:
        start: The first sequence to read, or None for the newest message of each
            subject and what comes after it.
    """

    def __init__(self, start: int | None) -> None:
        self._next = start

    def policy(self) -> dict[str, Any]:
        """What a consumer is created with to go on here."""
        if self._next is None:
            return {"deliver_policy": "last_per_subject"}
        return {
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": max(1, self._next),
        }

    def passed(self, sequence: int) -> None:
        """Moves on behind a message."""
        self._next = sequence + 1


async def follow(
    link: Link,
    stream: str,
    *,
    start: int | None,
    subject: str | None = None,
    idle: float | None = None,
) -> AsyncGenerator[Msg, None]:
    """Reads a stream in order, over lost connections and restarts of the server.

    The server keeps no position: after an interruption a new consumer starts behind the
    last message that was handed out.

    Args:
        link: The connection.
        stream: Name of the stream.
        start: First sequence to read; the first present one after it if it is gone.
            None for the newest message of each subject and what comes after it.
        subject: Which subjects to read, all if None.
        idle: Seconds without a message, while connected, after which the reader ends;
            None for never.

    Yields:
        The messages as the client has them, with their headers.
    """
    position = Position(start)
    backoff = Backoff()
    while True:
        consumer: str | None = None
        try:
            await link.ready()
            consumer = await _create(link, stream, position, subject)
            async with Inbox.opened(link, stream, consumer) as inbox:
                ordered = _Ordered(inbox, idle)
                while (message := await ordered.next()) is not None:
                    backoff.reset()
                    position.passed(_api.delivered(message.reply).sequence)
                    yield message
            return
        except (Interrupted, Unavailable) as reason:
            _log.debug(
                "reader goes on", action="reread", stream=stream, why=str(reason)
            )
        finally:
            if consumer is not None:
                await _forget(link, stream, consumer)
        await link.ready()
        await backoff.pause()


class _Ordered:
    """What one consumer delivers, as long as nothing is missing."""

    def __init__(self, inbox: Inbox, idle: float | None) -> None:
        self._inbox = inbox
        self._idle = idle
        self._expected = 1

    async def next(self) -> Msg | None:
        """The next message, None if none came for too long."""
        inbox = self._inbox
        end = None
        if self._idle is not None:
            end = asyncio.get_running_loop().time() + self._idle
        while True:
            if inbox.outstanding == 0 and len(inbox.messages) <= _BATCH // 2:
                await inbox.request(_BATCH, max_bytes=MAX_BYTES)
            if inbox.messages:
                break
            if end is not None and asyncio.get_running_loop().time() >= end:
                return None
            await inbox.wait(end)
        message = inbox.messages.popleft()
        if _api.delivered(message.reply).delivery != self._expected:
            # Core NATS drops what a connection loses; the log still has it.
            raise Interrupted(f"delivery {self._expected} is missing")
        self._expected += 1
        return message


async def _create(
    link: Link, stream: str, position: Position, subject: str | None
) -> str:
    config: dict[str, Any] = {
        "ack_policy": "none",
        "replay_policy": "instant",
        "inactive_threshold": _api.nanoseconds(_INACTIVE_SECONDS),
        "mem_storage": True,
        "num_replicas": 1,
        **position.policy(),
    }
    if subject is not None:
        config["filter_subject"] = subject
    body = {"stream_name": stream, "config": config}

    async def create() -> _api.ConsumerInfo:
        return await _api.call(
            link.client, f"CONSUMER.CREATE.{stream}", body, _api.ConsumerInfo
        )

    try:
        info = await link.attempt(create, timeout=_SETUP_SECONDS)
    except _api.Refused as refused:
        refused.explain(f"reading {stream}")
    return info.name


async def _forget(link: Link, stream: str, consumer: str) -> None:
    """Asks the server to forget a consumer, without waiting for the answer."""
    if link.connected:
        with suppress(nats.errors.Error, OSError):
            await link.client.publish(f"$JS.API.CONSUMER.DELETE.{stream}.{consumer}")


def as_message(message: Msg) -> Message:
    """A message as the callers of this package see it."""
    about = _api.delivered(message.reply)
    return Message(
        sequence=about.sequence,
        subject=message.subject,
        data=message.data,
        time=about.time,
        headers=message.headers or {},
    )
