"""A real server for tests, and ways to hurt it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from nats.aio.client import Client

from rookery.bus._child import server_binary
from rookery.bus._server import EmbeddedServer
from rookery.service.testing import eventually_async, free_port

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
    pid = victim.pid
    os.kill(pid, signal.SIGSTOP)
    # The signal takes effect some time after it was sent.
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


class Cluster:
    """Some servers that keep the streams together; `cluster` makes it.

    Args:
        folder: Where they keep their files.
        size: How many there are.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._token = secrets.token_urlsafe(24)
        self._ports = [free_port() for _ in range(size)]
        self._routes = [free_port() for _ in range(size)]
        self._processes: dict[int, asyncio.subprocess.Process] = {}

    @property
    def url(self) -> str:
        """All servers, with the token in it."""
        return ",".join(self.url_of(node) for node in range(len(self._ports)))

    def url_of(self, node: int) -> str:
        """One of the servers, with the token in it.

        Args:
            node: Its number, from 0.

        Returns:
            Its URL.
        """
        return f"nats://{self._token}@127.0.0.1:{self._ports[node]}"

    async def start(self, node: int) -> None:
        """Starts a server.

        Args:
            node: Its number, from 0.
        """
        folder = self._folder / f"node-{node}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = folder / "nats.conf"
        config.touch(mode=0o600)
        config.write_text(json.dumps(self._config(node, folder)))
        self._processes[node] = await asyncio.create_subprocess_exec(
            *(str(server_binary()), "--config", str(config)),
            stdin=asyncio.subprocess.DEVNULL,
        )

    async def kill(self, node: int) -> None:
        """Kills a server; `start` brings it back with what it had.

        Args:
            node: Its number, from 0.
        """
        process = self._processes.pop(node)
        process.kill()
        await process.wait()

    async def ready(self) -> None:
        """Waits until the servers have found each other and elected a leader."""

        async def answers() -> bool:
            client = Client()
            try:
                async with asyncio.timeout(2):
                    await client.connect(self.url.split(","), allow_reconnect=False)
                    info = await client.jsm().account_info()
                    return info.streams >= 0
            except Exception:
                return False
            finally:
                await client.close()

        await eventually_async(answers, timeout=30, message="the cluster answers")

    async def stop(self) -> None:
        """Kills all servers."""
        for node in tuple(self._processes):
            await self.kill(node)

    def _config(self, node: int, folder: Path) -> dict[str, object]:
        routes = [f"nats://127.0.0.1:{port}" for port in self._routes]
        return {
            "server_name": f"node-{node}",
            "listen": f"127.0.0.1:{self._ports[node]}",
            "max_payload": 8 * MIB,
            "authorization": {"token": self._token},
            "log_file": str(folder / "nats.log"),
            "jetstream": {"store_dir": str(folder), "max_file_store": 1 << 40},
            "cluster": {
                "name": "rookery-test",
                "listen": f"127.0.0.1:{self._routes[node]}",
                "routes": routes,
            },
        }


@asynccontextmanager
async def cluster(folder: Path, *, size: int = 3) -> AsyncIterator[Cluster]:
    """Runs a cluster for as long as the block runs.

    With `ROOKERY_BUS_REPLICAS=3` each stream is kept on three servers.

    Args:
        folder: A folder of its own, such as `tmp_path`.
        size: How many servers.

    Yields:
        The cluster, ready.
    """
    running = Cluster(folder, size)
    try:
        for node in range(size):
            await running.start(node)
        await running.ready()
        yield running
    finally:
        await running.stop()
