"""Sharing a stream between the workers of a group, each message acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import nats.errors
import structlog
from nats.aio.msg import Msg

from rookery.bus import _api
from rookery.bus._dead import DeadLetter, Publisher, bury
from rookery.bus._errors import Unavailable
from rookery.bus._inbox import MAX_BYTES, Backoff, Inbox, Interrupted
from rookery.bus._link import Link
from rookery.bus._messages import Message

_log = structlog.get_logger("rookery.bus")

# Far above what the workers hold: after a crash of the server, deliveries that nobody
# holds any more count here until their time is over.
_MAX_ACK_PENDING = 4096
# Requests of all workers that wait for messages; each may have several.
_MAX_WAITING = 4096
_SETUP_SECONDS = 5.0

_ACK = b"+ACK"
_NAK = b"-NAK"
_PROGRESS = b"+WPI"


class Hold:
    """The deliveries in the hands of one worker.

    One that was neither settled nor kept alive for `ack_wait` counts no longer: the
    server gives it to somebody else.

    Args:
        link: The connection.
        limit: How many there may be.
        ack_wait: Seconds for which the server leaves a delivery to its worker.
    """

    def __init__(self, link: Link, *, limit: int, ack_wait: float) -> None:
        self.ack_wait = ack_wait
        self._link = link
        self._limit = limit
        self._until: dict[str, float] = {}
        self.inbox: Inbox | None = None

    def free(self) -> int:
        """How many more deliveries there may be."""
        now = asyncio.get_running_loop().time()
        for reply in [key for key, until in self._until.items() if until <= now]:
            del self._until[reply]
        return self._limit - len(self._until)

    def soonest(self) -> float | None:
        """When the first delivery stops to count, on the clock of the loop."""
        return min(self._until.values(), default=None)

    def keep(self, reply: str) -> None:
        """Begins to count a delivery, or goes on counting it."""
        self._until[reply] = asyncio.get_running_loop().time() + self.ack_wait

    async def heartbeat(self, reply: str) -> None:
        """Tells the server that a delivery is being worked on."""
        if await self._send(reply, _PROGRESS) and reply in self._until:
            self.keep(reply)

    async def settle(self, reply: str, answer: bytes) -> None:
        """Answers a delivery and stops counting it."""
        await self._send(reply, answer)
        if self._until.pop(reply, None) is not None and self.inbox is not None:
            self.inbox.wake()

    async def _send(self, reply: str, answer: bytes) -> bool:
        # An answer that is lost leads to another delivery, which every worker has to
        # expect anyway. So a server that is away is no reason to fail here.
        try:
            await self._link.client.publish(reply, answer)
        except (nats.errors.Error, OSError) as error:
            _log.debug("answer lost", action="settle", reason=repr(error))
            return False
        return True


@dataclass(frozen=True)
class Delivery(Message):
    """A message in the hands of this worker until it is settled.

    Attributes:
        deliveries: How often the server has delivered it by now, to whomever: 1 the
            first time. It also counts deliveries that were lost with a connection.
        stream: The stream it is from.
        group: The group it was delivered to.
    """

    deliveries: int
    stream: str
    group: str
    _reply: str = field(repr=False, compare=False)
    _hold: Hold = field(repr=False, compare=False)
    _publisher: Publisher = field(repr=False, compare=False)

    @property
    def ack_wait(self) -> float:
        """Seconds after which it goes to somebody else, unless it is kept alive."""
        return self._hold.ack_wait

    async def ack(self) -> None:
        """Says that it is done. If the server is away, it will be delivered again."""
        await self._hold.settle(self._reply, _ACK)

    async def heartbeat(self) -> None:
        """Says that it is being worked on, which is good for another `ack_wait`."""
        await self._hold.heartbeat(self._reply)

    async def nak(self, delay: float | None = None) -> None:
        """Gives it back.

        Args:
            delay: Seconds after which it is delivered again, at once if None.
        """
        answer = _NAK
        if delay:
            # Go's own field for a duration, in nanoseconds.
            answer += b" " + msgspec.json.encode({"delay": _api.nanoseconds(delay)})
        await self._hold.settle(self._reply, answer)

    async def dead(self, reason: str, *, source: str) -> None:
        """Keeps it in `DEAD` and acknowledges it.

        If it cannot be kept, that is raised (`StreamFull`, `Unavailable`), and it is
        not acknowledged.

        Args:
            reason: Why it cannot be processed.
            source: Name of the source it came from.
        """
        await bury(
            self._publisher,
            DeadLetter(
                stage=self.group,
                source=source,
                where=f"{self.stream}:{self.sequence}",
                reason=reason,
                raw=self.data,
                at=datetime.now(UTC),
                key=f"{self.stream}-{self.sequence}",
            ),
        )
        await self.ack()


@asynccontextmanager
async def keep_alive(
    delivery: Delivery, *, every: float | None = None
) -> AsyncIterator[None]:
    """Sends heartbeats for a delivery while work on it runs off the event loop.

    Args:
        delivery: The delivery.
        every: Seconds between heartbeats, a third of its `ack_wait` by default.

    Yields:
        Nothing.
    """
    seconds = delivery.ack_wait / 3 if every is None else every

    async def beat() -> None:
        while True:
            await asyncio.sleep(seconds)
            await delivery.heartbeat()

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def consume(
    link: Link,
    publisher: Publisher,
    stream: str,
    *,
    group: str,
    max_in_flight: int,
    ack_wait: float,
) -> AsyncGenerator[Delivery, None]:
    """Takes a share of a stream, over lost connections and restarts of the server.

    Args:
        link: The connection.
        publisher: Where dead letters go.
        stream: Name of the stream.
        group: Name of the group; each message goes to one of its workers.
        max_in_flight: How many deliveries this worker has at most.
        ack_wait: Seconds after which one that was not kept alive goes to another.

    Yields:
        The deliveries.
    """
    hold = Hold(link, limit=max_in_flight, ack_wait=ack_wait)
    backoff = Backoff()
    while True:
        try:
            await link.ready()
            await _ensure(link, stream, group, ack_wait)
            async with Inbox.opened(link, stream, group) as inbox:
                hold.inbox = inbox
                share = _Share(inbox, hold, max_in_flight)
                async with share.kept_alive():
                    while True:
                        message = await share.next()
                        backoff.reset()
                        yield _delivery(message, stream, group, hold, publisher)
        except (Interrupted, Unavailable) as reason:
            _log.debug("group goes on", action="rejoin", group=group, why=str(reason))
        finally:
            hold.inbox = None
        await link.ready()
        await backoff.pause()


class _Share:
    """What one inbox brings to one worker."""

    def __init__(self, inbox: Inbox, hold: Hold, limit: int) -> None:
        self._inbox = inbox
        self._hold = hold
        self._limit = limit

    async def next(self) -> Msg:
        """The next message."""
        inbox = self._inbox
        while True:
            waiting = len(inbox.messages)
            room = self._hold.free() - waiting - inbox.outstanding
            # Asking for each one alone would double the traffic.
            if room > 0 and (room * 2 >= self._limit or not waiting):
                await inbox.request(room, max_bytes=MAX_BYTES)
            if waiting:
                break
            await inbox.wait(self._hold.soonest())
        message = inbox.messages.popleft()
        self._hold.keep(message.reply)
        return message

    @asynccontextmanager
    async def kept_alive(self) -> AsyncIterator[None]:
        """Keeps what waits in the inbox, and gives it back in the end."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(self._hold.ack_wait / 3)
                for message in tuple(self._inbox.messages):
                    await self._hold.heartbeat(message.reply)

        task = asyncio.create_task(beat())
        try:
            yield
        finally:
            task.cancel()
            while self._inbox.messages:
                message = self._inbox.messages.popleft()
                await self._hold.settle(message.reply, _NAK)


def _delivery(
    message: Msg, stream: str, group: str, hold: Hold, publisher: Publisher
) -> Delivery:
    about = _api.delivered(message.reply)
    return Delivery(
        sequence=about.sequence,
        subject=message.subject,
        data=message.data,
        time=about.time,
        deliveries=about.deliveries,
        stream=stream,
        group=group,
        _reply=message.reply,
        _hold=hold,
        _publisher=publisher,
    )


async def _ensure(link: Link, stream: str, group: str, ack_wait: float) -> None:
    """Creates the group's consumer, or leaves it as it is."""
    config = {
        "durable_name": group,
        "name": group,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": _api.nanoseconds(ack_wait),
        "max_deliver": -1,
        "max_ack_pending": _MAX_ACK_PENDING,
        "max_waiting": _MAX_WAITING,
        "replay_policy": "instant",
    }
    body = {"stream_name": stream, "config": config}

    async def create() -> _api.ConsumerInfo:
        return await _api.call(
            link.client, f"CONSUMER.CREATE.{stream}.{group}", body, _api.ConsumerInfo
        )

    try:
        await link.attempt(create, timeout=_SETUP_SECONDS)
    except _api.Refused as refused:
        refused.explain(f"group {group} of {stream}")
