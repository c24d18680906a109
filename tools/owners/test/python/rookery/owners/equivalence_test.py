"""The compiled file gives every file the owners that its OWNERS files give it.

Both sides are worked out a second time here, sharing nothing with `rookery.owners`:
GitHub's reading of CODEOWNERS (segment by segment, without regular expressions or an
index), and Gerrit's reading of OWNERS (folder by folder, straight from the text).
"""

from __future__ import annotations

import fnmatch
import functools
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.owners import (
    CompileError,
    OwnersTree,
    Repository,
    compile_codeowners,
)
from rookery.service.testing import require


@dataclass(frozen=True)
class Read:
    """One line of a CODEOWNERS file, as GitHub's documentation describes it."""

    segments: tuple[str, ...]
    inside_only: bool
    owners: tuple[str, ...]


def read_codeowners(text: str) -> list[Read]:
    """Reads a CODEOWNERS file; blank lines and comments say nothing."""
    found: list[Read] = []
    for line in text.split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        words = split_words(line)
        pattern = words[0]
        assert not pattern.startswith("!"), line
        assert not set(pattern) & set("[]#"), line
        inside_only = pattern.endswith("/")
        anchored = "/" in pattern.rstrip("/")
        segments = tuple(part for part in pattern.split("/") if part)
        if not anchored:
            segments = ("**", *segments)
        found.append(Read(segments, inside_only, tuple(words[1:])))
    return found


def split_words(line: str) -> list[str]:
    """Splits a line at spaces that no backslash precedes."""
    words = [""]
    characters = iter(line)
    for character in characters:
        if character == "\\":
            words[-1] += next(characters)
        elif character == " ":
            words.append("")
        else:
            words[-1] += character
    return [word for word in words if word]


def owners_on_github(lines: list[Read], path: str) -> tuple[str, ...]:
    """Returns the owners of a file: those of the last line that matches it."""
    parts = tuple(path.split("/"))
    for line in reversed(lines):
        if path_matches(line.segments, parts, line.inside_only):
            return line.owners
    return ()


def path_matches(
    pattern: tuple[str, ...], parts: tuple[str, ...], inside_only: bool
) -> bool:
    """Tells whether a pattern means a file, or a folder that the file is in."""
    if not pattern:
        # All of the pattern is used up: a folder if parts are left, else a file.
        return bool(parts) or not inside_only
    if not parts:
        return False
    if pattern[0] == "**":
        return path_matches(pattern[1:], parts, inside_only) or path_matches(
            pattern, parts[1:], inside_only
        )
    return name_matches(pattern[0], parts[0]) and path_matches(
        pattern[1:], parts[1:], inside_only
    )


@functools.lru_cache(maxsize=None)
def name_matches(pattern: str, name: str) -> bool:
    """Matches `*` and `?` within one segment."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return name_matches(pattern[1:], name) or (
            bool(name) and name_matches(pattern, name[1:])
        )
    if not name:
        return False
    return pattern[0] in ("?", name[0]) and name_matches(pattern[1:], name[1:])


def owners_on_gerrit(texts: Mapping[str, str], path: str) -> tuple[str, ...]:
    """Returns the owners of a file; imports are beyond this second reading."""
    folder, name = posixpath.split(path)
    owners: set[str] = set()
    while True:
        lines = texts.get(posixpath.join(folder, "OWNERS"), "").splitlines()
        mine: set[str] = set()
        stop_here = stop_all = False
        for line in lines:
            if line == "set noparent":
                stop_all = True
            elif line.startswith("per-file "):
                globs, _, who = line[len("per-file ") :].partition("=")
                if not any(fnmatch.fnmatchcase(name, g) for g in globs.split(",")):
                    continue
                if who == "set noparent":
                    stop_here = True
                else:
                    owners |= set(who.split(","))
            else:
                mine.add(line)
        if not stop_here:
            owners |= mine
        if stop_here or stop_all or not folder:
            return () if "*" in owners else tuple(sorted(owners))
        folder = posixpath.dirname(folder)


def assert_same(texts: Mapping[str, str], paths: list[str]) -> None:
    compiled = compile_codeowners(OwnersTree.from_texts(texts), paths, {})
    lines = read_codeowners(compiled)
    for path in paths:
        said = owners_on_github(lines, path)
        assert said == owners_on_gerrit(texts, path), f"{path}\n{compiled}"


OWNERS = st.sampled_from(["a@x.org", "b@x.org", "c@x.org", "d@x.org", "*"])
# Few and alike, so that globs match files, folders and each other.
NAMES = st.sampled_from(["a", "b", "ab", "a.py", "b.py", "a b", "a#b", "a-b", "BUILD"])
GLOBS = st.sampled_from(
    ["*", "a*", "*b", "*.py", "a?b", "a", "BUILD", "[ab].py", "*-*"]
)
FOLDERS = st.lists(NAMES, max_size=3).map("/".join)
PER_FILE = st.builds(
    lambda globs, who: f"per-file {','.join(globs)}={who}",
    st.lists(GLOBS, min_size=1, max_size=2),
    st.lists(OWNERS, min_size=1, max_size=2).map(",".join) | st.just("set noparent"),
)
TEXTS = st.lists(OWNERS | PER_FILE | st.just("set noparent"), max_size=4).map("\n".join)


@settings(deadline=None)
@given(
    st.dictionaries(FOLDERS, TEXTS, max_size=5),
    st.lists(st.tuples(FOLDERS, NAMES), min_size=1, max_size=12),
)
def test_on_random_trees_each_file_has_the_same_owners_on_both_sides(
    texts: dict[str, str], places: list[tuple[str, str]]
) -> None:
    files = {posixpath.join(folder, "OWNERS"): text for folder, text in texts.items()}
    paths = sorted({*files, *(posixpath.join(*place) for place in places)})
    assert_same(files, paths)


def test_a_file_whose_name_cannot_be_written_does_not_take_its_neighbours() -> None:
    texts = {"a#b/OWNERS": "a@x.org", "a-b/OWNERS": "b@x.org", "OWNERS": "c@x.org"}
    assert_same(texts, [*texts, "a#b/f", "a-b/f", "a+b/f"])


def test_two_files_that_github_cannot_tell_apart_are_refused_by_name() -> None:
    texts = {"a#b/OWNERS": "a@x.org", "a[b/OWNERS": "b@x.org"}
    with pytest.raises(CompileError, match="rename the file"):
        compile_codeowners(OwnersTree.from_texts(texts), list(texts), {})


def test_every_path_of_a_large_real_tree_has_the_same_owners_on_both_sides() -> None:
    folder = require("data") / "owners" / "pigweed"
    paths = (folder / "ALL_PATHS.txt").read_text("utf-8").splitlines()
    repository = Repository(folder, paths)
    lines = read_codeowners(compile_codeowners(repository.tree, paths, {}))
    assert len(repository.tree.files) == 211
    imported = (folder / "WORKSPACE_OWNERS").read_text("utf-8").split()
    for path in paths:
        wanted = {*real_owners(folder, path)}
        if posixpath.basename(path) in (
            "MODULE.bazel",
            "MODULE.bazel.lock",
            "WORKSPACE",
        ):
            wanted |= set(imported)
        assert set(owners_on_github(lines, path)) == wanted, path


def real_owners(root: Path, path: str) -> set[str]:
    """Returns the owners of a file of Pigweed, which never says `set noparent`."""
    found: set[str] = set()
    name = posixpath.basename(path)
    for folder in (root / path).parents:
        file = folder / "OWNERS"
        if folder.is_relative_to(root) and file.is_file():
            for line in file.read_text("utf-8").splitlines():
                text = line.partition("#")[0].strip()
                if text.startswith("per-file"):
                    glob, _, who = text.removeprefix("per-file ").partition("=")
                    if "file:" not in who and fnmatch.fnmatchcase(name, glob):
                        found |= set(who.split(","))
                elif text:
                    found.add(text)
    return found


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "a/b.py", True),
        ("/docs/", "docs/a/b.md", True),
        ("/docs/", "a/docs/b.md", False),
        ("/docs/", "docs", False),
        ("/docs", "docs", True),
        ("**/logs", "deeply/nested/logs/x", True),
        ("*.js", "a/b.js", True),
        ("/a/**/*.py", "a/x.py", True),
        ("/a/**/*.py", "a/b/c/x.py", True),
        ("/a/**/*.py", "b/a/x.py", False),
        ("/a\\ b/?", "a b/c", True),
    ],
)
def test_the_second_reading_agrees_with_the_documentation_of_github(
    pattern: str, path: str, matches: bool
) -> None:
    lines = read_codeowners(f"# comment\n\n{pattern} @me\n")
    assert owners_on_github(lines, path) == (("@me",) if matches else ())
