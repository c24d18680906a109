"""A platform of real processes on loopback, for tests here and in other projects."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog
from prometheus_client import CollectorRegistry

from rookery.bus import (
    DEAD,
    MATCHES,
    POSTS,
    Bus,
    DeadLetter,
    EmbeddedServer,
    connect,
    decode_dead,
)
from rookery.bus.testing import server
from rookery.lake import Lake
from rookery.matching import RuleSet, store
from rookery.records import decode
from rookery.service import Health, Process, Settings, Stop
from rookery.service.testing import Child, eventually_async, start_module
from rookery.streaming import sample_rules
from rookery.streaming._strings import strings

_T = TypeVar("_T")


def process(**values: Any) -> Process:
    """Makes what `rookery.service.run` hands to a process, for one within the test.

    Args:
        **values: Settings.

    Returns:
        A process that nobody has asked to end.
    """
    return Process(
        name="test",
        settings=Settings(**values),
        stop=Stop(drain_seconds=5.0),
        health=Health(),
        registry=CollectorRegistry(),
        log=structlog.get_logger(),
    )


class Platform:
    """The embedded server, the lake, and processes of this project as children.

    Args:
        state: The state folder.
        running: The server.
        stack: Ends the children.
    """

    def __init__(self, state: Path, running: EmbeddedServer, stack: ExitStack) -> None:
        self.state = state
        self.server = running
        self.lake_url = (state / "lake").resolve().as_uri()
        self._stack = stack

    @property
    def lake(self) -> Lake:
        """The lake as it is now."""
        return Lake.open(self.lake_url)

    def use(self, running: EmbeddedServer) -> None:
        """Goes on with another server, and the same lake.

        Args:
            running: The server.
        """
        self.server = running
        self.state = running.state

    def start(
        self, command: str, *arguments: str, stdin: str = "", **settings: str
    ) -> Child:
        """Starts a process.

        Args:
            command: Its command, such as `ingest`.
            *arguments: Its arguments.
            stdin: What it reads from standard input.
            **settings: Settings, by the second part of their variable.

        Returns:
            The running child.
        """
        given = self._stack.enter_context(tempfile.TemporaryFile("w+"))
        given.write(stdin)
        given.seek(0)
        return self._stack.enter_context(
            start_module(
                "rookery.streaming",
                command,
                *arguments,
                env={
                    "ROOKERY_STATE": str(self.state),
                    "ROOKERY_LAKE": self.lake_url,
                    "ROOKERY_LOG_FORMAT": "json",
                    **{f"ROOKERY_{key.upper()}": v for key, v in settings.items()},
                },
                stdin=given,
            )
        )

    def archiver(self, *arguments: str, **settings: str) -> Child:
        """Starts an archiver that commits often.

        Args:
            *arguments: Further arguments.
            **settings: Settings.

        Returns:
            The running child.
        """
        limits = ("--block-seconds", "0.3", "--block-frames", "16")
        return self.start("archiver", *limits, *arguments, **settings)

    def worker(self, **settings: str) -> Child:
        """Starts a match worker whose frames go to another soon after its death.

        Args:
            **settings: Settings.

        Returns:
            The running child.
        """
        return self.start("match-worker", "--ack-wait", "1", **settings)

    async def connected(self, use: Callable[[Bus], Awaitable[_T]]) -> _T:
        """Does something with the bus.

        Args:
            use: What to do.

        Returns:
            What that returned.
        """
        async with connect("embedded:", name="test", state=self.state) as bus:
            return await use(bus)

    async def publish_rules(self, text: str = "") -> str:
        """Puts a rule set in force.

        Args:
            text: A rule file; the rules for the synthetic stream if empty.

        Returns:
            Its version.
        """
        rules = RuleSet.parse((text or sample_rules()).splitlines())
        return await self.connected(lambda bus: store.publish(bus, rules))

    async def archived(self, *, timeout: float = 60.0) -> None:
        """Waits until all posts are matched, and posts and matches in the lake.

        Args:
            timeout: Seconds after which the test fails.
        """

        async def look(bus: Bus) -> None:
            async def done() -> bool:
                posts, matches = await bus.state(POSTS), await bus.state(MATCHES)
                consumer = await bus.consumer(POSTS, "match")
                lake = self.lake
                return (
                    consumer is not None
                    and consumer.ack_floor == posts.last
                    and lake.posts.watermark() == posts.last
                    and lake.matches.watermark() == matches.last
                    and matches.last >= posts.last
                )

            await eventually_async(
                done, timeout=timeout, message="everything is archived"
            )

        await self.connected(look)

    async def totals(self, source: str) -> dict[str, int]:
        """What an ingest says it has done so far.

        Args:
            source: Name of the source.

        Returns:
            Its totals, nothing if it was never read.
        """

        async def read(bus: Bus) -> dict[str, int]:
            value = await bus.values("INGEST").get(source)
            found: dict[str, int] = json.loads(value.data) if value else {}
            return found

        return await self.connected(read)

    async def letters(self) -> list[DeadLetter]:
        """All dead letters, oldest first."""

        async def read(bus: Bus) -> list[DeadLetter]:
            state = await bus.state(DEAD)
            found = [await bus.get(DEAD, n) for n in range(state.first, state.last + 1)]
            return [decode_dead(message.data) for message in found if message]

        return await self.connected(read)

    async def logged_ids(self) -> Counter[str]:
        """How often each id is in the log of posts."""

        async def read(bus: Bus) -> Counter[str]:
            state, ids = await bus.state(POSTS), Counter[str]()
            for sequence in range(state.first, state.last + 1):
                message = await bus.get(POSTS, sequence)
                if message is not None:
                    ids.update(strings(decode(message.data).batch["id"]))
            return ids

        return await self.connected(read)

    def archived_ids(self) -> Counter[str]:
        """How often each id is among the posts in the lake."""
        table = self.lake.posts.snapshot().table("posts", columns=["id"])
        return Counter(strings(table["id"]))

    def matched_ids(self) -> Counter[str]:
        """How often each id is among the matches in the lake."""
        table = self.lake.matches.snapshot().table("matches", columns=["id"])
        return Counter(strings(table["id"]))


@asynccontextmanager
async def platform(folder: Path) -> AsyncIterator[Platform]:
    """Runs a server for as long as the block runs, and ends what was started in it.

    Args:
        folder: A folder of its own, such as `tmp_path`.

    Yields:
        A platform without processes yet.
    """
    state = folder / "state"
    async with server(state) as running:
        # The children end before their server, so that none of them complains.
        with ExitStack() as stack:
            yield Platform(state, running, stack)
