"""Values that change: the newest of each key, compared and set, and watched."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

from rookery.bus import _api
from rookery.bus._buckets import Bucket, bucket_config
from rookery.bus._errors import AlreadyStored
from rookery.bus._messages import Value
from rookery.bus._reader import follow
from rookery.bus._requests import Requests
from rookery.bus._streams import MIB

_KEY = re.compile(r"[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*")


class Values:
    """The values of one bucket; `Bus.values` makes it.

    Args:
        requests: What to ask the server with.
        bucket: Name of the bucket.
        store: Bytes that all streams together may take.
        replicas: On how many servers a new bucket is kept.
    """

    def __init__(
        self, requests: Requests, bucket: str, *, store: int, replicas: int
    ) -> None:
        self._requests = requests
        self._prefix = f"$KV.{bucket}."
        config = bucket_config(
            f"KV_{bucket}",
            [f"$KV.{bucket}.>"],
            max_bytes=max(4 * MIB, store // 100),
            replicas=replicas,
        )
        # Only the newest value of a key is kept; nobody removes one by hand.
        config |= {"max_msgs_per_subject": 1, "deny_delete": True}
        self._bucket = Bucket(requests, config)

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
        return None if message is None else Value(key, message.data, message.sequence)

    async def put(self, key: str, data: bytes, *, expect: int | None = None) -> int:
        """Sets the value of a key.

        `WrongLast` is raised if its revision is another one than expected. After
        `Unavailable` the outcome is unknown.

        Args:
            key: The key.
            data: The value.
            expect: The revision it must have now, 0 if it must not exist; None to set
                it whatever it is.

        Returns:
            The new revision.

        Raises:
            AlreadyStored: If it should not exist and does.
        """
        subject = self._subject(key)
        await self._bucket.ensure()
        try:
            return await self._publish(subject, data, expect)
        except AlreadyStored as stored:
            if await self.get(key) is not None:
                raise
            # What is stored says that the key was deleted.
            return await self._publish(subject, data, stored.sequence)

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
                if "KV-Operation" not in (message.headers or {}):
                    revision = _api.delivered(message.reply).sequence
                    yield Value(key, message.data, revision)
        finally:
            await messages.aclose()

    async def _publish(self, subject: str, data: bytes, expect: int | None) -> int:
        return await self._requests.publish(
            self._bucket.stream, data, subject=subject, expect_last=expect
        )

    def _subject(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ValueError(
                f"{key!r} is no key: letters, digits and -/_= with points between parts"
            )
        return self._prefix + key
