"""The streams behind buckets of values and objects, laid out as NATS itself does it.

So the command line tool of NATS reads and writes them too.
"""

from __future__ import annotations

from typing import Any

from rookery.bus import _api
from rookery.bus._requests import Requests


class Bucket:
    """A stream that is created when it is used first.

    Args:
        requests: What to ask the server with.
        config: The configuration of the stream, if it has to be created.
    """

    def __init__(self, requests: Requests, config: dict[str, Any]) -> None:
        self.stream: str = config["name"]
        self._requests = requests
        self._config = config
        self._there = False

    async def ensure(self) -> None:
        """Creates the stream unless it is there."""
        if self._there:
            return
        name = self.stream
        try:
            await self._requests.retry(f"STREAM.INFO.{name}", None, _api.StreamInfo)
        except _api.Refused as refused:
            if not refused.not_found:
                refused.explain(f"bucket {name}")
            await self._create()
        self._there = True

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
