"""The bus: streams, groups, readers, values and objects behind one connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from rookery.bus import _api, _streams
from rookery.bus._address import read_address
from rookery.bus._consumer import Delivery, consume
from rookery.bus._errors import (
    AlreadyStored,
    BusConfiguration,
    EpochChanged,
    Unavailable,
    WrongLast,
)
from rookery.bus._link import Link
from rookery.bus._lock import is_alive
from rookery.bus._messages import ConsumerState, Message, StreamState
from rookery.bus._reader import as_message, follow
from rookery.bus._settings import BusSettings

_T = TypeVar("_T")

EMBEDDED = "embedded:"
CONNECT_SECONDS = 10.0
_REQUEST_SECONDS = 5.0
_EXPECT = "Nats-Expected-Last-Subject-Sequence"
_STREAM = "Nats-Expected-Stream"


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

    async def renew_epoch(self) -> str:
        """Declares the log to be another one, as `lake repair` does.

        Returns:
            The new epoch, which is that of this connection from now on.
        """

        async def renew() -> str:
            return await _streams.renew_epoch(self._link.client)

        self._epoch = await self._link.attempt(renew, timeout=_REQUEST_SECONDS)
        return self._epoch

    async def publish(
        self,
        stream: str,
        data: bytes,
        *,
        subject: str,
        expect_last: int | None = None,
        timeout: float = _REQUEST_SECONDS,
    ) -> int:
        """Stores one message.

        Besides what is listed below: `StreamFull` says that nothing was stored and that
        it can be tried again later, `TooLarge` that the server does not take so large a
        message, `Unavailable` that there is no answer, so the outcome is unknown.

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

        Raises:
            AlreadyStored: If `expect_last` is 0 and the subject has a message.
            WrongLast: If the last message of the subject is another one.
        """
        headers = {_STREAM: stream}
        if expect_last is not None:
            headers[_EXPECT] = str(expect_last)

        async def store() -> int:
            answer = await self._link.client.request(
                subject, data, timeout=_api.NEVER, headers=headers
            )
            return _api.read(answer.data, _api.Published).seq

        try:
            return await self._link.attempt(store, timeout=timeout)
        except _api.Refused as refused:
            actual = refused.wrong_last
            if actual is None or expect_last is None:
                refused.explain(f"publishing to {subject}")
            if actual < 0:
                last = await self.last(stream, subject)
                actual = 0 if last is None else last.sequence
            if expect_last == 0 and actual:
                raise AlreadyStored(subject, actual) from refused
            raise WrongLast(subject, expect_last, actual) from refused

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
        """
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
        return await self._get(stream, {"last_by_subj": subject})

    async def get(self, stream: str, sequence: int) -> Message | None:
        """One message.

        Args:
            stream: Name of the stream.
            sequence: Its sequence.

        Returns:
            The message, None if it is not there, or no longer.
        """
        return await self._get(stream, {"seq": sequence}) if sequence > 0 else None

    async def state(self, stream: str) -> StreamState:
        """How full a stream is.

        Args:
            stream: Name of the stream.

        Returns:
            Its state.
        """
        subject = f"STREAM.INFO.{stream}"
        info = await self._ask(subject, None, _api.StreamInfo, f"stream {stream}")
        state = info.state
        return StreamState(
            first=state.first_seq if state.messages else state.last_seq + 1,
            last=state.last_seq,
            messages=state.messages,
            bytes=state.bytes,
            max_bytes=info.config["max_bytes"],
        )

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
            info = await self._retry(subject, None, _api.ConsumerInfo)
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
        answer = await self._ask(subject, body, _api.Purged, f"trimming {stream}")
        return answer.purged

    async def _get(self, stream: str, which: dict[str, object]) -> Message | None:
        # From the leader of the stream: a replica may be behind, and the answer is
        # used to decide where to go on.
        try:
            got = await self._retry(f"STREAM.MSG.GET.{stream}", which, _api.Got)
        except _api.Refused as refused:
            if refused.not_found:
                return None
            refused.explain(f"reading {stream}")
        stored = got.message
        return Message(stored.seq, stored.subject, stored.data, stored.time)

    async def _ask(self, subject: str, body: object, answer: type[_T], what: str) -> _T:
        try:
            return await self._retry(subject, body, answer)
        except _api.Refused as refused:
            refused.explain(what)

    async def _retry(self, subject: str, body: object, answer: type[_T]) -> _T:
        """Asks the server, again if it is away: for what may be asked twice."""
        link = self._link
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _REQUEST_SECONDS

        async def ask() -> _T:
            return await _api.call(link.client, subject, body, answer)

        delay = 0.02
        while True:
            try:
                return await link.attempt(ask, timeout=deadline - loop.time())
            except Unavailable:
                if loop.time() + delay >= deadline:
                    raise
            await asyncio.sleep(delay)
            delay *= 2


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
    settings = BusSettings()
    token = settings.token.get_secret_value() if settings.token else None
    store = settings.store or _streams.REMOTE_DEFAULT_STORE
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
