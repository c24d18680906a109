"""Lines of a CODEOWNERS file as GitHub reads them, and which of them decides.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners:
the last line that matches decides alone, a pattern means a file or a folder with all
that is in it, there is no negation (`!`) and there are no sets (`[a-z]`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Optional, Pattern

from rookery.owners._globs import compile_globs, glob_pattern

# GitHub ignores a larger file, all of it.
MAX_BYTES = 3_000_000

# GitHub reads these in a pattern otherwise than literally, or in ways it does not say.
_UNSAFE = re.compile(r"[#!*?\[\]\\\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Line:
    """One line of a CODEOWNERS file.

    Attributes:
        folder: The folder it is about, or the file if `exact`; empty for the root.
        owners: E-mail addresses and handles; empty if nobody need approve.
        glob: The file names it is about, in the folder and all below; empty for all.
        exact: Whether it is about one file.
        source: The OWNERS file or line that it comes from.
    """

    folder: str
    owners: tuple[str, ...]
    glob: str = ""
    exact: bool = False
    source: str = ""

    @property
    def pattern(self) -> str:
        """The pattern as GitHub reads it."""
        path = escape(self.folder)
        if self.exact:
            return f"/{path}"
        if self.glob:
            name = self.glob.replace(" ", "\\ ")
            name = re.sub(r"[#!\[\]\\]", "?", name)
            return f"/{path}/**/{name}" if path else f"**/{name}"
        return f"/{path}/" if path else "*"

    @property
    def text(self) -> str:
        """The line as it is written."""
        return " ".join((self.pattern, *self.owners))


def escape(path: str) -> str:
    r"""Writes a path so that GitHub reads it as one.

    Spaces get a backslash. What GitHub cannot escape, or not everywhere, such as `#`
    and `[`, becomes `?`, which matches any one character; whoever compiles has to check
    that no other path matches too.

    Args:
        path: A path of the repository.

    Returns:
        The pattern, such as `my\ files/a?b`.
    """
    return _UNSAFE.sub("?", path).replace(" ", "\\ ")


class Matcher:
    """Finds the line that decides about a path.

    A dictionary answers for lines about folders and files; only lines with a glob in
    the folders above a path are compared with it. So the time for a path depends on
    its depth and not on the number of lines.

    Args:
        lines: The lines in order.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        self._folders: dict[str, int] = {}
        self._files: dict[str, int] = {}
        self._globs: dict[str, list[tuple[int, Pattern[str]]]] = {}
        self._wild: list[tuple[int, Pattern[str]]] = []
        self._by_name: dict[tuple[str, str], int] = {}
        self._by_folder: dict[str, tuple[int, tuple[str, ...]]] = {}
        for number, line in enumerate(lines):
            self._add(number, line)

    def _add(self, number: int, line: Line) -> None:
        if _UNSAFE.search(line.folder) or re.search(r"[#!\[\]\\]", line.glob):
            self._wild.append((number, _expression(line)))
        elif line.exact:
            self._files[line.folder] = number
        elif line.glob:
            found = compile_globs((line.glob,))
            self._globs.setdefault(line.folder, []).append((number, found))
        else:
            self._folders[line.folder] = number

    def deciding(self, path: str) -> Optional[int]:
        """Returns which line decides about a path.

        Args:
            path: A file, from the root of the repository.

        Returns:
            The index of the last line that matches, or None.
        """
        folder, _, name = path.rpartition("/")
        best, anchors = self._folder(folder)
        best = max(best, self._files.get(path, -1))
        for anchor in anchors:
            best = max(best, self._named(anchor, name))
        for number, expression in reversed(self._wild):
            if number > best and expression.fullmatch(path):
                best = number
        return best if best >= 0 else None

    def _folder(self, folder: str) -> tuple[int, tuple[str, ...]]:
        # What lines about folders, and globs that match a folder, say for all below it;
        # and the folders above (and itself) that have globs.
        known = self._by_folder.get(folder)
        if known is not None:
            return known
        best = -1
        anchors: tuple[str, ...] = ()
        if folder:
            above, _, name = folder.rpartition("/")
            best, anchors = self._folder(above)
            best = max(best, self._files.get(folder, -1))
            for anchor in anchors:
                best = max(best, self._named(anchor, name))
        best = max(best, self._folders.get(folder, -1))
        if folder in self._globs:
            anchors = (*anchors, folder)
        self._by_folder[folder] = best, anchors
        return best, anchors

    def _named(self, anchor: str, name: str) -> int:
        known = self._by_name.get((anchor, name))
        if known is None:
            known = max(
                (
                    number
                    for number, expression in self._globs[anchor]
                    if expression.fullmatch(name)
                ),
                default=-1,
            )
            self._by_name[anchor, name] = known
        return known


def render(lines: Iterable[Line], header: str) -> str:
    """Writes a CODEOWNERS file.

    Args:
        lines: The lines in order.
        header: What the comment at the top says, line by line.

    Returns:
        The text, with the same lines always the same.
    """
    top = [f"# {line}".rstrip() for line in header.splitlines()]
    return "\n".join([*top, "", *(line.text for line in lines), ""])


def translate(owners: Iterable[str], handles: Mapping[str, str]) -> tuple[str, ...]:
    """Turns owners into what a CODEOWNERS line names.

    Args:
        owners: E-mail addresses and `*`.
        handles: The handle by e-mail address; who is not in it stays an address.

    Returns:
        Sorted; empty if anyone may approve.
    """
    found = set(owners)
    if "*" in found:
        return ()
    return tuple(sorted({handles.get(owner, owner) for owner in found}))


def _expression(line: Line) -> Pattern[str]:
    folder = glob_pattern(_UNSAFE.sub("?", line.folder))
    if line.exact:
        return re.compile(f"{folder}(/.*)?", re.DOTALL)
    slash = "/" if folder else ""
    if line.glob:
        name = glob_pattern(re.sub(r"[#!\[\]\\]", "?", line.glob))
        return re.compile(f"{folder}{slash}(.*/)?{name}(/.*)?", re.DOTALL)
    return re.compile(f"{folder}{slash}.*", re.DOTALL)
