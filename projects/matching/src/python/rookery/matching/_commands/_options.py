"""What can be chosen on the command line."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


class Format(StrEnum):
    """What posts are written in."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class Output(StrEnum):
    """What matches are written in."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    TABLE = "table"


class Wanted(StrEnum):
    """Which posts are written."""

    MATCHES = "matches"
    OTHERS = "others"
    ALL = "all"
    COUNTS = "counts"


# Options and arguments that commands share.
RulesFile: TypeAlias = Annotated[
    Path,
    typer.Argument(
        help="A file of rules: text, one a line, or YAML, JSON lines, CSV.",
        show_default=False,
    ),
]
FormatOption: TypeAlias = Annotated[
    Format | None,
    typer.Option(help="What the posts are in, where the name does not say."),
]
ColumnsOption: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Names of columns: id='Tweet ID',text='Tweet Text'", show_default=False
    ),
]
TimeOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help="The column with the time; snowflake: it is in the id."),
]
ThreadsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=1, help="Threads to match with.", show_default="cores of this process"
    ),
]


def cores() -> int:
    """Says how many cores this process may use."""
    # Only Linux knows which ones a process may use.
    usable = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))
    return len(usable(0))
