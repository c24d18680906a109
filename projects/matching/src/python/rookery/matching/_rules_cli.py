"""The commands that read and change the rules in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# What a command works with is imported when it is called: help needs none of it.

app = typer.Typer(no_args_is_help=True)


@app.callback()
def rules_in_force() -> None:
    """Reads and changes the rules that match workers use.

    ROOKERY_BUS says where they are; embedded: is the server of the folder ROOKERY_STATE.
    """


@app.command()
def put(
    rules: Annotated[
        Path,
        typer.Argument(
            help="A file of rules, one a line; - for standard input.",
            show_default=False,
        ),
    ],
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Also if there are no rules in it.")
    ] = False,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Only if no rules are in force yet.")
    ] = False,
) -> None:
    """Puts rules in force, in place of all that were; within a second they are used.

    If one of them cannot be read, all errors are named and nothing changes.
    """
    from rookery.matching._in_force import put_rules

    put, version = put_rules(rules, allow_empty=allow_empty, if_none=if_none)
    if version == put.version:
        typer.echo(f"{len(put):,} rules are in force, version {version}")
    else:
        typer.echo(f"rules are in force already, version {version}: nothing changed")


@app.command()
def show() -> int:
    """Writes the rules in force, as a file of rules; exits with 1 if there are none."""
    from rookery.matching._in_force import current_rules

    found = current_rules()
    if found is None:
        typer.echo(
            "no rules are in force yet; put some: match rules put FILE", err=True
        )
        return 1
    typer.echo(str(found), nl=False)
    typer.echo(f"{len(found):,} rules, version {found.version}", err=True)
    return 0
