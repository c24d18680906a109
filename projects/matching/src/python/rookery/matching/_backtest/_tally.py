"""Sparse counts: how often each of very many keys was there."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

# Distinct keys that are held more than once before they are added up.
_LOOSE: Final = 1_000_000


class Tally:
    """Counts keys, in memory for those that occur."""

    def __init__(self) -> None:
        self._keys: list[Integers] = []
        self._counts: list[Integers] = []
        self._loose = 0
        self._packed = 0

    def add(self, keys: Integers) -> None:
        """Counts some.

        Args:
            keys: int64, from 0, in any order.
        """
        if not len(keys):
            return
        distinct, counts = np.unique(keys, return_counts=True)
        self._keys.append(distinct)
        self._counts.append(counts.astype(np.int64))
        self._loose += len(distinct)
        if self._loose > max(_LOOSE, self._packed):
            self.total()

    def total(self) -> tuple[Integers, Integers]:
        """Adds up.

        Returns:
            int64: the keys in order, and how often each was there.
        """
        if not self._keys:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        if len(self._keys) > 1:
            keys, place = np.unique(np.concatenate(self._keys), return_inverse=True)
            counts = np.zeros(len(keys), np.int64)
            np.add.at(counts, place, np.concatenate(self._counts))
            self._keys, self._counts = [keys], [counts]
        self._loose, self._packed = 0, len(self._keys[0])
        return self._keys[0], self._counts[0]


def ranges(begin: Integers, count: Integers) -> tuple[Integers, Integers]:
    """Writes out ranges.

    Args:
        begin: First number of each.
        count: How many numbers each has.

    Returns:
        The numbers of all, and of which range each is.
    """
    owner = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    return np.arange(len(owner)) - first[owner] + begin[owner], owner


def rank_in_group(groups: Integers) -> Integers:
    """Numbers equal values that follow each other, from 0.

    Args:
        groups: The values.

    Returns:
        int64, one per value.
    """
    if not len(groups):
        return np.empty(0, np.int64)
    first = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    sizes = np.diff(np.r_[first, len(groups)])
    return np.arange(len(groups)) - np.repeat(first, sizes)
