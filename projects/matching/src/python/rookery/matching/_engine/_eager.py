"""What is looked for in all posts of a batch: the tables of all rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from rookery.matching._engine._program import Integers, Longs, Program
from rookery.matching._language._leaves import Group
from rookery.text import PhraseTable, Term, TermKind, entities

_NO_PAIRS: Longs = np.empty(0, np.int64)


def table_of(program: Program) -> PhraseTable:
    """Builds the table of what is looked for in texts.

    Args:
        program: The program.

    Returns:
        The table; the number of a term is that of its atom.
    """
    edges: list[Term] = []
    for payload in program.payloads(Group.EDGE):
        sides, _, phrase = payload.partition(" ")
        edges.append(Term(phrase, TermKind.WORDS, "^" in sides, "$" in sides))
    return PhraseTable.build(
        [
            *program.payloads(Group.PHRASE),
            *_terms(program, Group.CHARACTERS, TermKind.SUBSTRING),
            *_terms(program, Group.PREFIX, TermKind.PREFIX),
            *edges,
        ]
    )


def _terms(program: Program, group: Group, kind: TermKind) -> list[Term]:
    return [Term(payload, kind) for payload in program.payloads(group)]


class Beside:
    """What is true of posts beside their texts: authors, sources, links.

    Args:
        program: The program.
    """

    def __init__(self, program: Program) -> None:
        self._columns = {
            name: (self._whole(program, group), program.groups[group].start)
            for name, group in (("author", Group.AUTHOR), ("source", Group.SOURCE))
            if program.groups[group]
        }
        self._addresses = PhraseTable.build(program.payloads(Group.ADDRESS))
        self._first_address = program.groups[Group.ADDRESS].start
        self._always = program.groups[Group.ALWAYS]

    @staticmethod
    def _whole(program: Program, group: Group) -> PhraseTable:
        """Makes a table of texts that are found only as a whole."""
        return PhraseTable.build(
            [
                Term(payload, TermKind.SUBSTRING, at_start=True, at_end=True)
                for payload in program.payloads(group)
            ]
        )

    def find(self, posts: pa.RecordBatch) -> Longs:
        """Finds what is true.

        Args:
            posts: Posts.

        Returns:
            Pairs of row << 32 | atom, in order, each once.
        """
        parts: list[Longs] = []
        for name, (table, first) in self._columns.items():
            hits = table.find(posts.column(name))
            parts.append(pairs(hits.row, hits.phrase, first))
        if len(self._addresses):
            parts += self._linked(posts)
        for atom in self._always:
            rows = np.arange(posts.num_rows, dtype=np.int32)
            parts.append(pairs(rows, np.zeros_like(rows), atom))
        if not parts:
            return _NO_PAIRS
        return distinct(np.sort(np.concatenate(parts)))

    def _linked(self, posts: pa.RecordBatch) -> list[Longs]:
        """Finds parts of addresses, in `links` and in the text."""
        found: list[Longs] = []
        columns: list[Any] = [
            posts.column("links"),
            entities(posts.column("text")).urls,
        ]
        for lists in columns:
            sizes = np.asarray(lists.value_lengths().fill_null(0)).astype(np.int64)
            owner = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
            hits = self._addresses.find(lists.flatten())
            found.append(pairs(owner[hits.row], hits.phrase, self._first_address))
        return found


def pairs(row: Integers, number: Integers, first: int) -> Longs:
    """Writes rows and atoms as one number each, by which they are sorted.

    Args:
        row: Rows.
        number: As many atoms, counted from the first of their group.
        first: That one.

    Returns:
        Row << 32 | atom of each.
    """
    return (row.astype(np.int64) << 32) + (number.astype(np.int64) + first)


def distinct(ordered: Longs) -> Longs:
    """Keeps one of each; unlike np.unique it knows that equal ones are neighbours.

    Args:
        ordered: Numbers, ascending, none negative.

    Returns:
        The same, each once.
    """
    kept: Longs = ordered[np.diff(ordered, prepend=-1) != 0]
    return kept
