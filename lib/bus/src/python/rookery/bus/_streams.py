"""The streams: what they are, and how large they may get."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from nats.aio.client import Client

from rookery.bus import _api
from rookery.bus._errors import BusConfiguration, Unavailable

POSTS = "POSTS"
MATCHES = "MATCHES"
DEAD = "DEAD"
EPOCH = "rookery_epoch"

_log = structlog.get_logger("rookery.bus")

MIB = 1024 * 1024
GIB = 1024 * MIB
SMALLEST_STORE = 8 * MIB
LARGEST_DEFAULT_STORE = 32 * GIB
REMOTE_DEFAULT_STORE = 8 * GIB
MIN_PAYLOAD = 8_000_000


@dataclass(frozen=True)
class StreamSpec:
    """A stream of the platform.

    Attributes:
        name: Its name.
        subjects: What is stored in it.
        share: Its part of the bytes that all streams may take.
    """

    name: str
    subjects: str
    share: float


# What is left over, a tenth, is for the key-value and object buckets.
STREAMS = (
    StreamSpec(POSTS, "posts.>", 0.50),
    StreamSpec(MATCHES, "matches.>", 0.35),
    StreamSpec(DEAD, "dead.>", 0.05),
)


def default_store(free: int, used: int = 0) -> int:
    """How many bytes all streams together may take where nobody has said.

    Args:
        free: Bytes free on the disk.
        used: Bytes that the streams take already.

    Returns:
        Half of what the streams could have, at most 32 GiB.
    """
    return max(SMALLEST_STORE, min(LARGEST_DEFAULT_STORE, (free + used) // 2))


def _config(spec: StreamSpec, *, store: int, replicas: int) -> dict[str, Any]:
    return {
        "name": spec.name,
        "subjects": [spec.subjects],
        "retention": "limits",
        # A full log refuses what is new: nobody's posts are dropped behind his back.
        "discard": "new",
        "max_age": 0,
        "max_msgs": -1,
        "max_bytes": int(store * spec.share),
        "max_consumers": -1,
        "storage": "file",
        "num_replicas": replicas,
        "allow_direct": True,
    }


# What must be so in a stream that exists already, or posts could be lost.
_BINDING = ("subjects", "retention", "discard", "max_age", "storage")


def _check(config: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in _BINDING:
        if config.get(key, 0) != wanted[key]:
            raise BusConfiguration(
                f"stream {wanted['name']} has {key} {config.get(key)!r}, not "
                f"{wanted[key]!r}: it belongs to another program, or was changed by "
                "hand; set it back with `nats stream edit`, or use another server"
            )


async def ensure_streams(
    client: Client, *, store: int, replicas: int = 1, resize: bool = False
) -> dict[str, _api.StreamInfo]:
    """Creates the streams that are missing and checks those that are there.

    One that is there and is not what it must be is a `BusConfiguration` error.

    Args:
        client: The connection.
        store: Bytes that all streams together may take.
        replicas: On how many servers a new stream is kept.
        resize: Whether streams that are there get the size that follows from `store`;
            a stream never gets smaller than what is in it.

    Returns:
        The streams by name.
    """
    _check_payload(client)
    found = {}
    for spec in STREAMS:
        wanted = _config(spec, store=store, replicas=replicas)
        info = await _find_or_create(client, spec.name, wanted)
        _check(info.config, wanted)
        size = max(wanted["max_bytes"], info.state.bytes)
        if resize and info.config["max_bytes"] != size:
            info = await _update(client, info.config | {"max_bytes": size})
        found[spec.name] = info
    return found


async def resize_streams(client: Client, sizes: Mapping[str, int]) -> None:
    """Changes where streams are full; what is in them stays.

    Args:
        client: The connection.
        sizes: The new limit in bytes of each stream that changes.
    """
    for name, size in sizes.items():
        info = await _api.call(client, f"STREAM.INFO.{name}", None, _api.StreamInfo)
        await _update(client, info.config | {"max_bytes": size})


async def _find_or_create(
    client: Client, name: str, wanted: Mapping[str, Any]
) -> _api.StreamInfo:
    try:
        return await _api.call(client, f"STREAM.INFO.{name}", None, _api.StreamInfo)
    except _api.Refused as refused:
        if not refused.not_found:
            refused.explain(f"stream {name}")
    metadata = {EPOCH: secrets.token_hex(8)} if name == POSTS else {}
    body = {**wanted, "metadata": metadata}
    try:
        info = await _api.call(client, f"STREAM.CREATE.{name}", body, _api.StreamInfo)
    except _api.Refused as refused:
        if refused.fault.err_code == _api.NAME_TAKEN:
            # Another process was faster, with an epoch of its own.
            raise Unavailable(f"stream {name} is being created") from refused
        if refused.fault.err_code == _api.NO_STORAGE:
            raise BusConfiguration(
                f"the server has no room for stream {name} of {wanted['max_bytes']:,} "
                "bytes: set ROOKERY_BUS_STORE to what all streams may take"
            ) from refused
        refused.explain(f"stream {name}")
    _log.info("stream created", action="create", stream=name, **_size(info))
    return info


def _size(info: _api.StreamInfo) -> dict[str, Any]:
    return {"max_bytes": info.config["max_bytes"]}


async def _update(client: Client, config: Mapping[str, Any]) -> _api.StreamInfo:
    name = config["name"]
    try:
        return await _api.call(client, f"STREAM.UPDATE.{name}", config, _api.StreamInfo)
    except _api.Refused as refused:
        refused.explain(f"stream {name}")


async def read_epoch(client: Client) -> str:
    """Asks for the epoch of the log.

    Args:
        client: The connection.

    Returns:
        The epoch it has now.
    """
    info = await _api.call(client, f"STREAM.INFO.{POSTS}", None, _api.StreamInfo)
    return epoch_of(info)


async def renew_epoch(client: Client) -> str:
    """Gives the log a new epoch.

    Args:
        client: The connection.

    Returns:
        The new epoch.
    """
    info = await _api.call(client, f"STREAM.INFO.{POSTS}", None, _api.StreamInfo)
    epoch = secrets.token_hex(8)
    metadata = {**info.config.get("metadata", {}), EPOCH: epoch}
    await _update(client, info.config | {"metadata": metadata})
    return epoch


def epoch_of(info: _api.StreamInfo) -> str:
    """The epoch of the log.

    Args:
        info: The stream `POSTS`.

    Returns:
        The random id it got when it was created or renewed.

    Raises:
        BusConfiguration: If it has none.
    """
    epoch = (info.config.get("metadata") or {}).get(EPOCH)
    if not epoch:
        raise BusConfiguration(
            f"stream {POSTS} has no {EPOCH} in its metadata: it was not created by "
            "Rookery; use another server, or delete the stream"
        )
    return str(epoch)


def _check_payload(client: Client) -> None:
    if client.max_payload < MIN_PAYLOAD:
        raise BusConfiguration(
            f"the server takes messages of at most {client.max_payload} bytes, and "
            "Rookery needs 8 MB: set `max_payload: 8MB` in the server's configuration"
        )
