"""What each command runs: a process, and what it works with."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing

from rookery.bus import connect
from rookery.lake import Lake
from rookery.service import Process, Settings, configure_logging, run
from rookery.streaming._archive import Archiver, Limits
from rookery.streaming._ingest import Ingest
from rookery.streaming._match import MatchWorker
from rookery.streaming._options import What
from rookery.streaming._peek import peek
from rookery.streaming.sources import SourceSpec, open_source


def run_ingest(spec: SourceSpec) -> int:
    """Publishes what a source has.

    Args:
        spec: What was asked for; it is refused before anything is connected to.

    Returns:
        The exit code.
    """
    found = open_source(spec)

    async def work(process: Process) -> None:
        settings = process.settings
        lake = await asyncio.to_thread(Lake.open, settings.lake_url, read_only=True)
        async with connect(settings.bus, name="ingest", state=settings.state) as bus:
            await Ingest(process, bus, lake, found).run()

    return run(work, name="ingest", settings=Settings())


def run_match_worker(ack_wait: float) -> int:
    """Matches posts as one of any number of workers.

    Args:
        ack_wait: Seconds until the frames of a dead worker go to another.

    Returns:
        The exit code.
    """

    async def work(process: Process) -> None:
        settings = process.settings
        async with connect(settings.bus, name="match", state=settings.state) as bus:
            await MatchWorker(process, bus, ack_wait=ack_wait).run()

    return run(work, name="match-worker", settings=Settings())


def run_archiver(limits: Limits) -> int:
    """Commits what the logs hold to the lake, and trims the logs.

    Args:
        limits: When a block is closed, and how long matches stay.

    Returns:
        The exit code.
    """

    async def work(process: Process) -> None:
        settings = process.settings
        lake = await asyncio.to_thread(Lake.open, settings.lake_url)
        async with connect(settings.bus, name="archiver", state=settings.state) as bus:
            await Archiver(process, bus, lake, limits=limits).run()

    return run(work, name="archiver", settings=Settings())


def show(what: What, *, limit: int, follow: bool) -> int:
    """Writes the newest records of a log to standard output.

    Args:
        what: The log.
        limit: How many of those that are there are shown at most.
        follow: Whether to go on with what comes.

    Returns:
        How many were shown.
    """
    settings = Settings()
    configure_logging(settings, process="peek")

    async def write() -> int:
        shown = 0
        async with (
            connect(settings.bus, name="peek", state=settings.state) as bus,
            aclosing(peek(bus, what, limit=limit, follow=follow)) as lines,
        ):
            async for line in lines:
                sys.stdout.buffer.write(line + b"\n")
                sys.stdout.buffer.flush()
                shown += 1
        return shown

    return asyncio.run(write())
