"""Values that change: compared and set, watched, with the former ones of each key."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping

from rookery.bus import _api
from rookery.bus._buckets import Bucket, bucket_config
from rookery.bus._errors import AlreadyStored, StreamFull
from rookery.bus._messages import Value
from rookery.bus._reader import follow
from rookery.bus._requests import Requests
from rookery.bus._streams import MIB

_SILENCE_SECONDS = 2.0
_KEY = re.compile(r"[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*")


class Values:
    """The values of one bucket; `Bus.values` makes it.

    Args:
        requests: What to ask the server with.
        bucket: Name of the bucket.
        store: Bytes that all streams together may take.
        replicas: On how many servers a new bucket is kept.
        history: How many values of a key are kept.
    """

    def __init__(
        self,
        requests: Requests,
        bucket: str,
        *,
        store: int,
        replicas: int,
        history: int = 1,
    ) -> None:
        self._requests = requests
        self._prefix = f"$KV.{bucket}."
        config = bucket_config(
            f"KV_{bucket}",
            [f"$KV.{bucket}.>"],
            max_bytes=max(4 * MIB, store // 100),
            replicas=replicas,
        )
        # Nobody removes a single value by hand.
        kept = {"max_msgs_per_subject": history}
        config |= {**kept, "deny_delete": True}
        self._history = history
        self._bucket = Bucket(requests, config, at_least=kept)

    async def get(self, key: str) -> Value | None:
        """The value of a key.

        Args:
            key: The key: letters, digits and `-/_=`, with points between its parts.

        Returns:
            The value, None if there is none.
        """
        subject = self._subject(key)
        await self._bucket.ensure()
        stream = self._bucket.stream
        message = await self._requests.message(stream, {"last_by_subj": subject})
        if message is None:
            return None
        return Value(key, message.data, message.sequence, message.time, message.headers)

    async def put(
        self,
        key: str,
        data: bytes,
        *,
        expect: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """Sets the value of a key.

        `WrongLast` is raised if its revision is another one than expected. After
        `Unavailable` the outcome is unknown. Where former values are kept and fill the
        bucket, the older half of those of this key goes.

        Args:
            key: The key.
            data: The value.
            expect: The revision it must have now, 0 if it must not exist; None to set
                it whatever it is.
            headers: What is stored with the value; 64 KB at most, in ASCII.

        Returns:
            The new revision.

        Raises:
            AlreadyStored: If it should not exist and does.
            StreamFull: If there is no room, and no former values that could give way.
        """
        subject = self._subject(key)
        await self._bucket.ensure()
        try:
            return await self._publish(subject, data, expect, headers)
        except AlreadyStored as stored:
            if await self.get(key) is not None:
                raise
            # What is stored says that the key was deleted.
            return await self._publish(subject, data, stored.sequence, headers)
        except StreamFull:
            state = await self._bucket.state()
            size = len(data) + sum(map(len, (headers or {}).values()))
            # A disk that is full is not helped by forgetting.
            if self._history == 1 or state.bytes + 2 * size < state.max_bytes // 2:
                raise
            await self._bucket.purge(subject, keep=max(1, state.messages // 2))
            return await self._publish(subject, data, expect, headers)

    async def history(self, key: str, *, after: int = 0) -> list[Value]:
        """The values that are kept of a key, with the one it has now.

        Args:
            key: The key.
            after: The revision after which to begin.

        Returns:
            The values, oldest first. Of a deleted key, those it had.
        """
        subject = self._subject(key)
        await self._bucket.ensure()
        stream = self._bucket.stream
        last = await self._requests.message(stream, {"last_by_subj": subject})
        found: list[Value] = []
        if last is None or last.sequence <= after:
            return found
        messages = follow(self._requests.link, stream, start=after + 1, subject=subject)
        try:
            async for message in messages:
                about = _api.delivered(message.reply)
                headers = message.headers or {}
                if "KV-Operation" not in headers:
                    sequence, time = about.sequence, about.time
                    found.append(Value(key, message.data, sequence, time, headers))
                if about.sequence >= last.sequence:
                    break
        finally:
            await messages.aclose()
        return found

    async def watch(self, key: str) -> AsyncGenerator[Value, None]:
        """Follows a key: its value, if it has one, and then each new one, in order.

        When it changes faster than it is read, or while the server is away, values in
        between may be left out; the newest never is. A deleted key is no value.

        Args:
            key: The key.

        Yields:
            The values, without end.
        """
        subject = self._subject(key)
        await self._bucket.ensure()
        messages = follow(
            self._requests.link, self._bucket.stream, start=None, subject=subject
        )
        try:
            async for message in messages:
                headers = message.headers or {}
                if "KV-Operation" not in headers:
                    about = _api.delivered(message.reply)
                    sequence, time = about.sequence, about.time
                    yield Value(key, message.data, sequence, time, headers)
        finally:
            await messages.aclose()

    async def _publish(
        self,
        subject: str,
        data: bytes,
        expect: int | None,
        headers: Mapping[str, str] | None,
    ) -> int:
        return await self._requests.publish(
            self._bucket.stream,
            data,
            subject=subject,
            expect_last=expect,
            headers=headers,
        )

    def _subject(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ValueError(
                f"{key!r} is no key: letters, digits and -/_= with points between parts"
            )
        return self._prefix + key
