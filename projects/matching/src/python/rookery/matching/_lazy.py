"""What is looked at only in posts that some rule may match: the costlier leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from rookery.matching._columns import has, languages
from rookery.matching._eager import SIGNS
from rookery.matching._evidence import Evidence, Places, Words, spread
from rookery.matching._leaves import Edge, Group, Has, Near, Regex
from rookery.matching._lowered import parts
from rookery.matching._program import Integers, Program
from rookery.text import fold

_NO_PLACES: Final = Places.of([])
_NO_PAIRS: Final[Integers] = np.empty(0, np.int64)


class Lazy:
    """Evaluates the lazy atoms of a program.

    Args:
        program: The program.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        atoms = len(program.keys)
        # By atom: the phrase of an edge, and which sides it asks for.
        self._phrase = np.zeros(atoms, np.int64)
        self._start = np.zeros(atoms, np.bool_)
        self._end = np.zeros(atoms, np.bool_)
        # How many characters of a phrase stand before its first word.
        self._signed = np.zeros(atoms, np.int64)
        for leaf in program.leaves.values():
            for key in parts(leaf):
                self._signed[program.numbers[key]] = key[1:2] in tuple(SIGNS)
        for atom in program.groups[Group.EDGE]:
            leaf = program.leaves[program.keys[atom]]
            if isinstance(leaf, Edge):
                self._phrase[atom] = program.numbers[leaf.phrase.key]
                self._start[atom], self._end[atom] = leaf.start, leaf.end

    def look(
        self, posts: pa.RecordBatch, evidence: Evidence, pairs: Integers
    ) -> Evidence:
        """Looks at pairs of post and lazy atom.

        Args:
            posts: The posts.
            evidence: What is known of them.
            pairs: The pairs, in order, each once.

        Returns:
            What of that is true.
        """
        program = self._program
        row, atom = np.divmod(pairs, evidence.atoms)
        possible = self._possible(evidence, row, atom)
        row, atom = row[possible], atom[possible]
        places: list[Places] = []
        others: list[Integers] = []
        for group, look in self._looks().items():
            members = program.groups[group]
            chosen = (atom >= members.start) & (atom < members.stop)
            if chosen.any():
                found, more = look(posts, evidence, row[chosen], atom[chosen])
                places.append(found)
                others.append(more)
        return Evidence.of(
            program, Places.joined(places), np.concatenate([_NO_PAIRS, *others])
        )

    def _possible(self, evidence: Evidence, row: Integers, atom: Integers) -> Any:
        """Tells of which pairs a trigger is true, if there is one."""
        triggers = self._program.triggers
        index, owner = triggers.places(atom)
        there = evidence.holds(row[owner], triggers.values[index])
        counted = np.bincount(owner[there], minlength=len(atom)) > 0
        return counted | (triggers.first[atom] == triggers.first[atom + 1])

    def _looks(self) -> dict[Group, _Look]:
        return {
            Group.EDGE: self._edges,
            Group.NEAR: self._nears,
            Group.REGEX: self._regexes,
            Group.LANGUAGE: self._languages,
            Group.HAS: self._has,
        }

    def _edges(
        self, posts: pa.RecordBatch, evidence: Evidence, row: Integers, atom: Integers
    ) -> tuple[Places, Integers]:
        place, owner = spread(evidence, row, self._phrase[atom])
        row, atom = row[owner], atom[owner]
        start, end = evidence.start[place], evidence.end[place]
        words = Words(posts.column("text"), row)
        number, _ = words.at(row, start + self._signed[self._phrase[atom]])
        fits = ~self._start[atom] | words.is_first(row, number)
        fits &= ~self._end[atom] | words.ends_last(row, end)
        return Places(row, atom, start, end).where(fits), _NO_PAIRS

    def _nears(
        self, posts: pa.RecordBatch, evidence: Evidence, row: Integers, atom: Integers
    ) -> tuple[Places, Integers]:
        places: list[tuple[int, int, int, int]] = []
        words = Words(posts.column("text"), row)
        for one_row, one_atom in zip(row.tolist(), atom.tolist(), strict=True):
            leaf = self._program.leaves[self._program.keys[one_atom]]
            if not isinstance(leaf, Near):
                continue
            wanted = [
                self._program.numbers[f"{Group.PHRASE}{word}"] for word in leaf.words
            ]
            distinct = np.array(list(dict.fromkeys(wanted)), np.int64)
            rows = np.full(len(distinct), one_row)
            if not evidence.holds(rows, distinct).all():
                continue
            place, owner = spread(evidence, rows, distinct)
            start = evidence.start[place]
            number, _ = words.at(rows[owner], start + self._signed[distinct[owner]])
            order = np.argsort(number, kind="stable")
            needs = [wanted.count(each) for each in distinct.tolist()]
            for first, last in windows(
                number[order].tolist(), owner[order].tolist(), needs, leaf.distance
            ):
                begin, end = place[order[first]], place[order[last]]
                places.append(
                    (
                        one_row,
                        one_atom,
                        int(evidence.start[begin]),
                        int(evidence.end[end]),
                    )
                )
        return Places.of(places), _NO_PAIRS

    def _regexes(
        self, posts: pa.RecordBatch, evidence: Evidence, row: Integers, atom: Integers
    ) -> tuple[Places, Integers]:
        places: list[tuple[int, int, int, int]] = []
        texts = posts.column("text")
        folded = {one: fold(texts[one].as_py()) for one in set(row.tolist())}
        order = np.argsort(atom, kind="stable")
        row, atom = row[order], atom[order]
        begins = np.flatnonzero(np.diff(atom, prepend=-1))
        for begin, end in zip(begins, [*begins[1:], len(atom)], strict=True):
            one = int(atom[begin])
            leaf = self._program.leaves[self._program.keys[one]]
            rows = row[begin:end].tolist()
            if isinstance(leaf, Regex):
                found = leaf.pattern.search([folded[each] for each in rows])
                places += [
                    (each, one, *span)
                    for each, span in zip(rows, found, strict=True)
                    if span is not None
                ]
        return Places.of(places), _NO_PAIRS

    def _languages(
        self, posts: pa.RecordBatch, evidence: Evidence, row: Integers, atom: Integers
    ) -> tuple[Places, Integers]:
        rows, index = np.unique(row, return_inverse=True)
        spoken = languages(posts, rows)
        codes = {language: code for code, language in enumerate(dict.fromkeys(spoken))}
        code = np.array([codes[language] for language in spoken], np.int64)[index]
        # Few pairs of a language and what is asked for occur.
        asked, of = np.unique(atom * len(codes) + code, return_inverse=True)
        names = list(codes)
        fits = np.array(
            [
                _is_in(names[number % len(codes)], self._payload(number // len(codes)))
                for number in asked.tolist()
            ],
            np.bool_,
        )[of]
        return _NO_PLACES, row[fits] * evidence.atoms + atom[fits]

    def _has(
        self, posts: pa.RecordBatch, evidence: Evidence, row: Integers, atom: Integers
    ) -> tuple[Places, Integers]:
        pairs: list[Integers] = []
        for one in np.unique(atom).tolist():
            rows = row[atom == one]
            kept = rows[has(posts, rows, Has(self._payload(one)))]
            pairs.append(kept * evidence.atoms + one)
        return _NO_PLACES, np.concatenate(pairs)

    def _payload(self, atom: int) -> str:
        return self._program.keys[atom][1:]


_Look = Callable[
    [pa.RecordBatch, Evidence, Integers, Integers], tuple[Places, Integers]
]


def windows(
    numbers: list[int], kinds: list[int], needs: list[int], distance: int
) -> list[tuple[int, int]]:
    """Finds the smallest stretches of words that have all that are wanted.

    Args:
        numbers: The place of each word among the words of its text, ascending.
        kinds: Which of the wanted words it is.
        needs: For each of these, how often it is wanted.
        distance: How many other words a stretch may have.

    Returns:
        First and last index of each stretch; none of them contains another.
    """
    total = sum(needs)
    missing = list(needs)
    lacking = len(needs)
    found: list[tuple[int, int]] = []
    first = 0
    for last, kind in enumerate(kinds):
        missing[kind] -= 1
        lacking -= missing[kind] == 0
        while missing[kinds[first]] < 0:
            missing[kinds[first]] += 1
            first += 1
        if lacking:
            continue
        if numbers[last] - numbers[first] + 1 - total <= distance:
            found.append((first, last))
        # What contains this one is no smallest stretch: go on without its first word.
        missing[kinds[first]] += 1
        lacking += 1
        first += 1
    return found


def _is_in(language: str | None, asked: str) -> bool:
    return language is not None and f"{language}-".startswith(f"{asked}-")
