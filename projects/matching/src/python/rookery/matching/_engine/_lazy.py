"""What is looked at only in posts on which it decides: the costlier leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from rookery.matching._engine._columns import has, languages
from rookery.matching._engine._eager import pairs
from rookery.matching._engine._program import Integers, Longs, Program
from rookery.matching._language._leaves import Group, Has
from rookery.matching._language._pattern import parse_pattern
from rookery.text import fold


class Found(NamedTuple):
    """What is true of posts.

    Attributes:
        true: Row << 32 | atom, int64.
        places: Row, atom, start and end of what stands in the text.
    """

    true: Longs
    places: list[tuple[int, int, int, int]]


class Lazy:
    """Evaluates the lazy atoms of a program.

    Args:
        program: The program.
        of_leaf: How many places of one are wanted.
    """

    def __init__(self, program: Program, of_leaf: int) -> None:
        self._program = program
        self._of_leaf = of_leaf

    def look(self, posts: pa.RecordBatch, row: Integers, atom: Integers) -> Found:
        """Looks at pairs of post and lazy atom.

        Args:
            posts: The posts.
            row: The posts that are asked for.
            atom: What is asked of each.

        Returns:
            What of that is true.
        """
        looks: dict[Group, Callable[[pa.RecordBatch, Integers, Integers], Found]] = {
            Group.REGEX: self._regexes,
            Group.LANGUAGE: self._languages,
            Group.HAS: self._has,
        }
        order = np.argsort(atom, kind="stable")
        row, atom = row[order], atom[order]
        found: list[Found] = []
        for group, look in looks.items():
            members = self._program.groups[group]
            begin, end = np.searchsorted(atom, (members.start, members.stop))
            if begin < end:
                found.append(look(posts, row[begin:end], atom[begin:end]))
        return Found(
            np.concatenate([part.true for part in found]),
            [place for part in found for place in part.places],
        )

    def _regexes(self, posts: pa.RecordBatch, row: Integers, atom: Integers) -> Found:
        places: list[tuple[int, int, int, int]] = []
        true: list[Longs] = []
        texts = posts.column("text")
        folded = {one: fold(texts[one].as_py()) for one in set(row.tolist())}
        for one, rows in _by_atom(row, atom):
            pattern = parse_pattern(self._payload(one))
            spans = pattern.search(
                [folded[each] for each in rows.tolist()], self._of_leaf
            )
            for each, some in zip(rows.tolist(), spans, strict=True):
                places += [(each, one, *span) for span in some]
            true.append(_pairs(rows[np.array(list(map(bool, spans)))], one))
        return Found(np.concatenate(true), places)

    def _languages(self, posts: pa.RecordBatch, row: Integers, atom: Integers) -> Found:
        rows, index = np.unique(row, return_inverse=True)
        spoken = np.array([f"{one or ''}-" for one in languages(posts, rows)])[index]
        true: list[Longs] = []
        for one, of in _by_atom(np.arange(len(row), dtype=np.int32), atom):
            fits = np.strings.startswith(spoken[of], f"{self._payload(one)}-")
            true.append(_pairs(row[of][fits], one))
        return Found(np.concatenate(true), [])

    def _has(self, posts: pa.RecordBatch, row: Integers, atom: Integers) -> Found:
        true = [
            _pairs(rows[has(posts, rows, Has(self._payload(one)))], one)
            for one, rows in _by_atom(row, atom)
        ]
        return Found(np.concatenate(true), [])

    def _payload(self, atom: int) -> str:
        return self._program.keys[atom][1:]


def _by_atom(row: Integers, atom: Integers) -> Iterator[tuple[int, Integers]]:
    """Lists the rows of each atom; atoms are ascending."""
    begins = np.flatnonzero(np.diff(atom, prepend=-1))
    for begin, rows in zip(begins, np.split(row, begins[1:]), strict=True):
        yield int(atom[begin]), rows


def _pairs(row: Integers, atom: int) -> Longs:
    return pairs(row, np.zeros_like(row), atom)
