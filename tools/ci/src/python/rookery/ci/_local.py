"""A run on this machine as a person sees it: reasons first, then jobs, then the sum."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rookery.ci._git import git
from rookery.ci._run import Outcome, Result, Runner, prepare_store, restore
from rookery.ci._select import NOT_NAMED, Decision
from rookery.ci._steps import TEST_SUMMARY
from rookery.ci._tables import columns

# In `dist`, where the hooks leave it alone.
_STORE = Path("dist", "ci")
# What the table of the run says already.
_TOLD = {"result", "test-reports"}


def print_table(decisions: Sequence[Decision]) -> None:
    """Prints which steps run, and why.

    Args:
        decisions: One for each step.
    """
    rows = [
        (choice.step.key, "yes" if choice.runs else "no", choice.reason)
        for choice in decisions
    ]
    for line in columns(("step", "runs", "why"), rows):
        print(line)


def run_here(
    decisions: Sequence[Decision], pipeline: str, *, keep_artifacts: bool
) -> int:
    """Runs a pipeline in the work tree that this process stands in.

    Args:
        decisions: Why it has the steps it has, for the table at the end.
        pipeline: What would be uploaded to Buildkite.
        keep_artifacts: Whether steps may use the artifacts of the last run.

    Returns:
        0; 1 when a step failed; 130 when it was interrupted.
    """
    root = Path(git(Path.cwd(), "rev-parse", "--show-toplevel").strip())
    store = prepare_store(root / _STORE, keep_artifacts=keep_artifacts)
    runner = Runner(root, store, os.environ, sys.stdout.buffer)
    results = runner.run(pipeline)
    kept = restore(root, store)
    _print_annotations(store)
    print(f"\n{kept} artifacts are in the work tree; logs: {_STORE}/logs\n")
    _print_results(decisions, results)
    _print_summary(root, store)
    sys.stdout.flush()
    if runner.interrupted:
        return 130
    return 1 if any(result.outcome.stops for result in results.values()) else 0


def _print_results(
    decisions: Sequence[Decision], results: Mapping[str, Result]
) -> None:
    # What --only did not name is not worth a line each.
    every = [choice for choice in decisions if choice.reason != NOT_NAMED]
    chosen = {choice.step.key: choice for choice in every}
    rows: list[tuple[str, str, str, str]] = []
    for key in [*chosen, *(key for key in results if key not in chosen)]:
        result = results.get(key) or Result(key, Outcome.LEFT_OUT)
        reason = result.reason
        if not reason and key in chosen:
            reason = chosen[key].reason
        took = f"{result.seconds:.0f}" if result.seconds else ""
        rows.append((key, result.outcome.value, took, reason))
    for line in columns(("step", "result", "seconds", "reason"), rows):
        print(line)


def _print_annotations(store: Path) -> None:
    for path in sorted((store / "annotations").glob("*.json")):
        note = json.loads(path.read_text("utf-8"))
        if note["context"] not in _TOLD:
            print(f"\n--- {note['style']}: {note['context']}\n{note['body'].rstrip()}")


def _print_summary(root: Path, store: Path) -> None:
    """Prints the sum of the tests as the last thing, if this run made one."""
    found = list((store / "artifacts").glob(f"*/{TEST_SUMMARY}"))
    made = [path for path in found if path.relative_to(store).parts[1] != "0000"]
    if made:
        print(f"\n{made[-1].read_text('utf-8')}", end="")
