"""What the supervisor keeps running: child processes and the embedded server."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import psutil

from rookery.bus import EmbeddedServer

_LONGEST_LINE = 8192
_CHUNK = 64 * 1024


class Component(Protocol):
    """Something that is started, runs until it ends, and can be stopped.

    `stage` says when it is stopped (the lowest first), `share` how much of the time
    for stopping it gets in proportion to the others, `finite` that it is allowed to
    end well.
    """

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def stage(self) -> int:
        """When it is stopped: the lowest first."""

    @property
    def share(self) -> float:
        """How much time it gets to stop, in proportion to the others."""

    @property
    def finite(self) -> bool:
        """Whether it is allowed to end, because its work can be done."""

    @property
    def pid(self) -> int | None:
        """Its process, None if there is none."""

    @property
    def last_words(self) -> str:
        """What it said about why it ended."""

    async def start(self) -> None:
        """Starts it; returns when it runs."""

    async def wait(self) -> int:
        """Waits until it has ended; returns its exit code, negative for a signal."""

    async def stop(self, timeout: float) -> None:
        """Asks it to end and kills it after some seconds; it is gone on return."""

    def kill(self) -> None:
        """Ends it at once."""


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """How a child process is started and stopped.

    Attributes:
        name: What a person calls it.
        command: Gives the command for each start.
        environment: Its whole environment.
        stage: When it is stopped: the lowest first.
        share: How much time it gets to stop, in proportion to the others.
        finite: Whether it may end well, because its work can be done.
        reads_stdin: Whether it gets this process's standard input.
    """

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str] = field(repr=False)
    stage: int = 0
    share: float = 1.0
    finite: bool = False
    reads_stdin: bool = False


class Child:
    """A child process, in a group of its own, whose output goes to a listener.

    Args:
        spec: How it is started and stopped.
        on_line: Called with its name and each line that it writes.
    """

    def __init__(self, spec: ChildSpec, on_line: Callable[[str, str], None]) -> None:
        self._spec = spec
        self._on_line = on_line
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._last_words = ""

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._spec.name

    @property
    def stage(self) -> int:
        """When it is stopped: the lowest first."""
        return self._spec.stage

    @property
    def share(self) -> float:
        """How much time it gets to stop, in proportion to the others."""
        return self._spec.share

    @property
    def finite(self) -> bool:
        """Whether it is allowed to end, because its work can be done."""
        return self._spec.finite

    @property
    def pid(self) -> int | None:
        """Its process, None before the first start."""
        return self._process.pid if self._process else None

    @property
    def last_words(self) -> str:
        """Its last line that begins with `error: `, without that."""
        return self._last_words

    async def start(self) -> None:
        """Starts the process."""
        self._last_words = ""
        stdin = None if self._spec.reads_stdin else asyncio.subprocess.DEVNULL
        # A session of its own: Ctrl-C in a terminal is for the supervisor, which stops
        # its children in order; and the whole group can be killed.
        self._process = await asyncio.create_subprocess_exec(
            *self._spec.command(),
            env=self._spec.environment,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        if self._process.stdout is None:
            raise RuntimeError("a child without an output pipe")
        self._pump = asyncio.create_task(
            _each_line(self._process.stdout, self._take), name=f"{self.name}-output"
        )

    async def wait(self) -> int:
        """Waits until it has ended and its output is read; returns its exit code."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        code = await self._process.wait()
        if self._pump is not None:
            # A grandchild may hold the pipe open for as long as it likes.
            await asyncio.wait({self._pump}, timeout=1.0)
            self._pump.cancel()
        return code

    async def stop(self, timeout: float) -> None:
        """Asks it to end and kills its group after some seconds."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(timeout):
                await self.wait()
        except TimeoutError:
            self._on_line(self.name, f"killed: it did not end within {timeout:.1f} s")
            self.kill()
            await self.wait()

    def kill(self) -> None:
        """Ends its group at once."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _take(self, line: str) -> None:
        if line.startswith("error: "):
            self._last_words = line.removeprefix("error: ")
        self._on_line(self.name, line)


async def _each_line(output: asyncio.StreamReader, take: Callable[[str], None]) -> None:
    """Hands over lines; one that does not end is handed over in pieces."""
    rest = b""
    while chunk := await output.read(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines.append(rest)
            rest = b""
        for line in lines:
            take(line[:_LONGEST_LINE].decode(errors="replace").rstrip("\r"))
    if rest:
        take(rest.decode(errors="replace"))


class Server:
    """The embedded server as a component.

    Args:
        server: The server of the state folder.
        stage: When it is stopped.
    """

    name = "server"
    share = 1.0
    finite = False
    last_words = ""

    def __init__(self, server: EmbeddedServer, *, stage: int) -> None:
        self._server = server
        self.stage = stage
        self._runs = False

    @property
    def pid(self) -> int | None:
        """Its process, None before the first start."""
        return self._server.pid if self._runs else None

    async def start(self) -> None:
        """Starts the server; returns when its streams can be used."""
        await self._server.start()
        self._runs = True

    async def wait(self) -> int:
        """Waits until it has ended; returns its exit code."""
        return await self._server.wait()

    async def stop(self, timeout: float) -> None:
        """Stops the server and frees the state folder."""
        await self._server.stop(timeout=timeout)
        self._runs = False

    def kill(self) -> None:
        """Ends it at once."""
        if self._runs:
            with suppress(ProcessLookupError):
                os.kill(self._server.pid, signal.SIGKILL)


def resident_bytes(pids: Sequence[int | None]) -> int:
    """Adds up the resident memory of some processes.

    Args:
        pids: Their ids; those that are gone count nothing.

    Returns:
        Bytes; pages that processes share are counted for each.
    """
    total = 0
    for pid in pids:
        if pid is not None:
            with suppress(psutil.Error):
                total += psutil.Process(pid).memory_info().rss
    return total


def listens(pid: int, port: int) -> bool:
    """Tells whether a process itself listens on a port.

    Args:
        pid: Its id.
        port: The port.

    Returns:
        False also where the process is gone.
    """
    with suppress(psutil.Error):
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for connection in psutil.Process(pid).net_connections(kind="tcp")
        )
    return False
