"""The embedded server of a state folder."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from rookery.bus import _api
from rookery.bus._address import Address, read_address, write_address
from rookery.bus._child import START_SECONDS, Child
from rookery.bus._disk import DiskGuard
from rookery.bus._errors import BusConfiguration, ServerFailed, StateLocked
from rookery.bus._link import Link
from rookery.bus._lock import StateLock
from rookery.bus._settings import load_settings
from rookery.bus._streams import SMALLEST_STORE, default_store, ensure_streams

_log = structlog.get_logger("rookery.bus")

# How long a server whose parent has just died gets to leave by itself.
_ORPHAN_SECONDS = 3.0


class EmbeddedServer:
    """A nats-server that belongs to one state folder and to one parent process.

    It listens on loopback with a random token, keeps port and token over restarts so
    that clients find it again, and holds the lock of the state folder for as long as it
    runs, even if the parent dies. On Linux it ends with the thread that started it. It
    closes its streams before the disk is full.

    Args:
        state: The state folder; it is created if it is missing.
        max_store: Bytes that all streams together may take; by default what
            `ROOKERY_BUS_STORE` says, else half of the free disk, at most 32 GiB.
        reserve: Bytes that stay free on the disk: with less, the streams take nothing;
            by default a twentieth of the disk, at most 256 MiB.
    """

    def __init__(
        self, state: Path, *, max_store: int | None = None, reserve: int | None = None
    ) -> None:
        self._state = state.resolve()
        self._folder = self._state / "bus"
        self._lock = StateLock(self._state)
        self._max_store = max_store if max_store is not None else load_settings().store
        self._reserve = reserve
        self._child = Child(self._folder)
        self._guard: asyncio.Task[None] | None = None
        self._address: Address | None = None

    @property
    def url(self) -> str:
        """The URL, with the token in it: a secret."""
        address = self._started()
        return address.url.replace("//", f"//{address.token}@", 1)

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._started().pid

    @property
    def state(self) -> Path:
        """The state folder."""
        return self._state

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts the server and waits until its streams can be used.

        It may be called again after the server has ended.

        What prevents it is raised: `StateLocked` if the folder is in use, which names
        the process; `ServerFailed` with the end of the server's log if it does not
        start; `BusConfiguration` if the streams could outgrow the disk.

        Raises:
            RuntimeError: If it runs already.
        """
        if self._child.running:
            raise RuntimeError("the server runs already")
        await self._acquire()
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self.stop)
            await self._start()
            undo.pop_all()
        address = self._started()
        _log.info("bus started", action="start", pid=address.pid, server=address.url)

    async def wait(self) -> int:
        """Waits until the server has ended.

        It may end by itself after its disk was full; start it again then.

        Returns:
            Its exit code, negative if a signal ended it.
        """
        self._started()
        return await self._child.wait()

    async def stop(self, *, timeout: float = 5.0) -> None:
        """Stops the server, and frees the state folder.

        Args:
            timeout: Seconds it gets to stop by itself before it is killed.
        """
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None
        await self._child.stop(timeout=timeout)
        self._lock.release()

    def _started(self) -> Address:
        if self._address is None:
            raise RuntimeError("the server was not started")
        return self._address

    async def _acquire(self) -> None:
        """Takes the lock, with some patience for a server that is about to leave."""
        give_up = asyncio.get_running_loop().time() + _ORPHAN_SECONDS
        while True:
            try:
                self._lock.acquire()
                return
            except StateLocked as error:
                address = read_address(self._state)
                leaving = address is not None and error.pid == address.pid
                if not leaving or asyncio.get_running_loop().time() > give_up:
                    raise
            await asyncio.sleep(0.05)

    async def _start(self) -> None:
        self._folder.mkdir(exist_ok=True, mode=0o700)
        former = self._address or read_address(self._state)
        token = former.token if former else secrets.token_urlsafe(24)
        pid, url = await self._listen(former.port if former else None, token)
        sizes, store = await self._provide_streams(url, token)
        self._address = Address(url, token, pid, store)
        write_address(self._state, self._address)
        if self._guard is not None:
            self._guard.cancel()
        guard = DiskGuard(
            self._folder,
            self._child,
            self._address,
            sizes=sizes,
            reserve=self._reserve,
        )
        self._guard = asyncio.create_task(guard.run())

    async def _listen(self, port: int | None, token: str) -> tuple[int, str]:
        """Starts the process; its id, and the URL it listens on."""
        lock = self._lock.fd
        if lock is None:
            raise RuntimeError("the state folder is not locked")
        pids: list[int] = []

        def started(pid: int) -> None:
            self._lock.note(server=pid)
            pids.append(pid)

        for wanted in dict.fromkeys((port or -1, -1)):
            try:
                url = await self._child.start(
                    port=wanted, token=token, lock=lock, started=started
                )
                return pids[-1], url
            except ServerFailed:
                if wanted == -1:
                    raise
                # Somebody else may listen there by now. Who connects from now on is
                # told the new address.
                _log.warning("bus port refused", action="start", port=port)
        raise AssertionError("unreachable")

    async def _provide_streams(
        self, url: str, token: str
    ) -> tuple[dict[str, int], int]:
        """Creates the streams if the disk can hold them.

        Returns the size of each in bytes, and what all together may take.
        """
        used = await asyncio.to_thread(_size_of, self._folder / "jetstream")
        free = shutil.disk_usage(self._folder).free
        store = self._max_store or default_store(free, used)
        # Less than this cannot hold one frame per stream.
        store = max(SMALLEST_STORE, int(store))
        link = Link(url, name="embedded-server", token=token)
        found: dict[str, _api.StreamInfo] = {}

        async def provide() -> None:
            found.update(await ensure_streams(link.client, store=store, resize=True))

        await link.open(timeout=START_SECONDS, check=provide)
        await link.close()
        sizes = {name: int(info.config["max_bytes"]) for name, info in found.items()}
        room = sum(sizes.values()) - sum(info.state.bytes for info in found.values())
        if room > free:
            raise BusConfiguration(
                f"the streams may still grow by {room:,} bytes, but only {free:,} are "
                f"free on the disk of {self._folder}: free some space, or set "
                "ROOKERY_BUS_STORE to less"
            )
        return sizes, store


def _size_of(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size
