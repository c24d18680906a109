"""What the commands do that need more than a line."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute

from rookery.matching._commands._ahead import ahead
from rookery.matching._commands._chosen import chosen
from rookery.matching._commands._counts import write_counts
from rookery.matching._commands._destination import destination, output_for
from rookery.matching._commands._input import STDIN, Reading
from rookery.matching._commands._options import Output, Wanted
from rookery.matching._commands._output import Writer
from rookery.matching._commands._progress import Meter, is_wanted
from rookery.matching._commands._rejections import Rejections
from rookery.matching._engine._matcher import Matcher
from rookery.matching._errors import MatchingError
from rookery.matching._lint._lint import Finding, lint
from rookery.matching._rules import RuleSet
from rookery.records import MATCH, Parsed, Rejected

# Posts that are matched at a time, so that memory stays flat.
_SLICE: Final = 16 * 1024

# The stubs type each kernel by the arrays it takes; results are typed where they are kept.
_kernels: Any = pyarrow.compute


class RejectedPosts(MatchingError):
    """Some records are no posts."""


@dataclass(frozen=True)
class Writing:
    """What is to be written, and where.

    Attributes:
        to: The file; None for standard output.
        output: What to write in; None to go by the name of the file.
        select: Which columns; None for all.
        wanted: Which posts.
    """

    to: Path | None = None
    output: Output | None = None
    select: tuple[str, ...] | None = None
    wanted: Wanted = Wanted.MATCHES


@dataclass(frozen=True)
class _Piece:
    """What was made of some records.

    Attributes:
        out: What is to be written of them, of schema `MATCH`.
        posts: How many posts they are.
        matched: How many of these match.
        rejected: Those that are no posts.
    """

    out: pa.RecordBatch
    posts: int
    matched: int
    rejected: tuple[Rejected, ...]


def match_posts(
    rules: Path,
    posts: Sequence[Path],
    reading: Reading,
    writing: Writing,
    *,
    strict: bool = False,
    threads: int = 1,
    progress: bool | None = None,
) -> None:
    """Writes the posts that match, and how many they are on standard error.

    Reading, matching and writing each have a thread, and matching `threads` more.

    Args:
        rules: A file of rules.
        posts: Files of posts; none: standard input.
        reading: How they are to be read.
        writing: What is to be written, and where.
        strict: Whether to stop at the first record that is no post.
        threads: How many slices of posts are matched at the same time.
        progress: Whether to show a bar; None where somebody sees it.

    Raises:
        RejectedPosts: Such a record was found.
    """
    paths = posts or [STDIN]
    output = output_for(writing.to, writing.output)
    size = reading.check(paths)
    loaded = RuleSet.load(rules)
    matcher = Matcher(loaded, threads=threads)
    counts: Counter[str] | None = None
    if writing.wanted is Wanted.COUNTS:
        counts = Counter({rule.id: 0 for rule in loaded.rules})
    with destination(writing.to) as to:
        writer = _writer(output, to, writing, loaded.version)
        shown = is_wanted(progress, is_output_terminal=to.isatty())
        with Meter(size, is_shown=shown) as meter:
            counted = replace(reading, count=meter.advance)
            rejections = Rejections(meter.say)
            pieces = ahead(
                _matched(ahead(_read(counted, paths)), matcher, writing.wanted)
            )
            for piece in pieces:
                if piece.rejected and strict:
                    first = piece.rejected[0]
                    raise RejectedPosts(f"{first.where}: {first.reason}")
                rejections.add(piece.rejected)
                if counts is not None:
                    _count(piece.out, counts)
                elif piece.out.num_rows:
                    writer.write(piece.out)
                meter.add(piece.posts, piece.matched)
        if counts is None:
            writer.close()
        else:
            write_counts(counts, output, to)
    _conclude(meter, rejections, loaded)


def _writer(output: Output, to: BinaryIO, writing: Writing, version: str) -> Writer:
    return Writer(output, to, select=writing.select, version=version)


def _read(reading: Reading, paths: Sequence[Path]) -> Iterator[Parsed]:
    for path in paths:
        yield from reading.read(path)


def _matched(
    parts: Iterator[Parsed], matcher: Matcher, wanted: Wanted
) -> Iterator[_Piece]:
    before = 0
    for parsed in parts:
        rejected = parsed.rejected
        for start in range(0, max(parsed.posts.num_rows, 1), _SLICE):
            posts = parsed.posts.slice(start, _SLICE)
            found = matcher(posts)
            out = _numbered(chosen(posts, found, wanted), before)
            yield _Piece(out, posts.num_rows, found.num_rows, rejected)
            before += posts.num_rows
            rejected = ()


def _numbered(matches: pa.RecordBatch, before: int) -> pa.RecordBatch:
    """Has `row` count all posts that were read, and not those of a slice."""
    if not before:
        return matches
    place = MATCH.get_field_index("row")
    # It is of 32 bits: behind two billions of posts it stays at the last number.
    row = np.minimum(
        matches.column(place).to_numpy().astype(np.int64) + before, 2**31 - 1
    )
    return matches.set_column(place, MATCH.field(place), pa.array(row, pa.int32()))


def _count(matches: pa.RecordBatch, counts: Counter[str]) -> None:
    names = _kernels.list_flatten(matches.column("rules"))
    counted = _kernels.value_counts(names)
    counts.update(
        dict(
            zip(
                counted.field("values").to_pylist(),
                counted.field("counts").to_pylist(),
                strict=True,
            )
        )
    )


def _conclude(meter: Meter, rejections: Rejections, rules: RuleSet) -> None:
    for line in rejections.summary():
        meter.say(line)
    bad = (
        f"; records that are no posts: {rejections.count:,}" if rejections.count else ""
    )
    meter.say(
        f"{meter.matches:,} of {meter.posts:,} posts match one of {len(rules):,} rules, "
        f"version {rules.version}{bad}"
    )


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
        rejections = Rejections(lambda line: print(line, file=sys.stderr))
        reading.check([sample])
        for parsed in reading.read(sample):
            rejections.add(parsed.rejected)
            posts.append(parsed.posts)
        for line in rejections.summary():
            print(line, file=sys.stderr)
    return lint(rules, sample=posts)
