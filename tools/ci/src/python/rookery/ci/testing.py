"""Small Git repositories with real hooks, for tests of what runs in one."""

from __future__ import annotations

import subprocess  # nosec B404
from pathlib import Path

_WHO = ("-c", "user.name=a", "-c", "user.email=a@example.com")


class Repository:
    """A Git repository in a folder of its own.

    Args:
        root: The folder, which does not exist yet.
        origin: What it is a clone of; empty for a new repository.
        depth: How many commits the clone has; None is all.
    """

    def __init__(self, root: Path, origin: str = "", depth: int | None = None) -> None:
        self.root = root
        if origin:
            limit = () if depth is None else (f"--depth={depth}",)
            _git("clone", "-q", *limit, origin, str(root))
        else:
            _git("init", "-q", "-b", "main", str(root))

    def git(self, *arguments: str) -> str:
        """Runs Git in it and returns what that prints."""
        return _git("-C", str(self.root), *arguments)

    def write(self, name: str, text: str = "") -> Path:
        """Writes a file and returns its path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def hook(self, name: str, script: str) -> None:
        """Writes a hook for the agent."""
        self.write(f".buildkite/hooks/{name}", f"#!/usr/bin/env bash\n{script}\n")

    def commit(self, message: str = "A commit") -> str:
        """Commits everything and returns the commit."""
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


def _git(*arguments: str) -> str:
    done = subprocess.run(  # nosec B603 B607
        ["git", *_WHO, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
