"""The command line of the platform on one machine."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rookery.standalone._options import Options, default_workers

if TYPE_CHECKING:
    from rookery.service import Process, Settings

# `./pants run` ends what it runs about three seconds after Ctrl-C.
_ATTACHED_DRAIN_SECONDS = 2.3
_PANTS_VARIABLE = "PANTS_BIN_NAME"
_PARENT_VARIABLE = "ROOKERY_PARENT"

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.command()
def standalone(
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="File or pattern to read, - for standard input, or synthetic:. "
            "May be repeated. Without it, made-up posts are shown."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the source.  [default: from the files]")
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="auto, jsonl, csv or parquet."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns of the files: id='Tweet ID',text='Tweet Text'"),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(help="Time of a post: a column, or snowflake (from the id)."),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="File with one rule a line.  [default: the rules from before]",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port of the page.  [default: first free from 8080]"
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder of everything that is kept.  [default: .rookery]"),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Remove first what earlier runs have kept.")
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.001, help="Made-up posts per second.  [default: 300]"),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Number of made-up posts.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the made-up posts.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Match workers.  [default: one for two cores]"),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, help="Stop after so many seconds.")
    ] = None,
    until_done: Annotated[
        bool,
        typer.Option(
            "--until-done", help="Stop when all of the source is matched and archived."
        ),
    ] = False,
) -> int:
    """Run the whole platform on this machine: log, matching, archive and page.

    Everything is kept in the state folder; the same source again goes on where it
    stopped. Stop with Ctrl-C.
    """
    # Imported late: help and version need none of it.
    from rookery.service import run
    from rookery.standalone._platform import Platform
    from rookery.standalone._screen import Screen

    options = Options(
        sources=tuple(source or ()),
        name=name,
        file_format=file_format,
        columns=columns,
        time=time,
        rate=rate,
        limit=limit,
        seed=seed,
        rules=rules,
        port=port,
        workers=workers or default_workers(),
        seconds=seconds,
        until_done=until_done,
    )
    _check(options)
    settings = _settings(state)
    _watch_pants()

    async def main(process: "Process") -> None:
        with Screen() as screen:
            await Platform(options, process, screen, fresh=fresh).run()
            screen.say("stopped")

    return run(main, name="standalone", settings=settings)


def _check(options: Options) -> None:
    if not options.is_synthetic and (options.rate or options.limit):
        raise typer.BadParameter(
            "--rate and --limit are for made-up posts, not for --source"
        )
    if options.until_done and not options.is_finite:
        raise typer.BadParameter(
            "--until-done needs a source that ends: --source FILE, or --limit N"
        )


def _settings(state: Path | None) -> "Settings":
    from rookery.service import Settings

    settings = Settings()
    changes: dict[str, object] = {}
    if state is not None:
        changes["state"] = state
    if _is_attached():
        drain = min(settings.drain_seconds, _ATTACHED_DRAIN_SECONDS)
        changes["drain_seconds"] = drain
    if settings.log_level == "info":
        # What its components say is shown; of its own only what is wrong.
        changes["log_level"] = "warning"
    return settings.model_copy(update=changes)


def _is_attached() -> bool:
    return _PANTS_VARIABLE in os.environ or sys.stdin.isatty() or sys.stdout.isatty()


def _watch_pants() -> None:
    """Ends with Pants, which leaves what it runs behind when it is terminated."""
    if _PANTS_VARIABLE in os.environ:
        os.environ.setdefault(_PARENT_VARIABLE, str(os.getppid()))
