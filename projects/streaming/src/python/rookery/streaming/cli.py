"""The processes that move posts, on the command line."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from typing import Annotated

import typer

from rookery.bus import connect
from rookery.lake import Lake
from rookery.service import Process, Settings, run, version
from rookery.streaming._archive import BLOCK_SECONDS, Archiver, Limits
from rookery.streaming._blocks import BLOCK_FRAMES
from rookery.streaming._ingest import Ingest
from rookery.streaming._match import ACK_WAIT_SECONDS, MatchWorker
from rookery.streaming._peek import What, peek
from rookery.streaming._trim import KEEP_MATCHES_SECONDS
from rookery.streaming.formats import Columns, Format, parse_columns
from rookery.streaming.sources import SourceSpec, open_source

app = typer.Typer(
    name="streaming",
    help="Takes posts in, matches them, archives them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("rookery.streaming"))
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show it."),
    ] = False,
) -> None:
    """Takes posts in, matches them, archives them.

    The bus, the lake and everything else that all processes share is set in the
    environment: ROOKERY_BUS, ROOKERY_LAKE, ROOKERY_STATE ...
    """


@app.command()
def ingest(
    source: Annotated[
        list[str],
        typer.Option(
            help="A file, a pattern such as 'data/*.csv', - for standard input, or "
            "synthetic: for a made-up stream. Several files are one source."
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(help="Name of the source; by default after what it reads."),
    ] = None,
    file_format: Annotated[
        str, typer.Option("--format", help=f"auto, {', '.join(Format)}.")
    ] = "auto",
    columns: Annotated[
        str,
        typer.Option(help="Our columns from theirs: id='Tweet ID',text='Tweet Text'."),
    ] = "",
    time: Annotated[
        str | None,
        typer.Option(help="Column of the time, or snowflake: it is in the id."),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Posts per second (synthetic:).")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="How many posts there are (synthetic:).")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Another seed, another stream (synthetic:).")
    ] = 1,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow/--once", help="Wait for more at the end of files, or end there."
        ),
    ] = False,
) -> int:
    """Publish what a source has, going on where it stopped.

    Records that are no posts are kept with their reason (`peek dead`) and stop nothing.
    """
    found = open_source(
        SourceSpec(
            sources=source,
            name=name,
            file_format=_format(file_format),
            columns=Columns(parse_columns(columns), time),
            rate=rate,
            limit=limit,
            seed=seed,
            follow=follow,
        )
    )

    async def work(process: Process) -> None:
        settings = process.settings
        lake = await asyncio.to_thread(Lake.open, settings.lake_url)
        async with connect(settings.bus, name="ingest", state=settings.state) as bus:
            await Ingest(process, bus, lake, found).run()

    return run(work, name="ingest", settings=Settings())


def _format(text: str) -> Format | None:
    if text == "auto":
        return None
    try:
        return Format(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is none of auto, {', '.join(Format)}", param_hint="--format"
        ) from None


@app.command("match-worker")
def match_worker(
    ack_wait: Annotated[
        float,
        typer.Option(
            min=0.5, help="Seconds until the frames of a dead worker go to another."
        ),
    ] = ACK_WAIT_SECONDS,
) -> int:
    """Match posts as one of any number of workers, with the rules in force."""

    async def work(process: Process) -> None:
        settings = process.settings
        async with connect(settings.bus, name="match", state=settings.state) as bus:
            await MatchWorker(process, bus, ack_wait=ack_wait).run()

    return run(work, name="match-worker", settings=Settings())


@app.command()
def archiver(
    block_frames: Annotated[
        int, typer.Option(min=1, help="Most frames in a block.")
    ] = BLOCK_FRAMES,
    block_seconds: Annotated[
        float, typer.Option(min=0.05, help="Longest time until a frame is committed.")
    ] = BLOCK_SECONDS,
    keep_matches: Annotated[
        float,
        typer.Option(
            min=0, help="Seconds for which committed matches stay in the log."
        ),
    ] = KEEP_MATCHES_SECONDS,
) -> int:
    """Commit what the logs hold to the lake, and trim the logs."""
    limits = Limits(
        frames=block_frames,
        seconds=block_seconds,
        keep_matches=keep_matches,
    )

    async def work(process: Process) -> None:
        settings = process.settings
        lake = await asyncio.to_thread(Lake.open, settings.lake_url)
        async with connect(settings.bus, name="archiver", state=settings.state) as bus:
            await Archiver(process, bus, lake, limits=limits).run()

    return run(work, name="archiver", settings=Settings())


@app.command("peek")
def peek_command(
    what: Annotated[What, typer.Argument(help="Which log.")],
    limit: Annotated[
        int, typer.Option(min=0, help="How many of those there are.")
    ] = 10,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what comes.")
    ] = False,
) -> None:
    """Show the newest posts, matches or dead letters as JSON lines."""
    settings = Settings()

    async def show() -> int:
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

    if asyncio.run(show()) < limit:
        typer.echo(
            f"no more {what} in the log; what is archived is in the lake, and --follow "
            "shows what comes",
            err=True,
        )
