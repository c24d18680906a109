"""What the commands do that need more than a line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import typer

from rookery.matching._errors import MatchingError
from rookery.matching._input import STDIN, Reading
from rookery.matching._lint import Finding, lint
from rookery.matching._matcher import Matcher
from rookery.matching._options import Output
from rookery.matching._output import Writer
from rookery.matching._rules import RuleSet
from rookery.records import MATCH, Parsed

# Posts that are matched at a time, so that memory stays flat.
_SLICE = 10_000


class RejectedPosts(MatchingError):
    """Some records are no posts."""


def match_posts(
    rules: Path,
    posts: Sequence[Path],
    reading: Reading,
    *,
    output: Output,
    strict: bool,
) -> None:
    """Writes the posts that match to standard output, and how many on standard error.

    Args:
        rules: A file of rules.
        posts: Files of posts; none: standard input.
        reading: How they are to be read.
        output: What to write the matches in.
        strict: Whether to stop at the first record that is no post.

    Raises:
        RejectedPosts: Such a record was found.
    """
    matcher = Matcher(RuleSet.load(rules))
    writer = Writer(output, sys.stdout.buffer)
    read = matched = rejected = 0
    for path in posts or [STDIN]:
        for parsed in reading.read(path):
            if parsed.rejected and strict:
                first = parsed.rejected[0]
                raise RejectedPosts(f"{first.where}: {first.reason}")
            _report(parsed)
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


def _numbered(matches: pa.RecordBatch, before: int) -> pa.RecordBatch:
    """Has `row` count all posts that were read, and not those of a slice."""
    place = MATCH.get_field_index("row")
    row = matches.column(place).to_numpy() + before
    return matches.set_column(place, MATCH.field(place), pa.array(row, pa.int32()))


def _report(parsed: Parsed) -> None:
    for one in parsed.rejected:
        typer.echo(f"{one.where}: {one.reason}", err=True)


def lint_rules(path: Path, sample: Path | None) -> list[Finding]:
    """Lints the rules of a file.

    Args:
        path: The file.
        sample: A file of posts to measure with.

    Returns:
        What was found.
    """
    rules = RuleSet.load(path)
    posts: list[pa.RecordBatch] = []
    if sample is not None:
        reading = Reading(None, {}, None, None, datetime.now(UTC))
        for parsed in reading.read(sample):
            _report(parsed)
            posts.append(parsed.posts)
    return lint(rules, sample=posts)
