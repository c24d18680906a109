"""Single requests: a question and its answer, a message and its acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from rookery.bus import _api
from rookery.bus._errors import AlreadyStored, Unavailable, WrongLast
from rookery.bus._link import ANSWER_SECONDS, Link
from rookery.bus._messages import Message

_T = TypeVar("_T")

REQUEST_SECONDS = 5.0
_EXPECT = "Nats-Expected-Last-Subject-Sequence"
_STREAM = "Nats-Expected-Stream"


class Requests:
    """What can be asked of the server over one link.

    Args:
        link: The connection.
    """

    def __init__(self, link: Link) -> None:
        self.link = link

    async def publish(
        self,
        stream: str,
        data: bytes,
        *,
        subject: str,
        expect_last: int | None = None,
        timeout: float = REQUEST_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """Stores one message; see `Bus.publish`.

        Args:
            stream: Name of the stream.
            data: The message.
            subject: Its subject.
            expect_last: The sequence that the last message of the subject must have.
            timeout: Seconds for all of it.
            headers: More headers for the server.

        Returns:
            The sequence it got.

        Raises:
            AlreadyStored: If `expect_last` is 0 and the subject has a message.
            WrongLast: If the last message of the subject is another one.
        """
        sent = {_STREAM: stream, **(headers or {})}
        if expect_last is not None:
            sent[_EXPECT] = str(expect_last)

        async def store() -> int:
            answer = await self.link.client.request(
                subject, data, timeout=_api.NEVER, headers=sent
            )
            return _api.read(answer.data, _api.Published).seq

        try:
            return await self.link.attempt(store, timeout=timeout)
        except _api.Refused as refused:
            actual = refused.wrong_last
            if actual is None or expect_last is None:
                refused.explain(f"publishing to {subject}")
            if actual < 0:
                last = await self.message(stream, {"last_by_subj": subject})
                actual = 0 if last is None else last.sequence
            if expect_last == 0 and actual:
                raise AlreadyStored(subject, actual) from refused
            raise WrongLast(subject, expect_last, actual) from refused

    async def message(self, stream: str, which: Mapping[str, object]) -> Message | None:
        """Reads one message.

        It comes from the leader of the stream: a replica may be behind, and the answer
        is used to decide where to go on.

        Args:
            stream: Name of the stream.
            which: The sequence, or the subject of which it is the last.

        Returns:
            The message, None if it is not there or was deleted.
        """
        try:
            got = await self.retry(f"STREAM.MSG.GET.{stream}", which, _api.Got)
        except _api.Refused as refused:
            if refused.not_found:
                return None
            refused.explain(f"reading {stream}")
        stored = got.message
        if _api.is_tombstone(stored.hdrs):
            return None
        # Cuts the nanoseconds off, as the time of a delivery is cut.
        time = datetime.fromisoformat(stored.time)
        headers = _api.read_headers(stored.hdrs)
        return Message(stored.seq, stored.subject, stored.data, time, headers=headers)

    async def ask(self, subject: str, body: object, answer: type[_T], what: str) -> _T:
        """Asks the server, as `retry` does, and explains what it refuses.

        Args:
            subject: What is asked, after `$JS.API.`.
            body: The question.
            answer: The type of the answer.
            what: What is asked for, in words.

        Returns:
            The answer.
        """
        try:
            return await self.retry(subject, body, answer)
        except _api.Refused as refused:
            refused.explain(what)

    async def retry(self, subject: str, body: object, answer: type[_T]) -> _T:
        """Asks the server, again if it is away: for what may be asked twice.

        Args:
            subject: What is asked, after `$JS.API.`.
            body: The question.
            answer: The type of the answer.

        Returns:
            The answer.

        Raises:
            Unavailable: If there is none in time.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REQUEST_SECONDS

        async def once() -> _T:
            return await _api.call(self.link.client, subject, body, answer)

        delay = 0.02
        while True:
            try:
                # A cluster that is electing a leader does not answer at all.
                left = min(ANSWER_SECONDS, deadline - loop.time())
                return await self.link.attempt(once, timeout=left)
            except Unavailable:
                if loop.time() + delay >= deadline:
                    raise
            await asyncio.sleep(delay)
            delay *= 2
