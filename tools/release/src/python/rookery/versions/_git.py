"""The shell around the pure parts: asks Git for the history."""

from __future__ import annotations

import dataclasses
import os
import subprocess  # nosec B404
from collections.abc import Sequence
from pathlib import Path

from rookery.versions._errors import RepositoryError
from rookery.versions._history import History, read_changed, read_head, read_tags

_TAGS = "--format=%(objectname) %(*objectname) %(refname:strip=2)"


def read_history(root: Path) -> History:
    """Reads the history of the commit that is checked out.

    Args:
        root: A folder of the work tree.

    Returns:
        The commit, and what came before it.

    Raises:
        RepositoryError: There is no Git, no repository, no commit, or only the last
            commits of the history, so that commits cannot be counted.
    """
    if git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
        raise RepositoryError(
            f"{root}: only a part of the history is here, and versions are counted "
            "from tags: git fetch --unshallow --tags"
        )
    commit, time = read_head(git(root, "log", "-1", "--format=%H %ct"))
    tags = read_tags(
        git(root, "for-each-ref", f"--merged={commit}", _TAGS, "refs/tags")
    )
    # Most tags share their commit with others: a release tags many packages at once.
    distances = {
        named: count_commits(root, f"{named}..{commit}")
        for named in {tag.commit for tag in tags}
    }
    return History(
        commit=commit,
        time=time,
        commits=count_commits(root, commit),
        tags=tuple(
            dataclasses.replace(tag, distance=distances[tag.commit]) for tag in tags
        ),
        changed=read_changed(
            git(root, "status", "--porcelain", "-z", "--untracked-files=normal")
        ),
    )


def count_commits(root: Path, commits: str) -> int:
    """Counts commits.

    Args:
        root: A folder of the work tree.
        commits: A commit, for all up to it, or a range `from..to`.

    Returns:
        How many there are.
    """
    return int(git(root, "rev-list", "--count", commits, "--"))


def git(root: Path, *words: str) -> str:
    """Runs Git and returns what it prints.

    Args:
        root: The folder to run it in.
        *words: Its arguments.

    Returns:
        Its standard output.

    Raises:
        RepositoryError: There is no Git, or it failed.
    """
    # Without optional locks it never stands in the way of a commit made meanwhile.
    command: Sequence[str] = ["git", "--no-optional-locks", "-C", str(root), *words]
    try:
        done = subprocess.run(  # nosec B603
            command,
            check=True,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise RepositoryError("there is no `git` on PATH; install Git") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines() or ["?"]
        raise RepositoryError(
            f"{root}: git {words[0]}: {said[0]}; run this in a clone of the repository "
            "that has a commit"
        ) from error
    return done.stdout.decode("utf-8", "surrogateescape")
