"""Batch views of the lake."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rookery.analytics._options import By, Format

if TYPE_CHECKING:
    from rookery.service import Settings

# What a command works with is imported when it is called: help needs none of it.

app = typer.Typer(
    name="analytics", help=__doc__, no_args_is_help=True, add_completion=False
)

Url = Annotated[
    str | None,
    typer.Option(
        "--lake",
        help="file:///folder or s3://bucket/prefix; by default ROOKERY_LAKE, else the "
        "lake in the state folder.",
    ),
]
At = Annotated[
    int | None,
    typer.Option(help="Count up to this sequence of MATCHES only.", min=0),
]
Dask = Annotated[
    str | None,
    typer.Option(help="local: or tcp://host:port; by default ROOKERY_DASK."),
]
Threads = Annotated[
    int | None,
    typer.Option(help="Threads of a local worker; by default ROOKERY_THREADS.", min=1),
]
Processes = Annotated[
    int, typer.Option(help="Local worker processes; 0: threads of this one.", min=0)
]


@app.command()
def volume(
    lake: Url = None,
    at: At = None,
    by: Annotated[
        list[By] | None,
        typer.Option(help="What to count by; may be given several times."),
    ] = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
    dask: Dask = None,
    threads: Threads = None,
    processes: Processes = 0,
) -> None:
    """Counts the matched posts, anew from the matches themselves.

    By rule unless something else is asked for. A post that matched several rules counts
    under each of them; in every other view each post counts once.
    """
    from rookery.analytics import connect, view, volume_of, write
    from rookery.lake import Lake

    settings = _settings(threads)
    snapshot = Lake.open(lake or settings.lake_url, read_only=True).matches.snapshot(
        at=at
    )
    with connect(
        dask or settings.dask, threads=settings.threads, processes=processes
    ) as client:
        counted = volume_of(snapshot, client=client)
    for line in write(view(counted, list(dict.fromkeys(by or [By.RULE]))), format_):
        print(line)
    print(
        f"{snapshot.rows('matches'):,} matched posts up to sequence "
        f"{snapshot.watermark} of MATCHES, epoch {snapshot.epoch}",
        file=sys.stderr,
    )


@app.command()
def parity(
    lake: Url = None,
    at: At = None,
    dask: Dask = None,
    threads: Threads = None,
    processes: Processes = 0,
) -> None:
    """Proves that live and batch have counted the same, to the last post.

    Ends with 65 if they have not.
    """
    from rookery.analytics import committed, compare, connect, volume_of
    from rookery.lake import Lake

    settings = _settings(threads)
    snapshot = Lake.open(lake or settings.lake_url, read_only=True).matches.snapshot(
        at=at
    )
    with connect(
        dask or settings.dask, threads=settings.threads, processes=processes
    ) as client:
        counted = volume_of(snapshot, client=client)
    compare(committed(snapshot), counted, watermark=snapshot.watermark)
    print(
        f"equal: {counted.num_rows:,} rows from {snapshot.rows('matches'):,} matched "
        f"posts in {len(snapshot.commits):,} commits up to sequence "
        f"{snapshot.watermark}"
    )


def _settings(threads: int | None) -> "Settings":
    from rookery.service import Settings, configure_logging, configure_threads

    settings = Settings() if threads is None else Settings(threads=threads)
    configure_logging(settings, process="analytics")
    configure_threads(settings.threads)
    return settings
