"""The command line: `./pants run tools/owners -- compile|check|who|suggest`."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from rookery.owners import (
    HANDLES,
    TARGET,
    Decision,
    HandlesError,
    OwnersError,
    Repository,
    check,
    compile_codeowners,
    compile_lines,
    suggest,
    validate_handles,
)
from rookery.owners._codeowners import Matcher

USAGE, WRONG = 64, 65


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words of the command line; those of the process if left out.

    Returns:
        The exit code: 0, 64 for a wrong call, 65 if the owners are wrong or the file is
        stale, 69 without Git or a repository, 78 for an unusable table of handles.
    """
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        return USAGE if stop.code else 0
    try:
        repository = Repository(options.root)
        command = {
            "compile": _compile,
            "check": _check,
            "who": _who,
            "suggest": _suggest,
        }[options.command]
        return command(repository, options)
    except OwnersError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="owners", description="Who owns which file, out of the OWNERS files."
    )
    parser.add_argument(
        "--root", type=Path, default=Path(), help="the repository (default: here)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    compile_ = commands.add_parser("compile", help=f"write {TARGET}")
    compile_.add_argument(
        "--stdout", action="store_true", help="print the file instead of writing it"
    )
    commands.add_parser(
        "check", help="find what is stale, unknown, unowned or unreachable"
    )
    who = commands.add_parser("who", help="print the owners of files, and why")
    who.add_argument("paths", nargs="+", metavar="PATH")
    suggest_ = commands.add_parser(
        "suggest", help="print the fewest reviewers for files, and why"
    )
    suggest_.add_argument("paths", nargs="+", metavar="PATH")
    suggest_.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="EMAIL",
        help="who must not be chosen, such as the author",
    )
    return parser


def _handles(repository: Repository) -> Mapping[str, str] | None:
    text = repository.read(HANDLES)
    if text is None:
        return None
    try:
        return validate_handles(tomllib.loads(text), HANDLES)
    except tomllib.TOMLDecodeError as error:
        raise HandlesError(f"{HANDLES}: is no TOML: {error}") from error


def _compile(repository: Repository, options: argparse.Namespace) -> int:
    handles = _handles(repository) or {}
    text = compile_codeowners(repository.tree, repository.paths, handles)
    if options.stdout:
        print(text, end="")
        return 0
    changed = repository.write(TARGET, text)
    count = sum(not line.startswith("#") for line in text.splitlines() if line)
    print(f"{TARGET}: {count} lines, {'written' if changed else 'unchanged'}")
    return 0


def _check(repository: Repository, _: argparse.Namespace) -> int:
    problems = check(
        repository.tree,
        repository.paths,
        _handles(repository),
        repository.read(TARGET),
    )
    for problem in problems:
        print(problem.text, file=sys.stderr)
    print(
        f"{len(repository.paths)} files, {len(repository.tree.files)} OWNERS files, "
        f"{len(problems)} problems"
    )
    return WRONG if problems else 0


def _who(repository: Repository, options: argparse.Namespace) -> int:
    handles = _handles(repository) or {}
    lines = compile_lines(repository.tree, repository.paths, handles)
    matcher = Matcher(lines)
    unowned = False
    for path in options.paths:
        path = _relative(repository, path)
        decision = repository.tree.decide(path)
        unowned = unowned or not decision.owners
        _explain(decision)
        number = matcher.deciding(path)
        if number is not None:
            print(f"  {TARGET}: {lines[number].text}")
    return WRONG if unowned else 0


def _explain(decision: Decision) -> None:
    owners = "anyone" if decision.anyone else " ".join(decision.owners)
    print(f"{decision.path}: {owners or 'nobody'}")
    for step in decision.steps:
        print(
            f"  {step.source}: {' '.join(step.owners)} ({step.says})".replace(
                ":  (", ": ("
            )
        )


def _suggest(repository: Repository, options: argparse.Namespace) -> int:
    paths = [_relative(repository, path) for path in options.paths]
    found = suggest(repository.tree, paths, without=options.without)
    for reviewer in found.reviewers:
        files = (
            "1 file" if len(reviewer.covers) == 1 else f"{len(reviewer.covers)} files"
        )
        note = ", the last resort" if reviewer.last_resort else ""
        print(f"{reviewer.owner}: {files}{note}, by {', '.join(reviewer.because)}")
        for path in reviewer.covers:
            print(f"  {path}")
    for path in found.free:
        print(f"anyone: {path}")
    for path in found.uncovered:
        print(f"error: {path}: nobody else owns this file", file=sys.stderr)
    return WRONG if found.uncovered else 0


def _relative(repository: Repository, path: str) -> str:
    root = repository.root.resolve()
    # A path that begins elsewhere is taken as it is: it may be one that is to come.
    try:
        return (root / path).resolve().relative_to(root).as_posix()
    except ValueError:
        return path


if __name__ == "__main__":
    sys.exit(main())
