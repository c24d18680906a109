"""The streams behind buckets of values and objects, laid out as NATS itself does it.

So the command line tool of NATS reads and writes them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.bus import _api
from rookery.bus._messages import StreamState
from rookery.bus._requests import Requests


class Bucket:
    """A stream that is created when it is used first.

    Args:
        requests: What to ask the server with.
        config: The configuration of the stream, if it has to be created.
        at_least: Limits that one which is there may have to be raised to.
    """

    def __init__(
        self,
        requests: Requests,
        config: dict[str, Any],
        at_least: Mapping[str, int] | None = None,
    ) -> None:
        self.stream: str = config["name"]
        self._requests = requests
        self._config = config
        self._at_least = at_least or {}
        self._there = False

    async def ensure(self) -> None:
        """Creates the stream unless it is there, and raises limits that are too low."""
        if self._there:
            return
        name = self.stream
        try:
            info = await self._requests.retry(
                f"STREAM.INFO.{name}", None, _api.StreamInfo
            )
        except _api.Refused as refused:
            if not refused.not_found:
                refused.explain(f"bucket {name}")
            await self._create()
        else:
            await self._raise(info.config)
        self._there = True

    async def state(self) -> StreamState:
        """How full the bucket is.

        Returns:
            The state of its stream.
        """
        name = self.stream
        info = await self._requests.ask(
            f"STREAM.INFO.{name}", None, _api.StreamInfo, f"bucket {name}"
        )
        return _api.stream_state(info)

    async def purge(self, subject: str, *, keep: int = 0) -> None:
        """Removes the messages of a subject.

        Args:
            subject: The subject.
            keep: How many of them stay, the newest.
        """
        name = self.stream
        body = {"filter": subject} | ({"keep": keep} if keep else {})
        await self._requests.ask(
            f"STREAM.PURGE.{name}", body, _api.Purged, f"purging {name}"
        )

    async def _raise(self, config: dict[str, Any]) -> None:
        higher = {
            name: value
            for name, value in self._at_least.items()
            # No limit is written as -1.
            if 0 <= config.get(name, -1) < value
        }
        if higher:
            name = self.stream
            await self._requests.ask(
                f"STREAM.UPDATE.{name}",
                config | higher,
                _api.StreamInfo,
                f"bucket {name}",
            )

    async def _create(self) -> None:
        name = self.stream
        try:
            await self._requests.retry(
                f"STREAM.CREATE.{name}", self._config, _api.StreamInfo
            )
        except _api.Refused as refused:
            # Another process may have been faster, with other sizes.
            if refused.fault.err_code != _api.NAME_TAKEN:
                refused.explain(f"bucket {name}")


def bucket_config(
    name: str, subjects: list[str], *, max_bytes: int, replicas: int
) -> dict[str, Any]:
    """The configuration of the stream of a bucket.

    Args:
        name: Name of the stream.
        subjects: What is stored in it.
        max_bytes: Where it is full.
        replicas: On how many servers it is kept.

    Returns:
        What values and objects have in common.
    """
    return {
        "name": name,
        "subjects": subjects,
        "retention": "limits",
        "discard": "new",
        "max_bytes": max_bytes,
        "max_consumers": -1,
        "max_msgs": -1,
        "max_age": 0,
        "storage": "file",
        "num_replicas": replicas,
        "allow_rollup_hdrs": True,
        "allow_direct": True,
    }
