"""Matches posts against rules on the command line."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from rookery.matching._default import DefaultCommand, DefaultGroup
from rookery.matching._options import Format, Output
from rookery.matching._rules_cli import app as rules_app

# What a command works with is imported when it is called: help needs none of it.

app = typer.Typer(
    name="match",
    cls=DefaultGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    subcommand_metavar="RULES [POSTS]... | COMMAND [ARGS]...",
)
app.add_typer(rules_app, name="rules")

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
