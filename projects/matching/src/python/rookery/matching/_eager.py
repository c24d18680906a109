"""What is looked for in all posts of a batch at once: text, author, source, addresses."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from rookery.matching._evidence import Evidence, Places, Words, distinct
from rookery.matching._leaves import Group
from rookery.matching._program import Integers, Program
from rookery.text import PhraseTable, entities, fold

# How a sign before the beginning of a word may be written.
_SPELLINGS: Final = {"": ("",), "#": ("#", "＃"), "@": ("@", "＠"), "$": ("$",)}
SIGNS: Final = "#@$"


class Eager:
    """The tables in which the eager atoms of a program are looked up.

    Args:
        program: The program.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._phrases = PhraseTable.build(program.payloads(Group.PHRASE))
        characters = program.payloads(Group.CHARACTERS)
        self._direct = len(characters)
        # A prefix is characters that begin where a word does.
        beginnings: list[str] = []
        owner: list[int] = []
        signed: list[int] = []
        for atom in program.groups[Group.PREFIX]:
            prefix = program.keys[atom][1:]
            sign = prefix[0] if prefix[0] in SIGNS else ""
            for spelling in _SPELLINGS[sign]:
                beginnings.append(spelling + prefix[len(sign) :])
                owner.append(atom)
                signed.append(len(sign))
        self._prefix = np.array(owner, np.int64)
        self._signed = np.array(signed, np.int64)
        self._characters = PhraseTable.build(characters + beginnings, boundaries=False)
        self._addresses = PhraseTable.build(program.payloads(Group.ADDRESS))

    def find(self, posts: pa.RecordBatch) -> Evidence:
        """Finds all eager atoms.

        Args:
            posts: Posts.

        Returns:
            What is true of them.
        """
        program = self._program
        texts = posts.column("text")
        places = self._in_text(texts)
        others: list[Integers] = []
        for column, group in (("author", Group.AUTHOR), ("source", Group.SOURCE)):
            if program.groups[group]:
                others.append(self._equal(posts.column(column), group))
        if program.groups[Group.ADDRESS]:
            others.append(self._linked(posts))
        if program.groups[Group.ALWAYS]:
            atom = program.groups[Group.ALWAYS].start
            others.append(np.arange(posts.num_rows) * len(program.keys) + atom)
        nothing = np.empty(0, np.int64)
        return Evidence.of(program, places, np.concatenate([nothing, *others]))

    def _in_text(self, texts: pa.Array[Any]) -> Places:
        parts: list[Places] = []
        first = self._program.groups[Group.PHRASE].start
        for table, shift in (
            (self._phrases, first),
            (self._characters, self._program.groups[Group.CHARACTERS].start),
        ):
            if len(table):
                hits = table.find(texts)
                parts.append(
                    Places(
                        hits.row.astype(np.int64),
                        hits.phrase.astype(np.int64) + shift,
                        hits.start.astype(np.int64),
                        hits.end.astype(np.int64),
                    )
                )
        if len(self._prefix):
            found = parts.pop()
            limit = self._program.groups[Group.CHARACTERS].start + self._direct
            parts.append(found.where(found.atom < limit))
            parts.append(self._beginnings(texts, found, limit))
        return parts[0] if len(parts) == 1 else Places.joined(parts)

    def _beginnings(self, texts: pa.Array[Any], found: Places, limit: int) -> Places:
        """Keeps the characters with which a word begins; the place is the whole word."""
        found = found.where(found.atom >= limit)
        number = found.atom - limit
        words = Words(texts, found.row)
        word, begins = words.at(found.row, found.start + self._signed[number])
        atom = self._prefix[number]
        kept = Places(found.row, atom, found.start, words.end(word)).where(begins)
        # Two spellings of a sign are two tables' worth of order.
        order = np.lexsort((kept.start, kept.atom, kept.row))
        return Places(
            kept.row[order], kept.atom[order], kept.start[order], kept.end[order]
        )

    def _equal(self, column: pa.Array[Any], group: Group) -> Integers:
        program = self._program
        atoms = dict(zip(program.payloads(group), program.groups[group], strict=True))
        encoded: Any = column.dictionary_encode()
        names: list[str] = encoded.dictionary.to_pylist()
        atom_of = np.array([-1, *(atoms.get(fold(name), -1) for name in names)])
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        atom = atom_of[codes.astype(np.int64) + 1]
        row = np.flatnonzero(atom >= 0)
        pairs: Integers = row * len(program.keys) + atom[row]
        return pairs

    def _linked(self, posts: pa.RecordBatch) -> Integers:
        """Finds parts of addresses, in `links` and in the text."""
        first = self._program.groups[Group.ADDRESS].start
        pairs: list[Integers] = []
        columns: list[Any] = [
            posts.column("links"),
            entities(posts.column("text")).urls,
        ]
        for lists in columns:
            sizes = np.asarray(lists.value_lengths().fill_null(0)).astype(np.int64)
            owner = np.repeat(np.arange(len(sizes)), sizes)
            hits = self._addresses.find(lists.flatten())
            row = owner[hits.row]
            pairs.append(row * len(self._program.keys) + hits.phrase + first)
        return distinct(np.sort(np.concatenate(pairs)))
