"""Matches posts against rules on the command line."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from rookery.matching._errors import MatchingError
from rookery.matching._explain import explain as explain_rule
from rookery.matching._input import STDIN, Format, Reading, parse_columns
from rookery.matching._matcher import Matcher
from rookery.matching._output import Output, Writer
from rookery.matching._rules import RuleSet, parse_rule
from rookery.records import MATCH, Parsed

# Posts that are matched at a time, so that memory stays flat.
_SLICE = 10_000

app = typer.Typer(
    name="matching",
    help=__doc__,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

RulesFile = Annotated[
    Path, typer.Argument(help="A file of rules, one a line.", show_default=False)
]


class RejectedPosts(MatchingError):
    """Some records are no posts."""


@app.callback()
def main() -> None:
    """Matches posts against rules.

    A rule is a line such as: fires = "boulder fire" OR (#wildfire colorado) -drill
    """


@app.command()
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
    matcher = Matcher(RuleSet.load(rules))
    reading = Reading(format, parse_columns(columns), time, name, datetime.now(UTC))
    writer = Writer(output, sys.stdout.buffer)
    read = matched = rejected = 0
    for path in posts or [STDIN]:
        for parsed in reading.read(path):
            _report(parsed, strict)
            rejected += len(parsed.rejected)
            for start in range(0, parsed.posts.num_rows, _SLICE):
                piece = parsed.posts.slice(start, _SLICE)
                found = matcher(piece)
                if found.num_rows:
                    writer.write(_numbered(found, read))
                read += piece.num_rows
                matched += found.num_rows
    writer.close()
    typer.echo(
        f"{matched:,} of {read:,} posts match one of {len(matcher.rules):,} rules"
        + (f"; records that are no posts: {rejected:,}" if rejected else ""),
        err=True,
    )


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="A rule.", show_default=False)],
    text: Annotated[str, typer.Argument(help="The text of a post, - to read it.")],
) -> int:
    """Says clause by clause why a text matches a rule; exits with 1 if it does not."""
    if text == "-":
        text = sys.stdin.read()
    explanation = explain_rule(parse_rule(rule), {"text": text})
    typer.echo(str(explanation))
    return 0 if explanation.true else 1


@app.command()
def check(rules: RulesFile) -> None:
    """Reads rules, and says how many there are, in which version, or what is wrong."""
    loaded = RuleSet.load(rules)
    typer.echo(f"{rules}: {len(loaded):,} rules, version {loaded.version}")


def _numbered(matches: pa.RecordBatch, before: int) -> pa.RecordBatch:
    """Has `row` count all posts that were read, and not those of a slice."""
    place = MATCH.get_field_index("row")
    row = matches.column(place).to_numpy() + before
    return matches.set_column(place, MATCH.field(place), pa.array(row, pa.int32()))


def _report(parsed: Parsed, strict: bool) -> None:
    if parsed.rejected and strict:
        first = parsed.rejected[0]
        raise RejectedPosts(f"{first.where}: {first.reason}")
    for one in parsed.rejected:
        typer.echo(f"{one.where}: {one.reason}", err=True)
