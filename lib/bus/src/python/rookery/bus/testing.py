"""A real server for tests, and ways to hurt it."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from rookery.bus._server import EmbeddedServer

MIB = 1024 * 1024


@asynccontextmanager
async def server(
    state: Path, *, max_store: int = 1024 * MIB
) -> AsyncIterator[EmbeddedServer]:
    """Runs a server for as long as the block runs.

    Args:
        state: A folder of its own, such as `tmp_path`.
        max_store: Bytes that all streams together may take.

    Yields:
        The server; it may be killed and started again.
    """
    running = EmbeddedServer(state, max_store=max_store)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


async def kill(victim: EmbeddedServer) -> None:
    """Ends a server as the kernel does when memory runs out, and waits for its end.

    Args:
        victim: The server; `start` brings it back on the same port.
    """
    os.kill(victim.pid, signal.SIGKILL)
    await victim.wait()


async def restart(victim: EmbeddedServer) -> None:
    """Kills a server and starts it again.

    Args:
        victim: The server.
    """
    await kill(victim)
    await victim.start()


@contextmanager
def frozen(victim: EmbeddedServer) -> Iterator[None]:
    """Has a server hang, connections open, for as long as the block runs.

    Args:
        victim: The server.

    Yields:
        Nothing.
    """
    os.kill(victim.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(victim.pid, signal.SIGCONT)
