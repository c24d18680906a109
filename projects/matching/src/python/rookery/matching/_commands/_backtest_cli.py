"""The command that tells what rules would have matched."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from rookery.matching._commands._options import (
    ColumnsOption,
    FormatOption,
    ThreadsOption,
    TimeOption,
    cores,
)

EPILOG: Final = (
    "Exit codes: 0 done; 1 a rule would flood; 64 wrong usage; 65 a rule is wrong or posts "
    "cannot be read; 69 a file is not there, or the lake or the bus does not answer; "
    "130 interrupted."
)


def backtest(
    rules: Annotated[
        Path,
        typer.Argument(
            help="A file of rules; - for standard input, one a line.",
            show_default=False,
        ),
    ],
    posts: Annotated[
        list[str] | None,
        typer.Argument(
            help="More files of posts, as after --over.", show_default=False
        ),
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            help="A lake (file:///folder, s3://bucket/prefix, or a folder), or files of "
            "posts ('tweets/*.jsonl.gz'); may be given more than once.",
            show_default="the lake of ROOKERY_LAKE",
        ),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(help="Only the rule of this name; may be given more than once."),
    ] = None,
    existing: Annotated[
        Path | None,
        typer.Option(
            help="A file of rules to compare with; otherwise the rules are compared with "
            "each other."
        ),
    ] = None,
    in_force: Annotated[
        bool,
        typer.Option("--in-force", help="Compare with the rules that workers use now."),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            help="Only posts from this day or time on, or ago: 2024-05-01, 7d."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Only posts before this day or time, or ago.")
    ] = None,
    format: FormatOption = None,
    columns: ColumnsOption = "",
    time: TimeOption = None,
    details: Annotated[
        bool,
        typer.Option(
            "--details", help="All about each rule, and not only of a single one."
        ),
    ] = False,
    samples: Annotated[int, typer.Option(min=0, help="Posts to show of a rule.")] = 5,
    limit: Annotated[
        int, typer.Option(min=1, help="Rules to show, those that match most first.")
    ] = 40,
    flood: Annotated[
        float,
        typer.Option(
            min=0.0, max=100.0, help="Percent of all posts from which on a rule floods."
        ),
    ] = 2.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON, an object a line for each rule.")
    ] = False,
    threads: ThreadsOption = None,
    progress: Annotated[
        bool | None,
        typer.Option(
            "--progress/--no-progress",
            help="Show how far it is on standard error.",
            show_default="if that is a terminal",
        ),
    ] = None,
) -> int:
    """Tells what rules would have matched, before they are put in force.

    All rules are tried in one pass. Of each it says how many posts match and
    which share of all that is, how many a day, which other rules match the
    same posts and how many posts are new, and shows some.
    Exits with 1 if a rule would flood.
    """
    from rookery.matching._commands._backtesting import (
        Comparison,
        Shown,
        backtest_rules,
    )
    from rookery.matching._commands._history import Stretch, parse_moment
    from rookery.matching._commands._input import Reading, parse_columns

    now = datetime.now(UTC)
    stretch = Stretch(
        parse_moment(since, "--since", now), parse_moment(until, "--until", now)
    )
    floods = backtest_rules(
        rules,
        [*(over or []), *(posts or [])],
        Reading(format, parse_columns(columns), time, None, now),
        stretch,
        Comparison(existing, in_force),
        Shown(tuple(rule or ()), details, samples, limit, as_json),
        flood=flood / 100,
        threads=threads or cores(),
        progress=progress,
    )
    return 1 if floods else 0
