"""What can be wrong with the owners of a repository, each with what to do about it."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Optional

from rookery.owners._compile import compile_codeowners
from rookery.owners._globs import compile_globs
from rookery.owners._model import ANYONE, OwnersFile, Rule
from rookery.owners._tree import OwnersTree

# A longer diff or list is cut: the command that repairs it is what matters.
SHOWN = 60


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: `stale`, `unknown`, `unowned` or `unreachable`.
        where: A file, or `path:line`.
        what: What is wrong there.
        remedy: What to do.
        detail: More lines, such as a diff.
    """

    kind: str
    where: str
    what: str
    remedy: str
    detail: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The problem as a person reads it."""
        first = f"{self.where}: {self.kind}: {self.what}; {self.remedy}"
        return "\n".join((first, *(f"    {line}" for line in self.detail)))


def check(
    tree: OwnersTree,
    paths: Iterable[str],
    handles: Optional[Mapping[str, str]],
    codeowners: Optional[str],
    *,
    target: str = ".github/CODEOWNERS",
    handles_path: str = "tools/owners/handles.toml",
) -> list[Problem]:
    """Checks the owners of a repository.

    Owners that cannot be compiled at all are a `CompileError`.

    Args:
        tree: The OWNERS files.
        paths: Every tracked file.
        handles: The handle by e-mail address, or None if any address will do.
        codeowners: The text of the CODEOWNERS file, or None if there is none.
        target: Where that file is, for messages.
        handles_path: Where the handles are, for messages.

    Returns:
        The problems, none if all is well.
    """
    files = sorted(set(paths))
    problems = [] if handles is None else _unknown(tree, handles, handles_path)
    problems += _unowned(tree, files)
    problems += _unreachable(tree, files)
    wanted = compile_codeowners(tree, files, handles or {})
    problems += _stale(wanted, codeowners, target)
    return problems


def _unknown(
    tree: OwnersTree, handles: Mapping[str, str], handles_path: str
) -> list[Problem]:
    found: dict[tuple[str, str], None] = {}
    for file in tree.files.values():
        for grant in (*file.grants, *(g for rule in file.rules for g in rule.grants)):
            if grant.owner != ANYONE and grant.owner not in handles:
                found[grant.source, grant.owner] = None
    return [
        Problem(
            "unknown",
            source,
            f"nobody is known as {owner}",
            f"correct the address or add it to {handles_path}",
        )
        for source, owner in found
    ]


def _unowned(tree: OwnersTree, files: Iterable[str]) -> list[Problem]:
    owned: dict[tuple[tuple[OwnersFile, ...], str], bool] = {}
    problems: list[Problem] = []
    for path in files:
        folder, name = posixpath.split(path)
        chain = tree.chain(folder)
        key = chain, name if tree.special(chain).fullmatch(name) else ""
        if key not in owned:
            owned[key] = bool(tree.decide(path).owners)
        if not owned[key]:
            problems.append(
                Problem(
                    "unowned",
                    path,
                    "nobody owns this file",
                    f"add an owner, or `*` for anyone, to {_nearest(chain, folder)}",
                )
            )
    return problems


def _nearest(chain: tuple[OwnersFile, ...], folder: str) -> str:
    return chain[0].path if chain else posixpath.join(folder, "OWNERS")


def _unreachable(tree: OwnersTree, files: Iterable[str]) -> list[Problem]:
    names: dict[tuple[OwnersFile, ...], set[str]] = {}
    for path in files:
        folder, name = posixpath.split(path)
        chain = tree.chain(folder)
        if tree.special(chain).fullmatch(name):
            names.setdefault(chain, set()).add(name)
    reached: set[Rule] = set()
    for chain, special in names.items():
        for name in special:
            reached |= _reached(chain, name)
    return [
        Problem(
            "unreachable",
            rule.source,
            f"per-file {rule.text} decides about no tracked file",
            "correct the glob or remove the line",
        )
        for _, file in sorted(tree.files.items())
        for rule in file.rules
        if rule not in reached
    ]


def _reached(chain: tuple[OwnersFile, ...], name: str) -> set[Rule]:
    reached: set[Rule] = set()
    for file in chain:
        matched = {
            rule for rule in file.rules if compile_globs(rule.globs).fullmatch(name)
        }
        reached |= matched
        if any(rule.noparent for rule in matched):
            break
    return reached


def _stale(wanted: str, present: Optional[str], target: str) -> list[Problem]:
    remedy = "run `./pants run tools/owners -- compile` and commit the file"
    if present is None:
        return [Problem("stale", target, "there is no such file", remedy)]
    if present == wanted:
        return []
    diff = list(
        difflib.unified_diff(
            present.splitlines(),
            wanted.splitlines(),
            "committed",
            "compiled",
            "",
            "",
            1,
        )
    )
    diff = [line.rstrip("\n") for line in diff]
    if len(diff) > SHOWN:
        diff[SHOWN:] = [f"... {len(diff) - SHOWN} more lines"]
    what = "it is not what the OWNERS files say"
    return [Problem("stale", target, what, remedy, tuple(diff))]
