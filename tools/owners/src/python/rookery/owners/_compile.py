"""From OWNERS files, which inherit, to CODEOWNERS lines, where the last match decides.

Since globs are about file names and hold in all folders below, who owns a file depends
on two things only: which OWNERS files count in its folder (its chain), and its name.
So each folder whose chain gives other owners than its parent's becomes a block: a line
for the folder, then a line for each glob that holds there, wide globs before narrow
ones, each with all its owners. A block overrides the blocks of the folders above it.

Lines cannot say everything: where a name matches two globs of which neither covers the
other, both lines lack owners of the other. Therefore the lines are applied to every
tracked file, and a file with other owners than its OWNERS files say gets a line of its
own at the end. What is left after that has no CODEOWNERS file, and is an error.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from rookery.owners._codeowners import (
    MAX_BYTES,
    Line,
    Matcher,
    escape,
    render,
    translate,
)
from rookery.owners._errors import CompileError
from rookery.owners._globs import compile_globs, covers
from rookery.owners._model import OwnersFile, Rule
from rookery.owners._tree import OwnersTree, resolve

HEADER = """\
Generated from the OWNERS files. Do not edit: change the OWNERS file, then run
./pants run tools/owners -- compile"""

Chain = tuple[OwnersFile, ...]
Block = tuple[tuple[str, tuple[str, ...]], ...]


class Ownership:
    """Who owns each of many files, computed once per chain and file name.

    Args:
        tree: The OWNERS files.
        handles: The handle by e-mail address.
    """

    def __init__(self, tree: OwnersTree, handles: Mapping[str, str]) -> None:
        self._tree = tree
        self._handles = handles
        self._plain: dict[Chain, tuple[str, ...]] = {}
        self._blocks: dict[Chain, Block] = {}
        self._named: dict[tuple[Chain, str], tuple[str, ...]] = {}

    def of(self, path: str) -> tuple[str, ...]:
        """Returns what the CODEOWNERS file has to name for a file.

        Args:
            path: The file, from the root of the repository.

        Returns:
            Handles and addresses, sorted; empty if nobody need approve.
        """
        folder, _, name = path.rpartition("/")
        chain = self._tree.chain(folder)
        if not self._tree.special(chain).fullmatch(name):
            return self.plain(chain)
        known = self._named.get((chain, name))
        if known is None:
            known = translate(self._tree.decide(path).owners, self._handles)
            self._named[chain, name] = known
        return known

    def plain(self, chain: Chain) -> tuple[str, ...]:
        """Returns the owners of the files that no `per-file` line is about."""
        known = self._plain.get(chain)
        if known is None:
            known = translate(resolve(chain, lambda _: False)[0], self._handles)
            self._plain[chain] = known
        return known

    def block(self, chain: Chain) -> Block:
        """Returns the globs that hold along a chain, with the owners of each.

        Args:
            chain: The OWNERS files that count.

        Returns:
            Globs and owners, a glob after those that cover it.
        """
        known = self._blocks.get(chain)
        if known is not None:
            return known
        globs = {glob for file in chain for rule in file.rules for glob in rule.globs}
        wider = {glob: sum(covers(other, glob) for other in globs) for glob in globs}
        lines: list[tuple[str, tuple[str, ...]]] = []
        for glob in sorted(globs, key=lambda glob: (wider[glob], glob)):

            def about(rule: Rule, glob: str = glob) -> bool:
                return any(covers(other, glob) for other in rule.globs)

            owners = translate(resolve(chain, about)[0], self._handles)
            # The first lines may be left out if they repeat the line of the folder.
            if lines or owners != self.plain(chain):
                lines.append((glob, owners))
        self._blocks[chain] = tuple(lines)
        return self._blocks[chain]


def compile_lines(
    tree: OwnersTree, paths: Iterable[str], handles: Mapping[str, str]
) -> tuple[Line, ...]:
    """Compiles OWNERS files into the lines of a CODEOWNERS file.

    Args:
        tree: The OWNERS files.
        paths: Every tracked file, from the root of the repository.
        handles: The handle by e-mail address; who is not in it stays an address.

    Returns:
        The lines, the same for the same input.

    Raises:
        CompileError: No CODEOWNERS file says the same.
    """
    files = sorted(set(paths))
    ownership = Ownership(tree, handles)
    blocks = _blocks(tree, files, ownership)
    lines = blocks
    single: set[str] = set()
    while wrong := set(_wrong(lines, files, ownership)):
        if wrong <= single:
            raise CompileError(
                f"{min(wrong)}: no CODEOWNERS line can tell this file from one with "
                "another name and other owners, since GitHub has no way to write a "
                "character of its name; rename the file or give both the same owners"
            )
        single |= wrong
        # A path with a wildcard for a character that cannot be written comes first: the
        # files that it matches as well, now or in the next round, come after it.
        order = sorted(single, key=lambda path: ("?" not in escape(path), path))
        lines = blocks + [
            Line(path, ownership.of(path), exact=True, source="overlapping globs")
            for path in order
        ]
    return tuple(lines)


def compile_codeowners(
    tree: OwnersTree, paths: Iterable[str], handles: Mapping[str, str]
) -> str:
    """Compiles OWNERS files into a CODEOWNERS file.

    Args:
        tree: The OWNERS files.
        paths: Every tracked file, from the root of the repository.
        handles: The handle by e-mail address; who is not in it stays an address.

    Returns:
        The text of the file.

    Raises:
        CompileError: No CODEOWNERS file says the same, or it would be too large.
    """
    text = render(compile_lines(tree, paths, handles), HEADER)
    size = len(text.encode("utf-8"))
    if size > MAX_BYTES:
        raise CompileError(
            f"the CODEOWNERS file would have {size:,} bytes, and GitHub ignores one "
            f"with more than {MAX_BYTES:,}; use fewer `per-file` lines, or teams "
            "instead of people"
        )
    return text


def _blocks(tree: OwnersTree, files: Iterable[str], ownership: Ownership) -> list[Line]:
    lines: list[Line] = []
    # What the lines so far say about each folder: that of its parent, if it has none.
    holds: dict[str, Chain] = {}
    for folder in _folders(tree, files):
        chain = tree.chain(folder)
        above = holds.get(posixpath.dirname(folder)) if folder else None
        holds[folder] = chain
        if above is not None and _same(ownership, chain, above):
            name = posixpath.basename(folder)
            globs = tuple(glob for glob, _ in ownership.block(above))
            # GitHub takes a glob that matches a folder for all that is in it.
            if not compile_globs(globs).fullmatch(name):
                continue
        source = chain[0].path if chain else ""
        if above is None or not _adds_globs_only(ownership, chain, above):
            lines.append(Line(folder, ownership.plain(chain), source=source))
        lines += [
            Line(folder, owners, glob=glob, source=source)
            for glob, owners in ownership.block(chain)
        ]
    return lines


def _same(ownership: Ownership, chain: Chain, above: Chain) -> bool:
    if chain is above:
        return True
    return ownership.plain(chain) == ownership.plain(above) and ownership.block(
        chain
    ) == ownership.block(above)


def _adds_globs_only(ownership: Ownership, chain: Chain, above: Chain) -> bool:
    return ownership.plain(chain) == ownership.plain(above) and not ownership.block(
        above
    )


def _folders(tree: OwnersTree, files: Iterable[str]) -> list[str]:
    found = {""}
    for folder in {path.rpartition("/")[0] for path in files}.union(tree.files):
        while folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return sorted(found, key=lambda folder: folder.split("/") if folder else [])


def _wrong(
    lines: Iterable[Line], files: Iterable[str], ownership: Ownership
) -> list[str]:
    said = list(lines)
    matcher = Matcher(said)
    wrong: list[str] = []
    for path in files:
        number = matcher.deciding(path)
        owners = said[number].owners if number is not None else ()
        if owners != ownership.of(path):
            wrong.append(path)
    return wrong
