"""What OWNERS files say, once they are read."""

from __future__ import annotations

from dataclasses import dataclass

ANYONE = "*"


@dataclass(frozen=True)
class Grant:
    """One owner, and the line that says so.

    Attributes:
        owner: An e-mail address, or `*` for anyone.
        source: `path:line`, with what led there if the line was imported.
        last_resort: Whether to suggest this owner only if nobody else is left.
    """

    owner: str
    source: str
    last_resort: bool = False


@dataclass(frozen=True)
class Rule:
    """One `per-file` line, its imports resolved.

    Attributes:
        text: The globs as they were written.
        globs: The same, expanded to the wildcards `*` and `?`.
        grants: Who owns the files that match.
        noparent: Whether nobody else owns them, neither here nor further up.
        source: `path:line`.
    """

    text: str
    globs: tuple[str, ...]
    grants: tuple[Grant, ...]
    noparent: bool
    source: str


# Compared by identity: chains of these are the keys of caches.
@dataclass(frozen=True, eq=False)
class OwnersFile:
    """One OWNERS file, its imports resolved.

    Attributes:
        path: Where it is, from the root of the repository.
        folder: The folder it governs; empty for the root.
        grants: The owners of the folder.
        rules: Its `per-file` lines.
        noparent: Whether owners of the folders above do not count.
        noparent_source: `path:line` of the `set noparent`, or empty.
    """

    path: str
    folder: str
    grants: tuple[Grant, ...]
    rules: tuple[Rule, ...]
    noparent: bool
    noparent_source: str = ""


@dataclass(frozen=True)
class Step:
    """One link of the chain that decides who owns a file.

    Attributes:
        source: `path:line`, as the line was written.
        says: What the line does.
        owners: The owners it adds.
        distance: How many OWNERS files lie between it and the file.
        last_resort: Whether to suggest these owners only if nobody else is left.
    """

    source: str
    says: str
    owners: tuple[str, ...]
    distance: int
    last_resort: bool = False


@dataclass(frozen=True)
class Decision:
    """Who owns a file, and why.

    Attributes:
        path: The file.
        owners: E-mail addresses and `*`, sorted.
        steps: The lines that decided, the nearest first.
    """

    path: str
    owners: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def anyone(self) -> bool:
        """Whether any approval counts, because `*` is among the owners."""
        return ANYONE in self.owners
