"""What changed, and what kind of file each path is."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from rookery.ci._model import Kind

# The first pattern that matches decides. `*` stays within a folder, `**` does not.
# A file that none of them knows is of an unknown kind, and then everything runs.
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("**/OWNERS", Kind.OWNERS),
    (".github/CODEOWNERS", Kind.OWNERS),
    ("tools/owners/handles.toml", Kind.OWNERS),
    ("dockerfiles/README.md", Kind.DOCUMENTATION),
    ("dockerfiles/test/**", Kind.CONTAINER_TESTS),
    ("dockerfiles/**", Kind.IMAGES),
    ("lib/*/src/**", Kind.SOURCES),
    ("projects/*/src/**", Kind.SOURCES),
    # The versions of everything that is packaged come from here.
    ("tools/release/src/python/rookery/versions/**", Kind.SOURCES),
    ("lib/*/test/**", Kind.TESTS),
    ("lib/*/bench/**", Kind.TESTS),
    ("projects/*/test/**", Kind.TESTS),
    ("projects/*/bench/**", Kind.TESTS),
    ("tools/*/test/**", Kind.TESTS),
    ("tools/*/bench/**", Kind.TESTS),
    ("**/conftest.py", Kind.TESTS),
    ("3rdparty/tools/**", Kind.TOOLS),
    ("3rdparty/README.md", Kind.DOCUMENTATION),
    ("3rdparty/**", Kind.DEPENDENCIES),
    ("pants-plugins/**", Kind.BUILD),
    ("pants.toml", Kind.BUILD),
    ("pants", Kind.BUILD),
    ("BUILD", Kind.BUILD),
    ("lib/**/BUILD", Kind.BUILD),
    ("projects/**/BUILD", Kind.BUILD),
    ("tools/ci/**", Kind.PIPELINE),
    (".buildkite/**", Kind.PIPELINE),
    (".ci/bare", Kind.TOOLS),
    (".ci/**", Kind.PIPELINE),
    ("pants.ci.toml", Kind.PIPELINE),
    ("tools/**", Kind.TOOLS),
    ("docs/**", Kind.DOCUMENTATION),
    ("**/*.md", Kind.DOCUMENTATION),
    ("LICENSE", Kind.DOCUMENTATION),
    (".gitignore", Kind.TOOLS),
)


@dataclass(frozen=True)
class Change:
    """What is built, compared with what was.

    Attributes:
        files: The paths that differ, sorted; None when everything counts as changed.
        origin: For people: compared with what, or why everything counts.
    """

    files: tuple[str, ...] | None
    origin: str

    def of_kind(self, kinds: Iterable[Kind]) -> tuple[str, ...]:
        """Returns the changed files of some kinds, in order."""
        wanted = frozenset(kinds)
        return tuple(path for path in self.files or () if kind_of(path) in wanted)


def kind_of(path: str) -> Kind:
    """Says what kind of file a path is.

    Args:
        path: Its path from the root of the repository, with slashes.

    Returns:
        The kind that the first matching pattern names, else `Kind.UNKNOWN`.
    """
    for pattern, kind in _compiled():
        if pattern.fullmatch(path):
            return kind
    return Kind.UNKNOWN


@functools.cache
def _compiled() -> tuple[tuple[re.Pattern[str], Kind], ...]:
    return tuple((glob(pattern), kind) for pattern, kind in _KINDS)


def glob(pattern: str) -> re.Pattern[str]:
    """Translates a glob: `*` and `?` stay within a folder, `**` does not.

    Args:
        pattern: The glob, with slashes.

    Returns:
        A regular expression for the whole path.
    """
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(parts.get(piece) or re.escape(piece) for piece in pieces))
