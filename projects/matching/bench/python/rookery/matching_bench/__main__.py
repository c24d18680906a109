"""The command: `./pants run projects/matching:bench`, `... -- --help`."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from rookery.matching_bench._arguments import Options, parse
from rookery.matching_bench._data import DATA, SEED, load_posts, load_terms, scale
from rookery.matching_bench._found import Unequal
from rookery.matching_bench._measure import GaveUp, Limits, measure
from rookery.matching_bench._plot import plot
from rookery.matching_bench._report import (
    Result,
    Run,
    as_markdown,
    as_text,
    commit,
    from_jsonl,
    load,
    machine,
    replace_between,
    to_jsonl,
    versions,
)
from rookery.matching_bench._rules import Writer
from rookery.matching_bench._sides import BASELINES
from rookery.matching_bench._worker import Input


def main(arguments: list[str] | None = None) -> int:
    """Measures, and prints what came out.

    Args:
        arguments: The words of the command line; those of the process if left out.

    Returns:
        The exit code: 0; 65 where a side does not find the same as the others, or the
        file to remake is none; 70 where the reference fails; 74 for files that cannot be
        read or written.
    """
    options = parse(arguments)
    try:
        # A page that cannot be written is refused before half an hour of measuring.
        if options.write is not None:
            _page(options.write, "")
        run = _remade(options) if options.remake is not None else _measured(options)
        _write(run, options)
    except Unequal as error:
        return _failed(f"results are not equal: {error}", os.EX_DATAERR)
    except ValueError as error:
        return _failed(str(error), os.EX_DATAERR)
    except GaveUp as error:
        return _failed(f"the reference failed: {error}", os.EX_SOFTWARE)
    except OSError as error:
        reason = error.strerror or str(error)
        where = f"{error.filename}: " if error.filename else ""
        return _failed(f"{where}{reason}", os.EX_IOERR)
    except KeyboardInterrupt:
        return 130
    return 0


def _failed(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


def _remade(options: Options) -> Run:
    assert options.remake is not None  # nosec B101
    try:
        return from_jsonl(options.remake.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{options.remake}: {error}") from error


def _measured(options: Options) -> Run:
    posts = load_posts(options.posts)
    terms = load_terms(posts)
    kind = "tweets" if posts.real else f"made up posts, as {DATA} names no tweets"
    of = "terms that people track and names" if terms.real else "made up terms"
    conditions = (
        f"{machine()}, {load()}",
        versions(),
        f"commit {commit() or 'unknown'}",
        f"{len(posts.texts):,} {kind}, {posts.megabytes:.2f} MB, in batches of "
        f"{options.batch:,}; {len(terms.terms):,} different {of}",
    )
    print("\n".join(conditions), file=sys.stderr)
    limits = Limits(build=options.build_limit, round=options.seconds)
    results: list[Result] = []
    for workload in options.workloads:
        sides = [side for side in options.sides if side.workload is workload]
        if not sides:
            continue
        for count in options.rules:
            dice = random.Random(SEED)  # nosec B311
            phrases = scale(terms.terms, count, dice)
            rules = Writer(phrases, posts, dice).write(count)
            given = Input(posts, phrases, rules, options.batch)
            results += measure(given, workload, sides, options.rounds, limits)
            # What took minutes is not lost with what comes after it.
            _keep(Run(conditions, tuple(results)), options)
    return Run(conditions, tuple(results))


def _keep(run: Run, options: Options) -> None:
    if options.json is not None:
        options.json.write_text(to_jsonl(run), "utf-8")


def _write(run: Run, options: Options) -> None:
    _keep(run, options)
    print((as_markdown if options.markdown else as_text)(run, BASELINES), end="")
    if options.plot is not None:
        plot(run.results, options.plot)
    if options.write is not None:
        page = options.write
        picture = page.with_suffix(".png")
        plot(run.results, picture)
        written = f"![Posts a second]({picture.name})\n\n{as_markdown(run, BASELINES)}"
        page.write_text(_page(page, written), "utf-8")


def _page(path: Path, written: str) -> str:
    try:
        return replace_between(path.read_text("utf-8"), written)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
