"""The words of the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from rookery.ci._steps import SHARDS


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="ci", description="Continuous integration: its steps, and what they check."
    )
    commands = made.add_subparsers(dest="command", required=True)

    pipeline = commands.add_parser(
        "pipeline", help="print the Buildkite pipeline for what changed"
    )
    _selection(pipeline, shards=SHARDS)
    pipeline.add_argument("--output", type=Path, help="a file for it")
    pipeline.add_argument(
        "--reasons", type=Path, help="a file for the reasons, as Markdown"
    )

    why = commands.add_parser("why", help="say which steps run, and why")
    _selection(why, shards=1)

    run = commands.add_parser("run", help="run the pipeline on this machine")
    _selection(run, shards=1)
    run.add_argument(
        "--only",
        nargs="+",
        action="extend",
        metavar="KEY",
        default=[],
        help="run these steps, with the artifacts of the last run",
    )
    run.add_argument("--list", action="store_true", help="only say what would run")
    run.add_argument(
        "--pipeline", type=Path, metavar="FILE", help="run this pipeline instead"
    )

    result = commands.add_parser("result", help="tell how the steps of a build ended")
    result.add_argument("keys", nargs="+", metavar="KEY", help="their keys")
    result.add_argument("--output", type=Path, help="a file for it, as Markdown")

    locks = commands.add_parser(
        "locks", help="compare every lockfile with its requirements"
    )
    locks.add_argument(
        "--root", type=Path, default=Path(), help="the repository (default: here)"
    )

    _summary(commands.add_parser("summary", help="add up the JUnit test reports"))

    coverage = commands.add_parser("coverage", help="add up the coverage of all shards")
    coverage.add_argument("folder", type=Path, help="where shard-*/.coverage are")
    coverage.add_argument(
        "--fail-under", type=_percent, default=0.0, metavar="PERCENT", help="the floor"
    )
    coverage.add_argument("--config", type=Path, default=Path("tools/coverage.cfg"))

    images = commands.add_parser("images", help="hand images from step to step")
    images.add_argument("action", choices=["save", "load"])
    images.add_argument("folder", type=Path)

    reproducible = commands.add_parser(
        "reproducible",
        help="build wheels and PEXes again from empty caches and compare",
    )
    reproducible.add_argument(
        "--against",
        type=Path,
        metavar="FOLDER",
        help="compare one build with these (default: build twice)",
    )
    return made


def _selection(command: argparse.ArgumentParser, shards: int) -> None:
    command.add_argument(
        "--all", action="store_true", help="as if everything had changed"
    )
    command.add_argument(
        "--shards",
        type=_count,
        default=shards,
        metavar="N",
        help="jobs that share the tests (default: %(default)s)",
    )


def _summary(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "reports",
        type=Path,
        nargs="?",
        default=Path("dist/test"),
        help="the folder of the reports (default: %(default)s)",
    )
    command.add_argument(
        "--allowed",
        type=Path,
        default=Path(".ci/skips.txt"),
        help="accepted skip reasons, one shell pattern a line (default: %(default)s)",
    )
    command.add_argument("--output", type=Path, help="a file for the same lines")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _percent(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError("from 0 to 100")
    return number
