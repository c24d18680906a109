"""What changed since the base, as Git knows it."""

from __future__ import annotations

import os
import subprocess  # nosec B404
from collections.abc import Mapping
from pathlib import Path

from rookery.ci._changes import Change
from rookery.ci._errors import ConfigurationError, Unavailable

_MAIN = "origin/main"


def git(root: Path, *arguments: str) -> str:
    """Runs Git.

    Args:
        root: The work tree.
        *arguments: The words after `git`.

    Returns:
        What it printed.

    Raises:
        Unavailable: It failed, or is not installed.
    """
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(  # nosec B603
            command, capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise Unavailable(f"git cannot be run: {error}; install git") from error
    if done.returncode:
        said = os.fsdecode(done.stderr).strip().splitlines() or ["no reason given"]
        raise Unavailable(f"git {arguments[0]} failed in {root}: {said[-1]}")
    return os.fsdecode(done.stdout)


def find_change(root: Path, env: Mapping[str, str]) -> Change:
    """Finds out what changed: the work tree as it stands, against its base.

    The base is `ROOKERY_BASE`; for a pull request the merge base with the branch it
    goes to; else the merge base with `origin/main`. Where none of these is known, or
    the commit is on main already, everything counts as changed.

    Args:
        root: The work tree.
        env: Buildkite's variables and `ROOKERY_BASE`.

    Returns:
        The change. Where Git is missing, or this is no repository, `git` says so.

    Raises:
        ConfigurationError: `ROOKERY_BASE` is no commit of this repository.
    """
    head = git(root, "rev-parse", "HEAD").strip()
    named = env.get("ROOKERY_BASE", "")
    if named:
        base = _commit(root, named)
        if base is None:
            raise ConfigurationError(
                f"ROOKERY_BASE={named}: no such commit in {root}; fetch it, or unset "
                "the variable to run everything"
            )
        return _since(root, base, named)
    if env.get("BUILDKITE_TAG"):
        return Change(None, "a release checks everything")
    if git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
        return Change(None, "the clone is shallow, so no base is known")
    request = env.get("BUILDKITE_PULL_REQUEST", "false") not in ("", "false")
    target = env.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "") if request else ""
    branch = f"origin/{target}" if target else _MAIN
    if _commit(root, branch) is None:
        return Change(None, f"there is no {branch} to compare with")
    base = _merge_base(root, branch)
    if base is None:
        return Change(None, f"no commit is shared with {branch}")
    if base == head:
        return Change(None, f"the commit is on {branch}")
    return _since(root, base, branch)


def _since(root: Path, base: str, name: str) -> Change:
    tracked = git(root, "diff", "--name-only", "--no-renames", "-z", base, "--")
    new = git(root, "ls-files", "--others", "--exclude-standard", "-z")
    files = {path for path in (tracked + new).split("\0") if path}
    return Change(tuple(sorted(files)), f"since {base[:12]} ({name})")


def _commit(root: Path, name: str) -> str | None:
    arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options")
    try:
        return git(root, *arguments, f"{name}^{{commit}}").strip()
    except Unavailable:
        return None


def _merge_base(root: Path, other: str) -> str | None:
    try:
        return git(root, "merge-base", other, "HEAD").strip()
    except Unavailable:
        return None
