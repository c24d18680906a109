"""Child processes of tests, and the ports they listen on."""

import contextlib
import signal
import socket
import subprocess  # nosec B404
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from rookery.service._children import child_environment, module_command
from rookery.service.testing._waiting import POLL_SECONDS


def free_port() -> int:
    """Returns a port of loopback that was free a moment ago.

    Another process can take it before it is used: let a server choose its own port
    (0) where it can say which one it took.
    """
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


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
            time.sleep(POLL_SECONDS)
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
