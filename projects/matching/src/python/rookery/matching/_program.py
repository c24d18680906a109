"""A rule set compiled for evaluation over columns.

What the leaves of all rules look for is there once, as an atom. A rule can only be true of
a post of which one of its anchors is, so only those pairs of post and rule are looked at,
level by level (see `Shape`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from rookery.matching._leaves import EAGER, LAZY, Group, Leaf
from rookery.matching._lowered import Lowered, Shape, parts, triggers

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Lists:
    """A list of numbers for each of many keys, end to end.

    Attributes:
        first: Key to its first entry in `values`; one more than keys, int64.
        values: The lists.
    """

    first: Integers
    values: Integers

    @classmethod
    def of(cls, lists: Iterable[Sequence[int]]) -> Lists:
        """Packs lists.

        Args:
            lists: The list of each key, in the order of the keys.

        Returns:
            The same, packed.
        """
        kept = list(lists)
        sizes = np.fromiter(map(len, kept), np.int64, len(kept))
        first = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        values = np.fromiter(chain.from_iterable(kept), np.int64, int(first[-1]))
        return cls(first, values)

    def places(self, keys: Integers) -> tuple[Integers, Integers]:
        """Says where lists are.

        Args:
            keys: Keys; one may be there several times.

        Returns:
            Indexes into `values`: the list of the first key, of the second, ... And for
            each, the index of its key in `keys`.
        """
        begin = self.first[keys]
        return ranges(begin, self.first[keys + 1] - begin)

    def inverted(self, keys: int) -> Lists:
        """Turns the lists around.

        Args:
            keys: How many keys the result has: one more than the largest value.

        Returns:
            For each value, the keys whose lists have it.
        """
        owner = np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))
        order = np.argsort(self.values, kind="stable")
        sizes = np.bincount(self.values, minlength=keys)
        return Lists(np.concatenate(([0], np.cumsum(sizes))), owner[order])


def ranges(begin: Integers, count: Integers) -> tuple[Integers, Integers]:
    """Writes out ranges.

    Args:
        begin: Where each begins.
        count: How many numbers it has.

    Returns:
        The numbers of all, and for each the range it is of.
    """
    owner = np.repeat(np.arange(len(count)), count)
    before = np.cumsum(count) - count
    return np.arange(len(owner)) + (begin - before)[owner], owner


@dataclass(frozen=True, eq=False)
class Program:
    """Compiled rules.

    Attributes:
        keys: The key of each atom; those of a group stand together, the eager first.
        groups: The atoms of each group.
        numbers: The atom of each key.
        leaves: The lazy leaves, by key.
        terms: For each rule, the atoms of its leaves.
        negated: For each of those, whether it must not be true, bool.
        anchored: For each atom, the rules that it anchors.
        triggers: For each atom, those of which one must be true where it is; none where
            nothing is known.
        certain: For each rule, whether any of its anchors is enough, bool.
        shape: For each rule, the number of its shape.
        height: For each shape, how many levels it has, int64.
        levels: By height, for each level from 1: for each shape the sizes of its groups;
            none where the shape is of another height.
    """

    keys: tuple[str, ...]
    numbers: dict[str, int]
    groups: dict[Group, range]
    leaves: dict[str, Leaf]
    terms: Lists
    negated: Booleans
    anchored: Lists
    triggers: Lists
    certain: Booleans
    shape: Integers
    height: Integers
    levels: dict[int, tuple[Lists, ...]]

    @property
    def lazy(self) -> int:
        """The first atom that is lazy: all behind it are."""
        return self.groups[LAZY[0]].start

    def payloads(self, group: Group) -> list[str]:
        """Lists what is looked for by the atoms of a group.

        Args:
            group: The group.

        Returns:
            Their keys without the first character.
        """
        return [self.keys[atom][1:] for atom in self.groups[group]]


def compile_rules(lowered: Sequence[Lowered]) -> Program:
    """Compiles rules.

    Args:
        lowered: The rules.

    Returns:
        The program.
    """
    lazy = dict(chain.from_iterable(one.lazy for one in lowered if one.lazy))
    needed = {key: triggers(leaf) for key, leaf in lazy.items()}
    terms = [one.keys for one in lowered]
    wanted = dict.fromkeys(chain.from_iterable(terms))
    wanted.update(dict.fromkeys(chain.from_iterable(map(parts, lazy.values()))))
    keys, groups = _arranged(wanted)
    numbers = dict(zip(keys, range(len(keys)), strict=True))
    shapes = {
        shape: number for number, shape in enumerate({one.shape: 0 for one in lowered})
    }
    shape_of = np.fromiter((shapes[one.shape] for one in lowered), np.int64)
    signs = Lists.of(shape.negated for shape in shapes)
    return Program(
        keys=keys,
        numbers=numbers,
        groups=groups,
        leaves=lazy,
        terms=_numbered(terms, numbers),
        negated=signs.values[signs.places(shape_of)[0]].astype(np.bool_),
        anchored=_numbered([one.anchors for one in lowered], numbers).inverted(
            len(keys)
        ),
        triggers=_triggers(keys, groups[LAZY[0]].start, needed, numbers),
        certain=np.fromiter((one.certain for one in lowered), np.bool_),
        shape=shape_of,
        height=np.fromiter((shape.height for shape in shapes), np.int64),
        levels=_levels(tuple(shapes)),
    )


def _numbered(lists: list[tuple[str, ...]], numbers: dict[str, int]) -> Lists:
    sizes = np.fromiter(map(len, lists), np.int64, len(lists))
    first = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    # The bulk of the work, so without a loop in Python.
    atoms = map(numbers.__getitem__, chain.from_iterable(lists))
    return Lists(first, np.fromiter(atoms, np.int64, int(first[-1])))


def _triggers(
    keys: tuple[str, ...],
    lazy: int,
    needed: dict[str, tuple[str, ...]],
    numbers: dict[str, int],
) -> Lists:
    lists = Lists.of(
        [numbers[trigger] for trigger in needed[key]] for key in keys[lazy:]
    )
    # Eager atoms have none.
    return Lists(np.concatenate((np.zeros(lazy, np.int64), lists.first)), lists.values)


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


def _levels(shapes: Sequence[Shape]) -> dict[int, tuple[Lists, ...]]:
    nothing: tuple[int, ...] = ()
    return {
        height: tuple(
            Lists.of(
                shape.sizes[level] if shape.height == height else nothing
                for shape in shapes
            )
            for level in range(height)
        )
        for height in {shape.height for shape in shapes}
    }
