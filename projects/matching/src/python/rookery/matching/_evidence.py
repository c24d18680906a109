"""What is true of the posts of a batch, and where it stands: rows of (post, atom)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from rookery.matching._program import Booleans, Integers, Program, ranges
from rookery.text import tokens

_NOTHING: Final[Integers] = np.empty(0, np.int64)
# More than the characters of any text.
_WIDTH: Final = 1 << 32


@dataclass(frozen=True, eq=False)
class Places:
    """Where atoms stand.

    Attributes:
        row: The post, int64.
        atom: The atom.
        start: Where it begins, in characters.
        end: Where it ends, exclusive.
    """

    row: Integers
    atom: Integers
    start: Integers
    end: Integers

    @classmethod
    def of(cls, places: list[tuple[int, int, int, int]]) -> Places:
        """Makes columns of rows.

        Args:
            places: Post, atom, start and end of each.

        Returns:
            The same.
        """
        columns = np.array(places, np.int64).reshape(-1, 4).T
        return cls(columns[0], columns[1], columns[2], columns[3])

    @classmethod
    def joined(cls, parts: list[Places]) -> Places:
        """Puts places behind each other.

        Args:
            parts: Any number.

        Returns:
            All of them.
        """
        return cls(
            np.concatenate([_NOTHING, *(part.row for part in parts)]),
            np.concatenate([_NOTHING, *(part.atom for part in parts)]),
            np.concatenate([_NOTHING, *(part.start for part in parts)]),
            np.concatenate([_NOTHING, *(part.end for part in parts)]),
        )

    def where(self, chosen: Booleans) -> Places:
        """Keeps some of them.

        Args:
            chosen: Which, bool.

        Returns:
            Those.
        """
        return Places(
            self.row[chosen], self.atom[chosen], self.start[chosen], self.end[chosen]
        )


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a batch; a pair is row * atoms + atom.

    Attributes:
        atoms: How many atoms there are.
        pair: The pair of each place, in order.
        start: Where it begins, in characters.
        end: Where it ends, exclusive.
        true: All pairs that are true, in order, each once: those with places, and those
            that have none, such as fields.
    """

    atoms: int
    pair: Integers
    start: Integers
    end: Integers
    true: Integers

    @classmethod
    def of(cls, program: Program, places: Places, others: Integers) -> Evidence:
        """Sorts what was found.

        Args:
            program: The program whose atoms they are.
            places: Places; those of one pair are in order.
            others: Pairs that are true and have no place.

        Returns:
            The evidence.
        """
        atoms = len(program.keys)
        pair = places.row * atoms + places.atom
        order = np.argsort(pair, kind="stable")
        pair = pair[order]
        true = distinct(pair)
        if len(others):
            true = distinct(np.sort(np.concatenate((true, others))))
        return cls(atoms, pair, places.start[order], places.end[order], true)

    def merged(self, more: Evidence) -> Evidence:
        """Adds what was found out later of other pairs.

        Args:
            more: Evidence of pairs that are not in this one.

        Returns:
            Both.
        """
        if not len(more.true):
            return self
        pair = np.concatenate((self.pair, more.pair))
        order = np.argsort(pair, kind="stable")
        return Evidence(
            self.atoms,
            pair[order],
            np.concatenate((self.start, more.start))[order],
            np.concatenate((self.end, more.end))[order],
            np.sort(np.concatenate((self.true, more.true))),
        )

    def holds(self, row: Integers, atom: Integers) -> Booleans:
        """Tells what is true.

        Args:
            row: Rows.
            atom: As many atoms.

        Returns:
            Whether each atom is true of its row, bool.
        """
        return contains(self.true, row * self.atoms + atom)

    def places(self, row: Integers, atom: Integers) -> tuple[Integers, Integers]:
        """Says where atoms stand.

        Args:
            row: Rows.
            atom: As many atoms.

        Returns:
            For each the first of its places, and how many there are.
        """
        pair = row * self.atoms + atom
        begin = np.searchsorted(self.pair, pair, side="left")
        return begin, np.searchsorted(self.pair, pair, side="right") - begin


class Words:
    """The words of some texts of a batch, found where they begin.

    Args:
        texts: The texts of the batch.
        rows: Those whose words are wanted; one may be there several times.
    """

    def __init__(self, texts: pa.Array[Any], rows: Integers) -> None:
        self._rows = distinct(np.sort(rows))
        found = tokens(texts.take(pa.array(self._rows, pa.int64())))
        local = found.row.astype(np.int64)
        self._key = local * _WIDTH + found.start
        self._end = found.end.astype(np.int64)
        counts = np.bincount(local, minlength=len(self._rows))
        self._first = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)

    def at(self, row: Integers, start: Integers) -> tuple[Integers, Booleans]:
        """Finds words.

        Args:
            row: Rows.
            start: As many places in characters.

        Returns:
            The number of each word, counted over all texts, and whether there is one
            that begins at this place, bool.
        """
        if not len(self._key):
            return np.zeros(len(row), np.int64), np.zeros(len(row), np.bool_)
        key = np.searchsorted(self._rows, row) * _WIDTH + start
        number = np.searchsorted(self._key, key)
        number[number == len(self._key)] = 0
        return number, self._key[number] == key

    def end(self, number: Integers) -> Integers:
        """Returns where words end, in characters."""
        ends: Integers = self._end[number]
        return ends

    def is_first(self, row: Integers, number: Integers) -> Booleans:
        """Tells whether words are the first of their texts."""
        first: Booleans = self._first[np.searchsorted(self._rows, row)] == number
        return first

    def ends_last(self, row: Integers, end: Integers) -> Booleans:
        """Tells whether the last words of texts end at these places."""
        last = self._first[np.searchsorted(self._rows, row) + 1] - 1
        ends: Booleans = self._end[last] == end
        return ends


def spread(
    evidence: Evidence, row: Integers, atom: Integers
) -> tuple[Integers, Integers]:
    """Lists the places of pairs.

    Args:
        evidence: The evidence.
        row: Rows.
        atom: As many atoms.

    Returns:
        Indexes of places, and for each the index of the pair it is of.
    """
    return ranges(*evidence.places(row, atom))


def distinct(ordered: Integers) -> Integers:
    """Keeps one of each; unlike np.unique it knows that equal ones are neighbours."""
    kept: Integers = ordered[np.diff(ordered, prepend=-1) != 0]
    return kept


def contains(ordered: Integers, wanted: Integers) -> Booleans:
    """Tells which of the wanted numbers are among the ordered ones."""
    if not len(ordered):
        return np.zeros(len(wanted), np.bool_)
    place = np.searchsorted(ordered, wanted)
    place[place == len(ordered)] = 0
    found: Booleans = ordered[place] == wanted
    return found
