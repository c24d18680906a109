"""Matches posts against rules on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from rookery.matching._commands._backtest_cli import EPILOG as BACKTEST_EPILOG
from rookery.matching._commands._backtest_cli import backtest
from rookery.matching._commands._default import DefaultCommand, DefaultGroup
from rookery.matching._commands._options import (
    ColumnsOption,
    FormatOption,
    Output,
    RulesFile,
    ThreadsOption,
    TimeOption,
    Wanted,
    cores,
)
from rookery.matching._commands._rules_cli import app as rules_app

# What a command works with is imported when it is called: help needs none of it.

app = typer.Typer(
    name="match",
    cls=DefaultGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    subcommand_metavar="RULES [POSTS]... | COMMAND [ARGS]...",
)
app.add_typer(rules_app, name="rules")

EXIT_CODES: Final = (
    "Exit codes: 0 done, whether or not anything matches; 64 wrong usage; 65 a rule is "
    "wrong or posts cannot be read, with --strict also one record; 69 a file is not "
    "there; 73 --to cannot be created; 74 it cannot be written; 77 a file may not be "
    "read; 130 interrupted."
)


@app.callback()
def main() -> None:
    """Matches posts against rules.

    A rule is a line such as: fires = "big fire" OR (#wildfire colorado) -drill

    What is not the name of a command is a file of rules: `match RULES POSTS`.
    How to read and write posts is in `match match --help`.
    """


@app.command(cls=DefaultCommand, epilog=EXIT_CODES)
def match(
    rules: RulesFile,
    posts: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files of posts: JSON lines, CSV or Parquet, also .gz and .zst; - is "
            "standard input.",
            show_default="-",
        ),
    ] = None,
    format: FormatOption = None,
    columns: ColumnsOption = "",
    time: TimeOption = None,
    name: Annotated[
        str | None, typer.Option(help="What to call the source, instead of the file.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first record that is no post.")
    ] = False,
    output: Annotated[
        Output | None,
        typer.Option(
            "--output",
            "-o",
            help="What to write in; by default what the name of --to says, else JSON "
            "lines.",
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help="The file to write, which is there once it is whole; .gz and .zst are "
            "compressed.",
            show_default="standard output",
        ),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(help="Which columns to write: id,rules,text,ruleset"),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Write all posts, matched or not.")
    ] = False,
    invert: Annotated[
        bool, typer.Option("--invert", "-v", help="Write the posts no rule matches.")
    ] = False,
    count: Annotated[
        bool,
        typer.Option("--count", "-c", help="Write how many posts each rule matches."),
    ] = False,
    threads: ThreadsOption = None,
    progress: Annotated[
        bool | None,
        typer.Option(
            "--progress/--no-progress",
            help="Show how far it is on standard error.",
            show_default="if that is a terminal and the output none",
        ),
    ] = None,
) -> None:
    """Writes the posts that match, each with its rules and where their terms stand.

    Records that are no posts are passed over: the first of them are named on
    standard error, by line or row, and all are counted. Its last line has the
    version of the rules; Parquet has it as `rookery.ruleset` in its metadata.
    """
    from rookery.matching._commands._input import Misuse, Reading, parse_columns
    from rookery.matching._commands._output import parse_select
    from rookery.matching._commands._work import Writing, match_posts

    kinds = {Wanted.ALL: every, Wanted.OTHERS: invert, Wanted.COUNTS: count}
    asked = [kind for kind, is_asked in kinds.items() if is_asked]
    if len(asked) > 1:
        raise Misuse("--all, --invert and --count are three different things: name one")
    if select is not None and count:
        raise Misuse("--count writes rules and counts: there is nothing to --select")
    wanted = asked[0] if asked else Wanted.MATCHES
    match_posts(
        rules,
        posts or [],
        Reading(format, parse_columns(columns), time, name, datetime.now(UTC)),
        Writing(to, output, parse_select(select), wanted),
        strict=strict,
        threads=threads or cores(),
        progress=progress,
    )


@app.command(
    epilog="Exit codes: 0 the rule matches; 1 it does not; 64 wrong usage; 65 the rule or "
    "the post is wrong; 69 a file is not there."
)
def explain(
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RULE] [TEXT]",
            help="A rule, and the text of a post; - reads the text from standard input. "
            "What begins with - otherwise stands behind --.",
            show_default=False,
        ),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Take the rule from this file of rules.")
    ] = None,
    rule: Annotated[
        str | None, typer.Option(help="The name of the rule in that file.")
    ] = None,
    post: Annotated[
        Path | None,
        typer.Option(
            help="Take the post from this file, as JSON; - is standard input."
        ),
    ] = None,
    author: Annotated[
        str | None, typer.Option("--from", help="Who wrote the post.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Its declared language.")] = None,
    source: Annotated[str | None, typer.Option(help="Its source.")] = None,
    link: Annotated[
        list[str] | None,
        typer.Option(help="A link of it; may be given more than once."),
    ] = None,
    media: Annotated[
        list[str] | None,
        typer.Option(help="A medium of it; may be given more than once."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> int:
    """Says clause by clause why a post matches a rule, or why it does not.

    match explain 'fire -drill' 'a fire'

    match explain --rules rules.txt --rule fires --post post.json
    """
    from rookery.matching._commands._explaining import Question, explain_question

    fields = {
        "author": author,
        "language": lang,
        "source": source,
        "links": link,
        "media": media,
    }
    question = Question(given or [], rules, rule, post, fields)
    return 0 if explain_question(question, as_json=as_json) else 1


app.command(epilog=BACKTEST_EPILOG)(backtest)


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
    from rookery.matching._commands._work import lint_rules

    findings = lint_rules(rules, sample)
    for finding in findings:
        typer.echo(f"{rules}:{finding}")
    return 1 if findings else 0
