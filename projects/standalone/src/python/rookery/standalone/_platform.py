"""Runs the platform: state, server, rules, processes, until it is asked to stop."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

from rookery.bus import Bus, EmbeddedServer, connect
from rookery.matching import RuleSet
from rookery.service import Process, require_token
from rookery.standalone._archive import everything_archived
from rookery.standalone._component import Child, Server, listens, resident_bytes
from rookery.standalone._errors import NotStandalone, StateUnusable
from rookery.standalone._options import Options
from rookery.standalone._plan import INGEST, SERVER_STAGE, SERVING, PagePort, children
from rookery.standalone._progress import Progress, StatusClient
from rookery.standalone._resume import name_of, tell_read, tell_resumed
from rookery.standalone._rules import load_rules, provide_rules
from rookery.standalone._screen import Screen
from rookery.standalone._state import erase, prepare_state
from rookery.standalone._supervisor import Supervisor

_LIVE_SECONDS = 1.0
_PLAIN_SECONDS = 5.0
_EMBEDDED = "embedded:"


class Platform:
    """The whole platform on one machine.

    Args:
        options: What a person asked for.
        process: This process: settings, and the request to stop.
        screen: Where to show what happens.
        fresh: Whether to remove first what earlier runs have kept.
    """

    def __init__(
        self, options: Options, process: Process, screen: Screen, *, fresh: bool
    ) -> None:
        self._options = options
        self._settings = process.settings
        self._stop = process.stop
        self._screen = screen
        self._fresh = fresh
        self._supervisor = Supervisor(say=screen.say)
        self._last: Progress | None = None
        self._source = ""

    async def run(self) -> None:
        """Runs until the stop is requested, the work is done, or a component fails."""
        rules, port = self._prepare()
        state = self._settings.state
        server = await self._server(state)
        client = StatusClient(lambda: self._address(port), self._settings)
        async with self._stopping(client):
            await self._supervisor.start(Server(server, stage=SERVER_STAGE))
            async with connect(_EMBEDDED, name="standalone", state=state) as bus:
                self._screen.say(await provide_rules(bus, self._options, rules))
                resumed = await tell_resumed(bus, self._settings, self._source)
                if resumed is not None:
                    self._screen.say(resumed)
                await self._start_children(port)
                await self._until_end(bus, client, port)

    def _prepare(self) -> tuple[RuleSet | None, PagePort]:
        """Finds out what is wrong before anything is started."""
        settings, options = self._settings, self._options
        if settings.bus != _EMBEDDED:
            raise NotStandalone(
                "ROOKERY_BUS names a server, but standalone runs its own: unset it, or "
                "start the processes one by one (python -m rookery.streaming --help)"
            )
        if self._fresh and settings.lake is not None:
            raise NotStandalone(
                "--fresh removes only what lies in the state folder, but ROOKERY_LAKE "
                "names another lake: unset it, or empty that lake yourself"
            )
        require_token(settings)
        self._source = name_of(options)
        rules = load_rules(options.rules) if options.rules else None
        port = PagePort(settings.host, options.port)
        state = prepare_state(settings.state)
        self._settings = settings.model_copy(update={"state": state})
        return rules, port

    async def _server(self, state: Path) -> EmbeddedServer:
        server = EmbeddedServer(state)
        if self._fresh and not erase(state):
            # Whoever has the folder is named by the attempt; if it is just leaving,
            # the attempt waits for that.
            async with server:
                pass
            if not erase(state):
                raise StateUnusable(f"{state} is used by another platform")
        return server

    @asynccontextmanager
    async def _stopping(self, client: StatusClient) -> AsyncIterator[None]:
        """Leaves nothing behind, whatever happens inside."""
        try:
            try:
                yield
            finally:
                drain = self._settings.drain_seconds
                # A little is left for this process itself to end.
                await self._supervisor.stop(min(self._stop.remaining(), drain) * 0.95)
                await client.close()
        except asyncio.CancelledError:
            # A second signal, or no time left: nothing is drained any more, and
            # nothing is lost by that, since what was not confirmed is done again.
            self._supervisor.kill()
            raise

    async def _start_children(self, port: PagePort) -> None:
        specs = children(
            self._options, self._settings, port, colours=self._screen.is_live
        )
        for spec in specs:
            await self._supervisor.start(Child(spec, self._screen.line))

    async def _until_end(self, bus: Bus, client: StatusClient, port: PagePort) -> None:
        """Returns when it is time to stop; raises what makes it impossible to go on."""
        ends: dict[str, Awaitable[object]] = {
            "stop": self._stop.wait(),
            "failure": self._supervisor.failure(),
        }
        if self._options.seconds is not None:
            ends["time"] = asyncio.sleep(self._options.seconds)
        if self._options.is_finite:
            ends["done"] = self._done(bus)
        ending = {asyncio.ensure_future(end) for end in ends.values()}
        showing = asyncio.create_task(self._show(client, port))
        try:
            ended, _ = await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                await task
        finally:
            for task in (*ending, showing):
                task.cancel()
            await asyncio.gather(*ending, showing, return_exceptions=True)
            self._screen.end_progress()

    async def _done(self, bus: Bus) -> None:
        await self._supervisor.done(INGEST)
        if not self._options.until_done:
            self._screen.say(
                "the source is exhausted; the page stays, stop with Ctrl-C"
            )
            await asyncio.Event().wait()
        archived = await everything_archived(bus, self._settings)
        self._screen.say(f"done: {await tell_read(bus, self._source)}; {archived}")

    def _address(self, port: PagePort) -> str | None:
        """Where the page is, once our own serving listens there.

        The first free port may have been taken since by another platform, whose page
        would answer just as well until ours has moved on to another port.
        """
        for component in self._supervisor.components:
            pid = component.pid
            if component.name == SERVING and pid and listens(pid, port.number):
                return port.url
        return None

    async def _show(self, client: StatusClient, port: PagePort) -> None:
        await client.until_ready()
        self._screen.say(f"page: {port.url}")
        pause = _LIVE_SECONDS if self._screen.is_live else _PLAIN_SECONDS
        while True:
            await asyncio.sleep(pause)
            shown = await client.progress()
            if shown is not None and (self._screen.is_live or shown != self._last):
                pids = [component.pid for component in self._supervisor.components]
                resident = resident_bytes([os.getpid(), *pids])
                self._screen.progress(shown.line(resident))
                self._last = shown
