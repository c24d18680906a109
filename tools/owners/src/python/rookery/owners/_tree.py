"""All OWNERS files of a repository, and what they say about any path."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Optional, Pattern

from rookery.owners._errors import OwnersSyntaxError
from rookery.owners._globs import compile_globs
from rookery.owners._model import (
    Decision,
    Grant,
    OwnersFile,
    Rule,
    Step,
)
from rookery.owners._parse import Statement, parse_owners

NAME = "OWNERS"


class OwnersTree:
    """The OWNERS files of a repository.

    A file that cannot be read, or imports what is not there, is an `OwnersSyntaxError`.

    Args:
        paths: The OWNERS files, from the root of the repository.
        read: Returns the text of any file of the repository, or None if there is none.
    """

    def __init__(
        self, paths: Iterable[str], read: Callable[[str], Optional[str]]
    ) -> None:
        self._read = read
        self._statements: dict[str, list[Statement]] = {}
        self._files: dict[str, OwnersFile] = {}
        for path in sorted(set(paths)):
            file = self._load(path)
            self._files[file.folder] = file
        self._chains: dict[str, tuple[OwnersFile, ...]] = {}
        self._filters: dict[tuple[OwnersFile, ...], Pattern[str]] = {}

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> OwnersTree:
        """Builds a tree from files that are already in memory.

        Args:
            texts: The contents by path; those named OWNERS count, others can be
                imported.

        Returns:
            The tree.
        """
        found = [path for path in texts if posixpath.basename(path) == NAME]
        return cls(found, texts.get)

    @property
    def files(self) -> Mapping[str, OwnersFile]:
        """The OWNERS files by the folder they govern."""
        return self._files

    def chain(self, folder: str) -> tuple[OwnersFile, ...]:
        """Returns the OWNERS files that count in a folder.

        Args:
            folder: From the root of the repository; empty for the root.

        Returns:
            The nearest first, up to the first with `set noparent` or the root. Folders
            with the same files get the same tuple.
        """
        known = self._chains.get(folder)
        if known is not None:
            return known
        above: tuple[OwnersFile, ...] = ()
        if folder:
            above = self.chain(posixpath.dirname(folder))
        file = self._files.get(folder)
        if file is not None:
            above = (file,) if file.noparent else (file, *above)
        self._chains[folder] = above
        return above

    def decide(self, path: str) -> Decision:
        """Works out who owns a file.

        Args:
            path: From the root of the repository; the file need not exist.

        Returns:
            The owners, with the lines that decided.
        """
        name = posixpath.basename(path)
        chain = self.chain(posixpath.dirname(path))
        return Decision(path, *resolve(chain, _named(name)))

    def special(self, chain: tuple[OwnersFile, ...]) -> Pattern[str]:
        """Returns what matches the file names that some `per-file` line is about.

        Args:
            chain: As `chain` returns it.

        Returns:
            An expression for `fullmatch`.
        """
        found = self._filters.get(chain)
        if found is None:
            globs = [
                glob for file in chain for rule in file.rules for glob in rule.globs
            ]
            found = compile_globs(tuple(dict.fromkeys(globs)))
            self._filters[chain] = found
        return found

    def _load(self, path: str) -> OwnersFile:
        grants, rules, stops = self._collect(path, (path,), everything=True)
        return OwnersFile(
            path=path,
            folder=posixpath.dirname(path),
            grants=grants,
            rules=rules,
            noparent=bool(stops),
            noparent_source=stops,
        )

    def _collect(
        self, path: str, seen: tuple[str, ...], *, everything: bool
    ) -> tuple[tuple[Grant, ...], tuple[Rule, ...], str]:
        # `file:` takes the owners of a folder alone, `include` takes everything. What
        # imports itself, in a circle, adds nothing the second time.
        grants: list[Grant] = []
        rules: list[Rule] = []
        stops = ""
        for line in self._parsed(path):
            source = f"{path}:{line.line}"
            if line.globs:
                if everything:
                    rules.append(self._rule(line, path, source))
            elif line.kind == "noparent":
                stops = stops or (source if everything else "")
            elif line.kind == "owners":
                grants += _grants(line, source)
            else:
                target = self._target(line, path)
                if target in seen:
                    continue
                deeper = everything and line.kind == "include"
                more = self._collect(target, (*seen, target), everything=deeper)
                via = f" (through {source})"
                grants += [
                    replace(grant, source=grant.source + via) for grant in more[0]
                ]
                rules += [replace(rule, source=rule.source + via) for rule in more[1]]
                stops = stops or (more[2] and more[2] + via)
        return tuple(grants), tuple(rules), stops

    def _rule(self, line: Statement, path: str, source: str) -> Rule:
        grants: list[Grant] = []
        if line.kind == "owners":
            grants += _grants(line, source)
        elif line.kind == "file":
            target = self._target(line, path)
            more = self._collect(target, (target,), everything=False)
            via = f" (through {source})"
            grants += [replace(grant, source=grant.source + via) for grant in more[0]]
        return Rule(
            text=line.globs,
            globs=line.expanded,
            grants=tuple(grants),
            noparent=line.kind == "noparent",
            source=source,
        )

    def _target(self, line: Statement, path: str) -> str:
        written = line.target
        folder = "" if written.startswith("/") else posixpath.dirname(path)
        target = posixpath.normpath(posixpath.join(folder, written.lstrip("/")))
        if target.startswith("../") or self._read(target) is None:
            raise OwnersSyntaxError.at(
                path,
                line.line,
                f"imports {written}, and there is no file {target}; correct the path "
                "(`//` begins at the root of the repository)",
            )
        return target

    def _parsed(self, path: str) -> list[Statement]:
        found = self._statements.get(path)
        if found is None:
            found = parse_owners(self._read(path) or "", path)
            self._statements[path] = found
        return found


def resolve(
    chain: tuple[OwnersFile, ...], matches: Callable[[Rule], bool]
) -> tuple[tuple[str, ...], tuple[Step, ...]]:
    """Adds up the owners along a chain.

    A `per-file` line that matches adds its owners to those of the folder; one that says
    `set noparent` takes away those of its own folder and of all above.

    Args:
        chain: The OWNERS files, the nearest first.
        matches: Whether a `per-file` line is about the file in question.

    Returns:
        The owners, sorted, and the lines that gave them, the nearest first.
    """
    steps: list[Step] = []
    for distance, file in enumerate(chain):
        matched = [rule for rule in file.rules if matches(rule)]
        stops = [rule for rule in matched if rule.noparent]
        steps += [
            Step(
                rule.source,
                f"per-file {rule.text}",
                _owners(rule.grants),
                distance,
                all(grant.last_resort for grant in rule.grants),
            )
            for rule in matched
            if not rule.noparent
        ]
        if stops:
            says = f"per-file {stops[0].text} = set noparent: nobody else counts"
            steps.append(Step(stops[0].source, says, (), distance))
            break
        says = "owns the folder" if file.folder else "owns the repository"
        steps += [
            Step(grant.source, says, (grant.owner,), distance, grant.last_resort)
            for grant in file.grants
        ]
        if file.noparent:
            says = "set noparent: nobody further up counts"
            steps.append(Step(file.noparent_source, says, (), distance))
            break
    owners = {owner for step in steps for owner in step.owners}
    return tuple(sorted(owners)), tuple(steps)


def _named(name: str) -> Callable[[Rule], bool]:
    return lambda rule: compile_globs(rule.globs).fullmatch(name) is not None


def _owners(grants: tuple[Grant, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(grant.owner for grant in grants))


def _grants(line: Statement, source: str) -> list[Grant]:
    return [Grant(owner, source, line.last_resort) for owner in line.owners]
