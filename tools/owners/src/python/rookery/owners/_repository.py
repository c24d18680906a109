"""The shell around the pure parts: Git, files, the table of handles."""

from __future__ import annotations

import functools
import os
import posixpath
import subprocess  # nosec B404
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Optional

from rookery.owners._errors import HandlesError, RepositoryError
from rookery.owners._tree import NAME, OwnersTree

TARGET = ".github/CODEOWNERS"
HANDLES = "tools/owners/handles.toml"


class Repository:
    """A working copy.

    Args:
        root: Its top folder.
        paths: Its files, from the root; what Git tracks if left out.
    """

    def __init__(self, root: Path, paths: Optional[Iterable[str]] = None) -> None:
        self.root = root
        self._paths = None if paths is None else sorted(set(paths))

    @functools.cached_property
    def paths(self) -> list[str]:
        """Every tracked file, sorted."""
        return tracked(self.root) if self._paths is None else self._paths

    @functools.cached_property
    def tree(self) -> OwnersTree:
        """The OWNERS files as they are in the working copy."""
        found = [
            path
            for path in self.paths
            if posixpath.basename(path) == NAME and (self.root / path).is_file()
        ]
        return OwnersTree(found, self.read)

    def read(self, path: str) -> Optional[str]:
        """Returns the text of a file, or None if there is no such file."""
        file = self.root / path
        if not file.is_file():
            return None
        try:
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RepositoryError(f"{path}: cannot be read as text: {error}") from error

    def write(self, path: str, text: str) -> bool:
        """Writes a file, in one step, unless it says the same already.

        Args:
            path: From the root.
            text: What it is to contain.

        Returns:
            Whether the file changed.
        """
        if self.read(path) == text:
            return False
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            beside.write_text(text, "utf-8")
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
        return True


def tracked(root: Path) -> list[str]:
    """Lists the files that Git tracks.

    Args:
        root: The top folder of a working copy.

    Returns:
        Their paths from the root, sorted.

    Raises:
        RepositoryError: There is no Git, or no repository.
    """
    try:
        done = subprocess.run(  # nosec B603 B607
            ["git", "-C", str(root), "ls-files", "-z", "--cached"],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError as error:
        raise RepositoryError("there is no `git` on PATH; install Git") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip()
        raise RepositoryError(
            f"{root}: Git lists no files: {said}; name the top folder of a repository "
            "with --root"
        ) from error
    paths = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    return sorted({path for path in paths if path})


def validate_handles(table: object, where: str) -> Mapping[str, str]:
    """Checks a table of handles.

    Args:
        table: What the file contains; its table `handles` counts.
        where: The file, for messages.

    Returns:
        The handle by e-mail address.

    Raises:
        HandlesError: It is none.
    """
    handles = table.get("handles") if isinstance(table, dict) else None
    if not isinstance(handles, dict):
        raise HandlesError(f"{where}: has no table [handles]; add one")
    found: dict[str, str] = {}
    for owner, handle in handles.items():
        good = isinstance(handle, str) and "@" in handle and len(handle.split()) == 1
        if not good or "#" in handle:
            raise HandlesError(
                f"{where}: {owner}: {handle!r} is no handle; write @user, @team/name or "
                "an e-mail address that GitHub knows"
            )
        found[owner] = handle
    return found
