"""A rule set compiled: what all rules look for is there once, as a number, an atom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rookery.matching._language._leaves import EAGER, LAZY, Group
from rookery.matching._language._lowered import Lowered, rarest
from rookery.matching._language._pattern import parse_pattern
from rookery.text import Layout

Integers = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Program:
    """Compiled rules.

    Attributes:
        keys: The key of each atom; those of a group stand together, the eager first.
        numbers: The atom of each key.
        groups: The atoms of each group.
        layout: The rules as expressions over atoms.
    """

    keys: tuple[str, ...]
    numbers: dict[str, int]
    groups: dict[Group, range]
    layout: Layout

    def payloads(self, group: Group) -> list[str]:
        """Lists what is looked for by the atoms of a group.

        Args:
            group: The group.

        Returns:
            Their keys without the first character.
        """
        members = self.groups[group]
        return [key[1:] for key in self.keys[members.start : members.stop]]


def near_of(payload: str) -> tuple[int, list[str]]:
    """Reads the key of words near each other.

    Args:
        payload: The key without its first character.

    Returns:
        How many other words may stand among them, and the words, sorted.
    """
    distance, *words = payload.split(" ")
    return int(distance), words


def compile_rules(lowered: Sequence[Lowered]) -> Program:
    """Compiles rules.

    Args:
        lowered: The rules.

    Returns:
        The program.
    """
    leaves = [one.keys for one in lowered]
    anchors = [one.anchors for one in lowered]
    wanted = dict.fromkeys(chain.from_iterable(leaves))
    wanted.update(dict.fromkeys(chain.from_iterable(anchors)))
    for key in list(wanted):
        if key[0] == Group.NEAR:
            wanted.update((Group.PHRASE + word, None) for word in near_of(key[1:])[1])
        elif key[0] == Group.REGEX:
            wanted.update((literal, None) for literal in _literals(key))
    keys, groups = _arranged(wanted)
    numbers = dict(zip(keys, range(len(keys)), strict=True))
    shapes = {one.shape: 0 for one in lowered}
    for number, shape in enumerate(shapes):
        shapes[shape] = number
    nears = _nears(keys, groups[Group.NEAR], numbers)
    layout = Layout(
        atoms=len(keys),
        first_near=groups[Group.NEAR].start,
        open=groups[LAZY[0]].start,
        leaves=_numbered(leaves, numbers),
        shape=_int32([shapes[one.shape] for one in lowered]),
        code=_lists([shape.code for shape in shapes]),
        anchored=_anchored(lowered, anchors, numbers),
        triggers=_lists(
            [
                [numbers[literal] for literal in _literals(key)]
                for key in keys[groups[LAZY[0]].start :]
            ]
        ),
        near=_lists(nears.words),
        distance=_int32(nears.distances),
        near_of=_grouped(
            nears.looked_at, groups[Group.NEAR].start if nears.words else 0
        ),
    )
    return Program(keys, numbers, groups, layout)


def _literals(key: str) -> list[str]:
    """Lists the keys of characters one of which stands where a lazy leaf is true."""
    if key[0] != Group.REGEX:
        return []
    return [Group.CHARACTERS + each for each in parse_pattern(key[1:]).literals]


def _int32(values: Sequence[int]) -> Integers:
    return np.fromiter(values, np.int32, len(values))


def _first(sizes: Integers) -> Integers:
    return np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))).astype(np.int32)


def _lists(lists: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    sizes = np.fromiter(map(len, lists), np.int32, len(lists))
    return _first(sizes), np.fromiter(chain.from_iterable(lists), np.int32)


def _numbered(
    lists: Sequence[tuple[str, ...]], numbers: dict[str, int]
) -> tuple[Integers, Integers]:
    # The bulk of the work, so without a loop in Python.
    first = _first(np.fromiter(map(len, lists), np.int32, len(lists)))
    atoms = map(numbers.__getitem__, chain.from_iterable(lists))
    return first, np.fromiter(atoms, np.int32, int(first[-1]))


def _grouped(owners: Sequence[int], count: int) -> tuple[Integers, Integers]:
    """Lists for each of so many owners what it owns."""
    owner = _int32(owners)
    order = np.argsort(owner, kind="stable").astype(np.int32)
    return _first(np.bincount(owner, minlength=count).astype(np.int32)), order


def _anchored(
    lowered: Sequence[Lowered],
    anchors: Sequence[tuple[str, ...]],
    numbers: dict[str, int],
) -> tuple[Integers, Integers]:
    """Lists for each atom the rules that it anchors, and the guards of these."""
    first, atom = _numbered(anchors, numbers)
    count = len(atom)
    guards = chain.from_iterable([one.guards for one in lowered])
    guard = np.fromiter((numbers.get(key, -1) for key in guards), np.int32, count)
    certain = chain.from_iterable([one.certain for one in lowered])
    rule = np.repeat(np.arange(len(lowered), dtype=np.int32), np.diff(first))
    postings = np.empty((count, 2), np.int32)
    postings[:, 0] = 2 * rule + np.fromiter(certain, np.int32, count)
    postings[:, 1] = guard
    order = np.argsort(atom, kind="stable")
    sizes = np.bincount(atom, minlength=len(numbers)).astype(np.int32)
    return _first(2 * sizes), postings[order].ravel()


class _Nears(NamedTuple):
    words: list[list[int]]
    distances: list[int]
    looked_at: list[int]


def _nears(keys: Sequence[str], members: range, numbers: dict[str, int]) -> _Nears:
    words: list[list[int]] = []
    distances: list[int] = []
    looked_at: list[int] = []
    for atom in members:
        distance, wanted = near_of(keys[atom][1:])
        distances.append(distance)
        words.append(
            [
                number
                for word in dict.fromkeys(wanted)
                for number in (numbers[Group.PHRASE + word], wanted.count(word))
            ]
        )
        looked_at.append(numbers[Group.PHRASE + rarest(wanted)])
    return _Nears(words, distances, looked_at)


def _arranged(wanted: Iterable[str]) -> tuple[tuple[str, ...], dict[Group, range]]:
    """Numbers atoms, group by group."""
    members: dict[str, list[str]] = {group.value: [] for group in (*EAGER, *LAZY)}
    for key in wanted:
        members[key[0]].append(key)
    groups: dict[Group, range] = {}
    first = 0
    for sign, found in members.items():
        groups[Group(sign)] = range(first, first + len(found))
        first += len(found)
    return tuple(chain.from_iterable(members.values())), groups
