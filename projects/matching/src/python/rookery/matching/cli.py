"""Matches posts against rules on the command line."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from rookery.matching._default import DefaultCommand, DefaultGroup
from rookery.matching._options import Format, Output

# What a command works with is imported when it is called: help needs none of it.

app = typer.Typer(
    name="match",
    cls=DefaultGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    subcommand_metavar="RULES [POSTS]... | COMMAND [ARGS]...",
)
in_force = typer.Typer(no_args_is_help=True)
app.add_typer(in_force, name="rules")

RulesFile = Annotated[
    Path,
    typer.Argument(
        help="A file of rules: text, one a line, or YAML, JSON lines, CSV.",
        show_default=False,
    ),
]


@app.callback()
def main() -> None:
    """Matches posts against rules.

    A rule is a line such as: fires = "boulder fire" OR (#wildfire colorado) -drill

    What is not the name of a command is a file of rules: `match RULES POSTS`. How to
    read and write posts is in `match match --help`.
    """


@app.command(cls=DefaultCommand)
def match(
    rules: RulesFile,
    posts: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files of posts: JSON lines, CSV or Parquet; - for standard input.",
            show_default="-",
        ),
    ] = None,
    format: Annotated[
        Format | None,
        typer.Option(help="What the posts are in, where the name does not say."),
    ] = None,
    columns: Annotated[
        str,
        typer.Option(help="Names of columns: id='Tweet ID',text='Tweet Text'"),
    ] = "",
    time: Annotated[
        str | None,
        typer.Option(help="The column with the time; snowflake: it is in the id."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call the source, instead of the file.")
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="What to write the matches in.")
    ] = Output.JSONL,
    strict: Annotated[
        bool, typer.Option(help="Stop at the first record that is no post.")
    ] = False,
) -> None:
    """Writes the posts that match, each with its rules and where their terms stand.

    Records that are no posts are named on standard error, and passed over.
    """
    from rookery.matching._commands import match_posts
    from rookery.matching._input import Reading, parse_columns

    reading = Reading(format, parse_columns(columns), time, name, datetime.now(UTC))
    match_posts(rules, posts or [], reading, output=output, strict=strict)


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="A rule.", show_default=False)],
    text: Annotated[str, typer.Argument(help="The text of a post, - to read it.")],
) -> int:
    """Says clause by clause why a text matches a rule; exits with 1 if it does not."""
    from rookery.matching import explain as explain_rule
    from rookery.matching import parse_rule

    if text == "-":
        text = sys.stdin.read()
    explanation = explain_rule(parse_rule(rule), {"text": text})
    typer.echo(str(explanation))
    return 0 if explanation.true else 1


@app.command()
def check(rules: RulesFile) -> None:
    """Reads rules, and says how many there are, in which version, or what is wrong."""
    from rookery.matching import RuleSet

    loaded = RuleSet.load(rules)
    typer.echo(f"{rules}: {len(loaded):,} rules, version {loaded.version}")


@app.command()
def lint(
    rules: RulesFile,
    sample: Annotated[
        Path | None,
        typer.Option(help="Posts as they usually come: what would match too many?"),
    ] = None,
) -> int:
    """Tells which rules are probably not what was meant; exits with 1 if any is."""
    from rookery.matching._commands import lint_rules

    findings = lint_rules(rules, sample)
    for finding in findings:
        typer.echo(f"{rules}:{finding}")
    return 1 if findings else 0


@in_force.callback()
def rules_in_force() -> None:
    """Reads and changes the rules that match workers use.

    ROOKERY_BUS says where they are; embedded: is the server of the folder ROOKERY_STATE.
    """


@in_force.command()
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
    from rookery.matching._commands import put_rules

    put, version = put_rules(rules, allow_empty=allow_empty, if_none=if_none)
    if version == put.version:
        typer.echo(f"{len(put):,} rules are in force, version {version}")
    else:
        typer.echo(f"rules are in force already, version {version}: nothing changed")


@in_force.command()
def show() -> int:
    """Writes the rules in force, as a file of rules; exits with 1 if there are none."""
    from rookery.matching._commands import current_rules

    found = current_rules()
    if found is None:
        typer.echo(
            "no rules are in force yet; put some: match rules put FILE", err=True
        )
        return 1
    typer.echo(str(found), nl=False)
    typer.echo(f"{len(found):,} rules, version {found.version}", err=True)
    return 0
