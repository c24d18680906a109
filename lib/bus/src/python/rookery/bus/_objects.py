"""Objects of any size, stored in pieces and checked when they are read."""

from __future__ import annotations

import base64
import hashlib
import secrets
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime

import msgspec

from rookery.bus import _api
from rookery.bus._buckets import Bucket, bucket_config
from rookery.bus._errors import BusError, Corrupt
from rookery.bus._messages import StreamState
from rookery.bus._reader import follow
from rookery.bus._requests import Requests
from rookery.bus._streams import MIB

_CHUNK = 512 * 1024
_SILENCE_SECONDS = 2.0


class _Options(msgspec.Struct):
    max_chunk_size: int = _CHUNK


class _Meta(msgspec.Struct, omit_defaults=True):
    """What NATS keeps about an object."""

    name: str
    bucket: str
    nuid: str
    size: int
    chunks: int
    digest: str = ""
    mtime: str = ""
    deleted: bool = False
    options: _Options | None = None


class Objects:
    """The objects of one bucket; `Bus.objects` makes it.

    nats-py has an object store too, but its `get` waits for ever for a piece that was
    lost with a connection.

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
        self._name = bucket
        config = bucket_config(
            f"OBJ_{bucket}",
            [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"],
            max_bytes=max(64 * MIB, store // 20),
            replicas=replicas,
        )
        self._bucket = Bucket(requests, config)

    async def put(self, name: str, data: bytes) -> None:
        """Stores an object; one of the same name is replaced when all of it is there.

        Nothing is written if it is there already. After `StreamFull` or `Unavailable`
        it is there as it was before, or already as it shall be.

        Args:
            name: Its name.
            data: Its content.
        """
        await self._bucket.ensure()
        former = await self._meta(name)
        digest = _digest(data)
        if former is not None and former.digest == digest:
            return
        nuid = secrets.token_hex(11)
        chunks = range(0, len(data), _CHUNK)
        meta = _Meta(
            name=name,
            bucket=self._name,
            nuid=nuid,
            size=len(data),
            chunks=len(chunks),
            digest=digest,
            mtime=datetime.now(UTC).isoformat(),
            options=_Options(),
        )
        async with AsyncExitStack() as undo:
            # Pieces that no object refers to would take room for ever.
            undo.push_async_callback(self._sweep, nuid)
            last = 0
            for start in chunks:
                last = await self._requests.publish(
                    self._bucket.stream,
                    data[start : start + _CHUNK],
                    subject=self._chunks(nuid),
                    expect_last=last,
                )
            undo.pop_all()
        await self._requests.publish(
            self._bucket.stream,
            msgspec.json.encode(meta),
            subject=self._about(name),
            headers={"Nats-Rollup": "sub"},
        )
        if former is not None:
            await self._purge(former.nuid)

    async def get(self, name: str) -> bytes | None:
        """Reads an object.

        Args:
            name: Its name.

        Returns:
            Its content, None if there is none.

        Raises:
            Corrupt: If what is stored is not what was put.
        """
        await self._bucket.ensure()
        meta = await self._meta(name)
        while meta is not None:
            data = await self._read(meta)
            if data is not None:
                return data
            # It may have been replaced while it was read.
            newer = await self._meta(name)
            if newer is not None and newer.nuid == meta.nuid:
                raise Corrupt(
                    f"object {name} of bucket {self._name} is damaged: put it again"
                )
            meta = newer
        return None

    async def has(self, name: str) -> bool:
        """Whether there is an object of a name; its content is not looked at.

        Args:
            name: Its name.

        Returns:
            True if there is one.
        """
        await self._bucket.ensure()
        return await self._meta(name) is not None

    async def names(self) -> list[str]:
        """The names of all objects.

        Returns:
            The names, in no order.
        """
        await self._bucket.ensure()
        prefix = f"$O.{self._name}.M."
        info = await self._requests.ask(
            f"STREAM.INFO.{self._bucket.stream}",
            {"subjects_filter": f"{prefix}>"},
            _api.StreamInfo,
            f"bucket {self._name}",
        )
        subjects = info.state.subjects or {}
        return [_api.decoded(subject.removeprefix(prefix)) for subject in subjects]

    async def state(self) -> StreamState:
        """How full the bucket is.

        Returns:
            The state of its stream.
        """
        await self._bucket.ensure()
        return await self._bucket.state()

    async def delete(self, name: str) -> None:
        """Removes an object, if it is there. Who reads it now may find it damaged.

        Args:
            name: Its name.
        """
        await self._bucket.ensure()
        meta = await self._meta(name)
        if meta is not None:
            # What names the pieces first: an object without them would be damaged.
            await self._bucket.purge(self._about(name))
            await self._purge(meta.nuid)

    async def _read(self, meta: _Meta) -> bytes | None:
        parts: list[bytes] = []
        if meta.chunks:
            messages = follow(
                self._requests.link,
                self._bucket.stream,
                start=1,
                subject=self._chunks(meta.nuid),
                idle=_SILENCE_SECONDS,
            )
            try:
                async for message in messages:
                    parts.append(message.data)
                    if len(parts) == meta.chunks:
                        break
            finally:
                await messages.aclose()
        data = b"".join(parts)
        return data if _digest(data) == meta.digest else None

    async def _meta(self, name: str) -> _Meta | None:
        message = await self._requests.message(
            self._bucket.stream, {"last_by_subj": self._about(name)}
        )
        if message is None:
            return None
        meta = msgspec.json.decode(message.data, type=_Meta)
        return None if meta.deleted else meta

    async def _sweep(self, nuid: str) -> None:
        with suppress(BusError):
            await self._purge(nuid)

    async def _purge(self, nuid: str) -> None:
        await self._bucket.purge(self._chunks(nuid))

    def _chunks(self, nuid: str) -> str:
        return f"$O.{self._name}.C.{nuid}"

    def _about(self, name: str) -> str:
        return f"$O.{self._name}.M.{_api.encoded(name)}"


def _digest(data: bytes) -> str:
    digest = hashlib.sha256(data).digest()
    return f"SHA-256={base64.urlsafe_b64encode(digest).decode()}"
