"""The command line: `./pants run tools/ci -- locks`, `... -- summary`."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from rookery.ci import (
    CiError,
    check_lock,
    read_allowed,
    read_reports,
    requirement_files,
)

# One requirements.txt serves both: the batch side runs the same libraries.
_SHARED: Mapping[str, tuple[Path, ...]] = {
    "analytics": (Path("3rdparty/core/requirements.txt"),)
}

# Where the launcher puts the folder of the lockfiles; here the committed ones count.
_LOCK_DIR = "%(env.ROOKERY_LOCK_DIR)s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words of the command line; those of the process if left out.

    Returns:
        The exit code: 0, or 65 when a check found something, 64 for a wrong call.
    """
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        return 64 if stop.code else 0
    try:
        if options.command == "locks":
            return _locks(options.root)
        return _summary(options.reports, options.allowed)
    except (CiError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return CiError.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ci", description="Checks that continuous integration runs."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    locks = commands.add_parser(
        "locks", help="compare every lockfile with its requirements"
    )
    locks.add_argument(
        "--root", type=Path, default=Path(), help="the repository (default: here)"
    )
    summary = commands.add_parser("summary", help="add up the JUnit test reports")
    summary.add_argument(
        "reports",
        type=Path,
        nargs="?",
        default=Path("dist/test/reports"),
        help="the folder of the reports (default: %(default)s)",
    )
    summary.add_argument(
        "--allowed",
        type=Path,
        default=Path(".ci/skips.txt"),
        help="accepted skip reasons, one shell pattern a line (default: %(default)s)",
    )
    return parser


def _locks(root: Path) -> int:
    with (root / "pants.toml").open("rb") as file:
        resolves: Mapping[str, str] = tomllib.load(file)["python"]["resolves"]
    problems: list[str] = []
    for resolve, name in resolves.items():
        shared = {
            key: tuple(root / path for path in paths) for key, paths in _SHARED.items()
        }
        lock = root / name.replace(_LOCK_DIR, "3rdparty")
        problems += check_lock(resolve, lock, requirement_files(resolve, lock, shared))
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(resolves)} lockfiles, {len(problems)} problems")
    return CiError.exit_code if problems else 0


def _summary(reports: Path, allowed: Path) -> int:
    summary = read_reports(reports)
    unexpected = summary.unexpected_skips(read_allowed(allowed))
    for reason in unexpected:
        print(f"error: skipped without leave: {reason} (see {allowed})")
    for line in summary.lines():
        print(line)
    wrong = summary.failed or unexpected or not summary.passed
    return CiError.exit_code if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
