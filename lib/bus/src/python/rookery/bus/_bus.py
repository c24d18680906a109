"""The bus: streams, groups, readers, values and objects behind one connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from rookery.bus import _api, _streams
from rookery.bus._address import read_address
from rookery.bus._consumer import Delivery, consume
from rookery.bus._errors import BusConfiguration, EpochChanged, Unavailable
from rookery.bus._link import Link
from rookery.bus._lock import is_alive
from rookery.bus._messages import ConsumerState, Message, StreamState
from rookery.bus._objects import Objects
from rookery.bus._reader import as_message, follow
from rookery.bus._requests import REQUEST_SECONDS, Requests
from rookery.bus._settings import load_settings
from rookery.bus._values import Values
from rookery.service import Settings

EMBEDDED = "embedded:"
CONNECT_SECONDS = 10.0


class Bus:
    """A connection to the bus; `connect` makes one.

    Everything waits while the server is away and goes on when it is back: iterators for
    ever, a request for as long as its time-out, after which it raises `Unavailable`.
    Safe for concurrent use by the tasks of one event loop.

    Args:
        link: The connection.
        store: Bytes that all streams together may take, where they are missing.
        replicas: On how many servers a new stream is kept.
    """

    def __init__(self, link: Link, *, store: int, replicas: int) -> None:
        self._link = link
        self._requests = Requests(link)
        self._store = store
        self._replicas = replicas
        self._epoch: str | None = None

    @property
    def connected(self) -> bool:
        """Whether the server can be used right now."""
        return self._link.connected

    @property
    def epoch(self) -> str:
        """The id of the log, which changes when it is replaced by another one.

        It is that of the log that this process connected to first. If another one turns
        up after an outage, everything raises `EpochChanged` from then on.
        """
        if self._epoch is None:
            raise RuntimeError("not connected")
        return self._epoch

    async def check(self) -> None:
        """Looks whether what the server holds is what this process relies on.

        Raises:
            EpochChanged: If the log is another one than before.
        """
        found = await _streams.ensure_streams(
            self._link.client, store=self._store, replicas=self._replicas
        )
        epoch = _streams.epoch_of(found[_streams.POSTS])
        if self._epoch is not None and epoch != self._epoch:
            raise EpochChanged(
                f"the log at {self._link.where} was replaced: its epoch was "
                f"{self._epoch} and is {epoch}; start this process again"
            )
        self._epoch = epoch

    async def read_epoch(self) -> str:
        """Asks for the epoch that the log has now.

        It is another one than `epoch` where another process has renewed it since this
        one connected.

        Returns:
            The epoch.
        """

        async def read() -> str:
            return await _streams.read_epoch(self._link.client)

        return await self._link.attempt(read, timeout=REQUEST_SECONDS)

    async def renew_epoch(self) -> str:
        """Declares the log to be another one, as `lake repair` does.

        Returns:
            The new epoch, which is that of this connection from now on.
        """

        async def renew() -> str:
            return await _streams.renew_epoch(self._link.client)

        self._epoch = await self._link.attempt(renew, timeout=REQUEST_SECONDS)
        return self._epoch

    async def publish(
        self,
        stream: str,
        data: bytes,
        *,
        subject: str,
        expect_last: int | None = None,
        timeout: float = REQUEST_SECONDS,
    ) -> int:
        """Stores one message.

        What is raised says what to do: `AlreadyStored` if `expect_last` is 0 and the
        subject has a message, `WrongLast` if the last message of the subject is another
        one, `StreamFull` if there is no room now, `TooLarge` if the server does not take
        so large a message: nothing was stored. `Unavailable` if there is no answer: the
        outcome is unknown.

        Args:
            stream: Name of the stream, which must take the subject.
            data: The message, at most 8 MB.
            subject: Its subject.
            expect_last: The sequence that the last message of the subject must have, 0
                for none. With it, publishing again after `Unavailable` stores nothing
                twice.
            timeout: Seconds for all of it, waiting for the server included.

        Returns:
            The sequence it got.
        """
        return await self._requests.publish(
            stream, data, subject=subject, expect_last=expect_last, timeout=timeout
        )

    def consume(
        self,
        stream: str,
        *,
        group: str,
        max_in_flight: int = 8,
        ack_wait: float = 10.0,
    ) -> AsyncGenerator[Delivery, None]:
        """Takes a share of a stream, together with all other workers of the group.

        The group begins with the first message present and remembers what was
        acknowledged. A delivery comes at least once: again when its worker dies, when
        it was not kept alive, and after some outages.

        Args:
            stream: Name of the stream.
            group: Name of the group.
            max_in_flight: How many deliveries this worker has at most, unsettled or on
                their way. One that is dropped without being settled counts for
                `ack_wait`.
            ack_wait: Seconds after which a delivery goes to somebody else, unless it is
                kept alive with `heartbeat` or `keep_alive`. The last worker to join
                decides for the group.

        Returns:
            The deliveries as they come, without end.

        Raises:
            ValueError: If it may have none.
        """
        if max_in_flight < 1:
            raise ValueError(f"max_in_flight is {max_in_flight}, it must be at least 1")
        return consume(
            self._link,
            self,
            stream,
            group=group,
            max_in_flight=max_in_flight,
            ack_wait=ack_wait,
        )

    async def read(
        self, stream: str, *, start: int = 1, idle: float | None = None
    ) -> AsyncGenerator[Message, None]:
        """Reads a stream in order and follows it, without gap or repeat.

        Nothing is acknowledged: the reader remembers its own position. Messages that
        were trimmed before they were read are left out.

        Args:
            stream: Name of the stream.
            start: The first sequence to read; if it is gone, the first present one
                after it; if it does not exist yet, it is waited for.
            idle: Seconds without a message after which the reader ends; outages do not
                count. None to follow for ever.

        Yields:
            The messages.
        """
        messages = follow(self._link, stream, start=start, idle=idle)
        try:
            async for message in messages:
                yield as_message(message)
        finally:
            await messages.aclose()

    async def last(self, stream: str, subject: str) -> Message | None:
        """The last message of a subject.

        Args:
            stream: Name of the stream.
            subject: The subject.

        Returns:
            The message, None if there is none.
        """
        return await self._requests.message(stream, {"last_by_subj": subject})

    async def get(self, stream: str, sequence: int) -> Message | None:
        """One message.

        Args:
            stream: Name of the stream.
            sequence: Its sequence.

        Returns:
            The message, None if it is not there, or no longer.
        """
        return (
            await self._requests.message(stream, {"seq": sequence})
            if sequence > 0
            else None
        )

    async def state(self, stream: str) -> StreamState:
        """How full a stream is.

        Args:
            stream: Name of the stream.

        Returns:
            Its state.
        """
        subject = f"STREAM.INFO.{stream}"
        info = await self._requests.ask(
            subject, None, _api.StreamInfo, f"stream {stream}"
        )
        return _api.stream_state(info)

    async def consumer(self, stream: str, group: str) -> ConsumerState | None:
        """How far a group has come.

        Args:
            stream: Name of the stream.
            group: Name of the group.

        Returns:
            Its state, None if the group was never used.
        """
        subject = f"CONSUMER.INFO.{stream}.{group}"
        try:
            info = await self._requests.retry(subject, None, _api.ConsumerInfo)
        except _api.Refused as refused:
            if refused.not_found:
                return None
            refused.explain(f"group {group} of {stream}")
        return ConsumerState(
            ack_floor=info.ack_floor.stream_seq,
            pending=info.num_pending,
            in_flight=info.num_ack_pending,
            redelivered=info.num_redelivered,
        )

    async def trim(self, stream: str, *, through: int) -> int:
        """Removes the oldest messages.

        Args:
            stream: Name of the stream.
            through: The last sequence to remove.

        Returns:
            How many messages were removed.
        """
        if through < 1:
            return 0
        # What the server is told to keep begins after it; beyond the end it would begin
        # to number anew from there.
        state = await self.state(stream)
        body = {"seq": min(through, state.last) + 1}
        subject = f"STREAM.PURGE.{stream}"
        answer = await self._requests.ask(
            subject, body, _api.Purged, f"trimming {stream}"
        )
        return answer.purged

    def values(self, bucket: str, *, history: int = 1) -> Values:
        """The values of a bucket; it is created when it is used first.

        Args:
            bucket: Name of the bucket.
            history: How many values of a key are kept, the newest; a bucket that is
                there and keeps fewer keeps so many from now on.

        Returns:
            Access to its values.
        """
        return Values(
            self._requests,
            bucket,
            store=self._store,
            replicas=self._replicas,
            history=history,
        )

    def objects(self, bucket: str) -> Objects:
        """The objects of a bucket; it is created when it is used first.

        Args:
            bucket: Name of the bucket.

        Returns:
            Access to its objects.
        """
        return Objects(
            self._requests, bucket, store=self._store, replicas=self._replicas
        )


@asynccontextmanager
async def connect(
    url: str, *, name: str, state: Path | None = None
) -> AsyncIterator[Bus]:
    """Connects to the bus, and creates what is missing there.

    Args:
        url: "embedded:" for the server of the state folder, or "nats://host:port",
            several with commas between them; credentials in the URL, or a token in
            `ROOKERY_BUS_TOKEN`.
        name: What the server shows for this process.
        state: The state folder, for "embedded:".

    Yields:
        The bus.

    Raises:
        BusConfiguration: If the URL is none, or, found out later, if the server is not
            set up as Rookery needs it. No answer is `Unavailable`.
    """
    settings = load_settings()
    secret = Settings().bus_token
    token = secret.get_secret_value() if secret else None
    store = int(settings.store or _streams.REMOTE_DEFAULT_STORE)
    if url == EMBEDDED:
        url, token, store = _embedded(state)
    elif urlsplit(url).scheme not in ("nats", "tls"):
        raise BusConfiguration(
            f"ROOKERY_BUS is {url!r}: it must be {EMBEDDED!r} or begin with nats://"
        )
    elif "@" in url:
        token = None
    link = Link(url, name=name, token=token)
    bus = Bus(link, store=store, replicas=settings.replicas)
    await link.open(timeout=CONNECT_SECONDS, check=bus.check)
    try:
        yield bus
    finally:
        await link.close()


def _embedded(state: Path | None) -> tuple[str, str, int]:
    if state is None:
        raise BusConfiguration(f"{EMBEDDED!r} needs the state folder of the server")
    address = read_address(state)
    if address is None or not is_alive(address.pid):
        raise Unavailable(
            f"no embedded server runs on {state.resolve()}: start the platform with "
            "`./pants run projects/standalone` (or `python -m rookery.standalone`), or "
            "point ROOKERY_BUS to a running server"
        )
    return address.url, address.token, address.store
