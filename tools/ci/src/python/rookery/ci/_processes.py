"""One process of a job: its output streams through, and it ends when it has to."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess  # nosec B404
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

# What remains of a process that was ended has this long before it is killed. Pants ends
# its own children when it is interrupted, which takes it a second or two.
GRACE_SECONDS = 5.0
# How long the output of a process that is gone is still read: what it left behind may
# hold the pipe open for ever.
_DRAIN_SECONDS = 1.0
_CHUNK = 65536


class TimedOut(Exception):
    """The process took longer than it may, and was ended."""


@dataclass(frozen=True)
class Shell:
    """How the processes of a job are started.

    Attributes:
        folder: Where they work.
        write: Where their output goes, as it comes.
        deadline: When, by `time.monotonic`, the job is over; None is never.
        groups: The process groups that were started.
    """

    folder: Path
    write: Callable[[bytes], object]
    deadline: float | None
    groups: list[int] = field(default_factory=list)

    def run(self, command: Sequence[str], env: Mapping[str, str]) -> int:
        """Runs a command in a process group of its own.

        Args:
            command: The program and its arguments.
            env: All of its environment.

        Returns:
            Its exit code; 128 and the signal for one that a signal ended. Where the
            deadline comes first, the process and its children are ended, and `TimedOut`
            is raised.
        """
        process = subprocess.Popen(  # nosec B603
            command,
            cwd=self.folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        self.groups.append(process.pid)
        with process:
            done = False
            try:
                self._stream(process)
                done = True
            finally:
                # Whatever it was, an interrupt too: nothing that was started stays.
                if not done:
                    end(process)
                if process.stdout is not None:
                    process.stdout.close()
        code = process.wait()
        return 128 - code if code < 0 else code

    def close(self) -> None:
        """Ends what the processes left behind: a job leaves nothing running."""
        for group in self.groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        self.groups.clear()

    def _stream(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            raise RuntimeError("the output of the process is not a pipe")
        drained: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                now = time.monotonic()
                if self.deadline is not None and now > self.deadline:
                    raise TimedOut
                if drained is None and process.poll() is not None:
                    drained = now + _DRAIN_SECONDS
                if drained is not None and now > drained:
                    return
                if selector.select(0.1) and not self._copy(process.stdout):
                    break
        self._wait(process)

    def _copy(self, pipe: IO[bytes]) -> bool:
        data = os.read(pipe.fileno(), _CHUNK)
        self.write(data)
        return bool(data)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        # It closed its output and goes on.
        left = None if self.deadline is None else self.deadline - time.monotonic()
        try:
            process.wait(timeout=left)
        except subprocess.TimeoutExpired:
            raise TimedOut from None


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process, its group and what it started in groups of their own.

    Args:
        process: The process, as `Shell.run` starts it.
    """
    # Pants starts tests in sessions of their own, where no signal to its group arrives.
    family = _family(process)
    # An interrupt, because that is what programs clean up after: Pants ends its tests.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    _, alive = psutil.wait_procs(family, timeout=GRACE_SECONDS)
    for member in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        first = psutil.Process(process.pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
