"""What changed in a package between two commits, and by which commits."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path

from rookery.release._catalog import Package
from rookery.versions import git

# Begins a commit in the output of `git log`; no path and no subject contains it.
_MARK = "\x01"


@dataclasses.dataclass(frozen=True)
class Change:
    """A file that differs between two commits.

    Args:
        path: From the top of the repository.
        removed: Whether it is gone.
    """

    path: str
    removed: bool = False


@dataclasses.dataclass(frozen=True)
class Commit:
    """A commit, for the notes of a release.

    Args:
        name: Its abbreviated name.
        subject: The first line of its message.
        paths: The files it changed.
    """

    name: str
    subject: str
    paths: tuple[str, ...]


def read_changes(text: str) -> list[Change]:
    """Reads what `git diff --name-status --no-renames -z` prints.

    Args:
        text: Its output.

    Returns:
        The files that differ.
    """
    fields = text.split("\0")
    return [
        Change(path, status.startswith("D"))
        for status, path in zip(fields[::2], fields[1::2], strict=False)
    ]


def read_commits(text: str) -> list[Commit]:
    """Reads what `git log` prints in the format of `commits_between`.

    Args:
        text: Its output.

    Returns:
        The commits, in the same order.
    """
    found: list[Commit] = []
    for block in text.split(_MARK)[1:]:
        head, *paths = block.replace("\n", "\0").split("\0")
        name, _, subject = head.partition(" ")
        found.append(Commit(name, subject, tuple(path for path in paths if path)))
    return found


def changed_inputs(
    package: Package, changes: Iterable[Change], folders: frozenset[str]
) -> tuple[str, ...]:
    """Picks out the changes that make another package.

    A file that is gone is no input any more. It counts if the BUILD file nearest above
    it is one of the package's.

    Args:
        package: The package.
        changes: The files that differ.
        folders: The folders of all BUILD files.

    Returns:
        The paths, sorted.
    """
    return tuple(
        sorted(
            change.path
            for change in changes
            if change.path in package.inputs
            or (change.removed and _nearest(change.path, folders) in package.folders)
        )
    )


def _nearest(path: str, folders: frozenset[str]) -> str:
    folder = posixpath.dirname(path)
    while folder and folder not in folders:
        folder = posixpath.dirname(folder)
    return folder


def changes_between(root: Path, before: str, after: str) -> list[Change]:
    """Asks Git which files differ between two commits.

    Args:
        root: The repository.
        before: The earlier commit.
        after: The later one.

    Returns:
        The files that differ.
    """
    return read_changes(
        git(root, "diff", "--name-status", "--no-renames", "-z", before, after, "--")
    )


def commits_between(root: Path, before: str | None, after: str) -> list[Commit]:
    """Asks Git for the commits after one, up to another.

    Args:
        root: The repository.
        before: The earlier commit; none for the whole history.
        after: The later one.

    Returns:
        The commits, the last first.
    """
    commits = f"{before}..{after}" if before else after
    return read_commits(
        git(
            root,
            "log",
            "--no-renames",
            "--name-only",
            "-z",
            f"--format={_MARK}%h %s",
            commits,
            "--",
        )
    )


def notes(package: Package, commits: Sequence[Commit]) -> list[str]:
    """Lists what changed in a package.

    Args:
        package: The package.
        commits: The commits in question.

    Returns:
        A line for each commit that touched an input of the package.
    """
    return [
        f"{commit.name} {commit.subject}"
        for commit in commits
        if package.inputs.intersection(commit.paths)
    ]
