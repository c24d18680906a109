"""What a pull consumer of the server delivers, and what it was asked for.

Readers and groups differ in who remembers the position; how messages get from the
server into this process, in bounded portions, is the same and stands here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from rookery.bus import _api
from rookery.bus._link import Link

# The server says this often that it is there, while it has nothing to deliver.
HEARTBEAT_SECONDS = 2.0
_SILENCE_SECONDS = 2.5 * HEARTBEAT_SECONDS
# A request is asked anew after so long, so that the server forgets those of the dead.
_EXPIRES_SECONDS = 30.0
# More than the largest message: a smaller one would make it undeliverable.
MAX_BYTES = 16 * 1024 * 1024

_HEARTBEAT = "100"
# Ends of a request that mean nothing but that it ended.
_ORDINARY = ("Batch Completed", "Message Size Exceeds MaxBytes")


class Interrupted(Exception):
    """The delivery has to be set up again; nothing that was delivered is lost."""


class Inbox:
    """One subscription to which a pull consumer delivers.

    `messages` is what was delivered and not taken yet; `outstanding` is how many more
    the server may send without being asked.

    Args:
        link: The connection.
        stream: Name of the stream.
        consumer: Name of the consumer.
    """

    def __init__(self, link: Link, stream: str, consumer: str) -> None:
        self.messages: deque[Msg] = deque()
        self.outstanding = 0
        self._link = link
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._subject = link.client.new_inbox()
        self._wake = asyncio.Event()
        self._broken: str | None = None
        self._heard = _now()

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, link: Link, stream: str, consumer: str
    ) -> AsyncIterator[Inbox]:
        """Subscribes for as long as the block runs.

        Args:
            link: The connection.
            stream: Name of the stream.
            consumer: Name of the consumer, which must exist.

        Yields:
            The inbox.

        Raises:
            Interrupted: If the server cannot be told.
        """
        inbox = cls(link, stream, consumer)
        subscription: Subscription | None = None
        with link.told(inbox.interrupt):
            try:
                try:
                    subscription = await link.client.subscribe(
                        inbox._subject, cb=inbox._receive
                    )
                except nats.errors.Error as error:
                    raise Interrupted(repr(error)) from error
                yield inbox
            finally:
                if subscription is not None:
                    with suppress(nats.errors.Error, OSError):
                        await subscription.unsubscribe()

    def wake(self) -> None:
        """Lets whoever waits look again."""
        self._wake.set()

    def interrupt(self, reason: str = "the connection is lost") -> None:
        """Ends the delivery.

        Args:
            reason: Why.
        """
        if self._broken is None:
            self._broken = reason
        self._wake.set()

    async def request(self, batch: int, *, max_bytes: int | None = None) -> None:
        """Asks for messages; they come as soon as there are any.

        Args:
            batch: How many at most.
            max_bytes: How many bytes at most.

        Raises:
            Interrupted: If the server cannot be asked.
        """
        body = {
            "batch": batch,
            "expires": _api.nanoseconds(_EXPIRES_SECONDS),
            "idle_heartbeat": _api.nanoseconds(HEARTBEAT_SECONDS),
        }
        if max_bytes is not None:
            body["max_bytes"] = max_bytes
        if self.outstanding == 0:
            self._heard = _now()
        try:
            payload = msgspec.json.encode(body)
            await self._link.client.publish(self._next, payload, reply=self._subject)
        except (nats.errors.Error, OSError) as error:
            raise Interrupted(repr(error)) from error
        self.outstanding += batch

    async def wait(self, until: float | None = None) -> None:
        """Waits until something has changed.

        Args:
            until: When to stop waiting, on the clock of the loop.
        """
        if self.messages:
            return
        self.check()
        silence = self._heard + _SILENCE_SECONDS if self.outstanding else None
        ends = [end for end in (until, silence) if end is not None]
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(ends, default=None)):
                await self._wake.wait()
        self._wake.clear()

    def check(self) -> None:
        """Raises if the delivery has ended.

        Raises:
            Interrupted: If nothing can come any more.
        """
        if self._broken is None and self.outstanding:
            if _now() > self._heard + _SILENCE_SECONDS:
                self._broken = "the server is silent"
        if self._broken is not None:
            raise Interrupted(self._broken)

    async def _receive(self, message: Msg) -> None:
        self._heard = _now()
        headers = message.headers or {}
        status = headers.get("Status") if not message.data else None
        if status is None:
            self.outstanding = max(0, self.outstanding - 1)
            self.messages.append(message)
        elif status != _HEARTBEAT:
            self._ended(status, headers.get("Description", ""), headers)
        self._wake.set()

    def _ended(self, status: str, description: str, headers: dict[str, str]) -> None:
        left = headers.get("Nats-Pending-Messages", "")
        ordinary = status == "408" or status == "404" or description in _ORDINARY
        if ordinary and left.isdecimal():
            self.outstanding = max(0, self.outstanding - int(left))
        else:
            # The consumer is gone, its leader moved, the server stops: begin again.
            self.interrupt(f"{status} {description}")


class Backoff:
    """Waits longer after each failure, up to a second."""

    def __init__(self) -> None:
        self._delay = 0.0

    def reset(self) -> None:
        """Says that it works again."""
        self._delay = 0.0

    async def pause(self) -> None:
        """Waits; not at all after the first failure."""
        await asyncio.sleep(self._delay)
        self._delay = min(1.0, max(0.02, 2 * self._delay))


def _now() -> float:
    return asyncio.get_running_loop().time()
