"""Looks at a lake, checks it and repairs it."""

import json
import os
import sys
from dataclasses import asdict
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from typer.exceptions import Abort, TyperException

from rookery.lake import Commit, Lake, LakeError
from rookery.lake._check import check as check_lake
from rookery.lake._check import sweep
from rookery.lake._model import PARTS

app = typer.Typer(name="lake", help=__doc__, no_args_is_help=True, add_completion=False)

Url = Annotated[
    str,
    typer.Option(
        "--lake",
        envvar="ROOKERY_LAKE",
        help="file:///folder or s3://bucket/prefix",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")]
BAD = os.EX_DATAERR


@app.command()
def ls(
    lake: Url,
    dataset: Annotated[
        str | None, typer.Option(help=f"Only one of: {', '.join(PARTS)}.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Lists the commits, oldest first."""
    if dataset is not None and dataset not in PARTS:
        raise typer.BadParameter(f"there is no dataset {dataset!r}: {', '.join(PARTS)}")
    opened = Lake.open(lake)
    commits = [
        commit
        for each in (opened.posts, opened.matches)
        if dataset in (None, each.name)
        for commit in each.snapshot().commits
    ]
    if as_json:
        for commit in commits:
            print(json.dumps(_described(commit)))
        return
    table = Table("dataset", "epoch", "first", "last", "rows", "bytes", box=None)
    for title in ("first event", "last event", "committed"):
        table.add_column(title)
    for commit in commits:
        line = _described(commit)
        rows = " ".join(f"{part}={n:,}" for part, n in commit.rows.items())
        table.add_row(
            *(commit.dataset, commit.epoch, str(commit.first), str(commit.last), rows),
            f"{line['bytes']:,}",
            *(line[name] or "" for name in ("first_event", "last_event")),
            line["committed_at"],
        )
    # Not cut to the width of a terminal where none is.
    width = None if sys.stdout.isatty() else 10_000
    Console(width=width, soft_wrap=True).print(table)
    for epoch in opened.epochs():
        state = "open" if epoch.closed is None else f"closed: {epoch.closed}"
        print(f"epoch {epoch.n}: {epoch.epoch}, {state}")


@app.command()
def check(
    lake: Url,
    remove: Annotated[
        bool,
        typer.Option(
            "--remove-unneeded",
            help="Remove files that no commit has named for ten minutes.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Reads everything and says what is damaged, unreachable or unneeded.

    Ends with 65 if something that was committed is damaged or unreachable.
    """
    opened = Lake.open(lake)
    report = check_lake(opened)
    if as_json:
        print(json.dumps(asdict(report) | {"is_whole": report.is_whole}))
    else:
        for finding in report.findings:
            print(f"{finding.kind}: {finding.path}: {finding.reason}")
        state = "whole" if report.is_whole else "NOT whole"
        print(
            f"{state}: {report.epochs} epochs, {report.commits} commits, "
            f"{report.files} files, {report.rows:,} rows, {report.size:,} bytes"
        )
    if remove:
        removed = sweep(opened, report)
        print(f"removed {removed} unneeded files", file=sys.stderr)
    return os.EX_OK if report.is_whole else BAD


@app.command()
def repair(
    lake: Url,
    reason: Annotated[str, typer.Option(help="Kept with the lake.")] = "closed by hand",
) -> None:
    """Closes the epoch of a log that is gone or has lost its end.

    What is committed stays. The archiver opens the next epoch when it starts.
    """
    opened = Lake.open(lake)
    current = opened.current_epoch()
    if current is None:
        print("no epoch is open: nothing to repair")
        return
    opened.close_epoch(reason)
    print(
        f"closed epoch {current.n}, {current.epoch}: posts up to sequence "
        f"{opened.posts.snapshot().watermark}, matches up to "
        f"{opened.matches.snapshot().watermark} stay committed; start the archiver "
        "again, and it opens the next one"
    )


def _described(commit: Commit) -> dict[str, Any]:
    described = asdict(commit)
    for name in ("first_event", "last_event", "committed_at"):
        moment = described[name]
        described[name] = None if moment is None else moment.isoformat()
    # Positions are a source's own bytes; whoever needs them has the API.
    described["positions"] = sorted(commit.positions)
    described["bytes"] = sum(file.size for file in commit.files)
    return described


def main() -> NoReturn:
    """Runs the command line and ends the process with the code its errors carry."""
    try:
        result = app(standalone_mode=False)
        sys.stdout.flush()
    except (Abort, KeyboardInterrupt):
        sys.exit(130)
    except TyperException as error:
        print(f"error: {error.format_message()}", file=sys.stderr)
        sys.exit(os.EX_USAGE)
    except LakeError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read has enough, as in `| head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(os.EX_OK)
    sys.exit(result if isinstance(result, int) else os.EX_OK)
