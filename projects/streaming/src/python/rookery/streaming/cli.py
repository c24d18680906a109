"""The processes that move posts, on the command line."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from rookery.service import cli
from rookery.streaming._options import (
    ACK_WAIT_SECONDS,
    BLOCK_FRAMES,
    BLOCK_SECONDS,
    KEEP_MATCHES_SECONDS,
    Format,
    What,
)

# What a command runs is imported when it is called: help and version need none of it.

app = typer.Typer(
    name="streaming",
    help="Takes posts in, matches them, archives them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def main() -> None:
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
    from rookery.streaming._commands import run_ingest
    from rookery.streaming.formats import Columns, parse_columns
    from rookery.streaming.sources import SourceSpec

    return run_ingest(
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
    from rookery.streaming._commands import run_match_worker

    return run_match_worker(ack_wait)


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
    from rookery.streaming._archive import Limits
    from rookery.streaming._commands import run_archiver

    return run_archiver(
        Limits(frames=block_frames, seconds=block_seconds, keep_matches=keep_matches)
    )


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
    from rookery.streaming._commands import show

    if show(what, limit=limit, follow=follow) < limit:
        typer.echo(
            f"no more {what} in the log; what is archived is in the lake, and --follow "
            "shows what comes",
            err=True,
        )


def ingest_main() -> NoReturn:
    """Runs `ingest` as a program of its own."""
    cli(app, name="ingest", command="ingest")


def match_worker_main() -> NoReturn:
    """Runs `match-worker` as a program of its own."""
    cli(app, name="match-worker", command="match-worker")


def archiver_main() -> NoReturn:
    """Runs `archiver` as a program of its own."""
    cli(app, name="archiver", command="archiver")
