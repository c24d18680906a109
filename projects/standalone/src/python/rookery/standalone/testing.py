"""A platform that runs for a test, as a child process with a state folder of its own."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from rookery.service.testing import Child, eventually, start_module

# Python processes that load Arrow take seconds to start where two cores are shared.
START_SECONDS = 90.0
GONE_SECONDS = 30.0

# What a shell may hold that would lead a test to somebody's real platform.
_FORGOTTEN = {
    name: ""
    for name in (
        "ROOKERY_BUS",
        "ROOKERY_LAKE",
        "ROOKERY_HOST",
        "ROOKERY_TOKEN",
        "ROOKERY_ARCHIVE",
        "ROOKERY_METRICS_PORT",
    )
}


@dataclass(frozen=True)
class Run:
    """A platform that runs.

    Attributes:
        child: Its process.
        state: Its state folder.
    """

    child: Child
    state: Path

    @property
    def url(self) -> str:
        """Address of its page; waits until it is served."""
        line = self.child.wait_for("page: http", timeout=START_SECONDS)
        return line.split("page: ")[1].strip()

    def get(self, path: str, **parameters: str) -> Any:
        """Asks its REST interface.

        Args:
            path: Such as `/api/status`.
            **parameters: The query.

        Returns:
            The decoded answer.
        """
        answer = httpx.get(
            f"{self.url}{path}", params=parameters, timeout=20, trust_env=False
        )
        answer.raise_for_status()
        return answer.json()

    def family(self) -> list[psutil.Process]:
        """Its process and all below it.

        Returns:
            Those that run now.
        """
        parent = psutil.Process(self.child.pid)
        return [parent, *parent.children(recursive=True)]

    def process(self, words: str) -> psutil.Process:
        """Waits for one of its processes.

        Args:
            words: What its command line holds.

        Returns:
            The process.
        """

        def find() -> psutil.Process | None:
            for process in self.family()[1:]:
                try:
                    if words in " ".join(process.cmdline()):
                        return process
                except psutil.Error:
                    continue
            return None

        return eventually(find, timeout=START_SECONDS, message=f"a process {words}")


@contextmanager
def platform(state: Path, *arguments: str, **variables: str) -> Iterator[Run]:
    """Runs `python -m rookery.standalone`, and makes sure that nothing of it is left.

    Args:
        state: Its state folder.
        *arguments: More arguments.
        **variables: Variables to add to its environment.

    Yields:
        The running platform; it is stopped at the end if it still runs.
    """
    env = _FORGOTTEN | {"ROOKERY_BUS_STORE": "1GB"} | variables
    family: list[psutil.Process] = []
    with start_module(
        "rookery.standalone", "--state", str(state), *arguments, env=env
    ) as child:
        run = Run(child, state)
        try:
            yield run
        finally:
            if child.process.poll() is None:
                family = run.family()
                child.signal(signal.SIGINT)
                child.process.wait(GONE_SECONDS)
            print(child.stdout, child.stderr, sep="\n")
    eventually(lambda: are_gone(family), timeout=GONE_SECONDS, message="all are gone")


def are_gone(processes: list[psutil.Process]) -> bool:
    """Tells whether processes have ended.

    Args:
        processes: The processes.

    Returns:
        True if none of them runs.
    """
    for process in processes:
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            continue
    return True
