"""The command line: `./pants run tools/ci -- run`, `... -- why`, `... -- locks`, ..."""

from __future__ import annotations

import argparse
import os
import subprocess  # nosec B404
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rookery.ci import (
    CiError,
    Situation,
    Unavailable,
    UsageError,
    all_steps,
    build_from_nothing,
    check_lock,
    compare,
    condition_variables,
    decide,
    find_change,
    load_images,
    merge_coverage,
    pipeline_yaml,
    read_allowed,
    read_reports,
    requirement_files,
    save_images,
    why_no_images,
)
from rookery.ci._arguments import parser
from rookery.ci._changes import Change
from rookery.ci._local import print_table, run_here
from rookery.ci._select import Decision
from rookery.ci._tables import markdown

# One requirements.txt serves all three: the same libraries run everywhere.
_SHARED: Mapping[str, tuple[Path, ...]] = {
    "analytics": (Path("3rdparty/core/requirements.txt"),),
    "bench": (Path("3rdparty/core/requirements.txt"),),
}

_NO_OUTCOME = "none"

# Where the launcher puts the folder of the lockfiles; here the committed ones count.
_LOCK_DIR = "%(env.ROOKERY_LOCK_DIR)s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words of the command line; those of the process if left out.

    Returns:
        The exit code: 0; 1 when a step failed; 64 for a wrong call; 65 when a check
        found something; 69 when Git or the container engine is not to be had; 74 for a
        file that cannot be read or written; 78 for a wrong environment; 130 when it
        was interrupted.
    """
    try:
        options = parser().parse_args(arguments)
    except SystemExit as stop:
        return 64 if stop.code else 0
    try:
        return _COMMANDS[options.command](options)
    except CiError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return os.EX_IOERR
    except KeyboardInterrupt:
        return 130


def _decisions(options: argparse.Namespace) -> tuple[Decision, ...]:
    if options.all:
        change = Change(None, "asked for by --all")
    else:
        change = find_change(Path.cwd(), os.environ)
    situation = Situation(
        change=change,
        engine=why_no_images(os.environ),
        build=condition_variables(os.environ),
        only=getattr(options, "only", ()),
    )
    return decide(all_steps(options.shards, twice=options.all), situation)


def _pipeline(options: argparse.Namespace) -> int:
    decisions = _decisions(options)
    text = pipeline_yaml(decision.step for decision in decisions if decision.listed)
    if options.reasons is not None:
        rows = [
            (choice.step.key, "yes" if choice.runs else "no", choice.reason)
            for choice in decisions
        ]
        _write(options.reasons, markdown(("step", "runs", "why"), rows))
    if options.output is None:
        print(text, end="")
    else:
        _write(options.output, text)
    return 0


def _why(options: argparse.Namespace) -> int:
    print_table(_decisions(options))
    return 0


def _run(options: argparse.Namespace) -> int:
    if options.pipeline is not None:
        if options.only or options.list:
            raise UsageError("--pipeline runs a whole file: without --only and --list")
        return run_here((), options.pipeline.read_text("utf-8"), keep_artifacts=False)
    decisions = _decisions(options)
    if options.list:
        print_table(decisions)
        return 0
    text = pipeline_yaml(decision.step for decision in decisions if decision.listed)
    return run_here(decisions, text, keep_artifacts=bool(options.only))


def _result(options: argparse.Namespace) -> int:
    outcomes = [(key, _outcome(key)) for key in options.keys]
    table = markdown(("step", "outcome"), outcomes)
    print(table, end="")
    if options.output is not None:
        _write(options.output, table)
    # A step that Buildkite left out by its condition has no outcome.
    conditional = {step.key for step in all_steps(1) if step.condition is not None}
    red = [
        key
        for key, outcome in outcomes
        if outcome not in ("passed", "neutral")
        and not (outcome == _NO_OUTCOME and key in conditional)
    ]
    if red:
        raise CiError(f"not green: {', '.join(red)}")
    return 0


def _outcome(key: str) -> str:
    # The agent says where it is; else it is on PATH.
    program = Path(os.environ.get("BUILDKITE_BIN_PATH", ""), "buildkite-agent")
    command = [str(program), "step", "get", "outcome", "--step", key]
    try:
        done = subprocess.run(  # nosec B603
            command, capture_output=True, check=False, text=True
        )
    except FileNotFoundError:
        raise Unavailable(
            "there is no buildkite-agent; this runs in a step of a build"
        ) from None
    return done.stdout.strip() if done.returncode == 0 else _NO_OUTCOME


def _locks(options: argparse.Namespace) -> int:
    root = options.root
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


def _summary(options: argparse.Namespace) -> int:
    summary = read_reports(options.reports)
    unexpected = summary.unexpected_skips(read_allowed(options.allowed))
    lines = [
        f"error: skipped without leave: {reason} (see {options.allowed})"
        for reason in unexpected
    ]
    lines += summary.lines()
    text = "".join(f"{line}\n" for line in lines)
    print(text, end="")
    if options.output is not None:
        _write(options.output, text)
    wrong = summary.failed or unexpected or not summary.passed
    return CiError.exit_code if wrong else 0


def _coverage(options: argparse.Namespace) -> int:
    total = merge_coverage(
        options.folder, options.config, options.fail_under, sys.stdout
    )
    print(f"coverage is {total:.2f} %, the floor is {options.fail_under:g} %")
    return 0


def _images(options: argparse.Namespace) -> int:
    act = {"save": save_images, "load": load_images}[options.action]
    for name, identity in act(options.folder, os.environ).items():
        print(f"{name}={identity}")
    return 0


def _reproducible(options: argparse.Namespace) -> int:
    root = Path.cwd()
    made = root / "dist" / "reproducible"
    first = options.against
    if first is None:
        first = build_from_nothing(root, made / "first", os.environ)
    elif not first.is_dir():
        raise CiError(
            f"{first} is no folder; `./pants --tag=-image,bench package ::` first"
        )
    second = build_from_nothing(root, made / "second", os.environ)
    comparison = compare(first, second)
    for name, digest in comparison.same.items():
        print(f"{digest}  {name}")
    for problem in comparison.problems:
        print(f"error: {problem}", file=sys.stderr)
    print(f"{len(comparison.same)} files are the same in both builds")
    return CiError.exit_code if comparison.problems else 0


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "coverage": _coverage,
    "images": _images,
    "locks": _locks,
    "pipeline": _pipeline,
    "reproducible": _reproducible,
    "result": _result,
    "run": _run,
    "summary": _summary,
    "why": _why,
}

if __name__ == "__main__":
    sys.exit(main())
