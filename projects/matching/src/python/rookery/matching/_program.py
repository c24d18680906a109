"""A rule set compiled for evaluation over columns.

All terms of all rules become one table of phrases. A rule can only be true of a post in
which one of its anchors stands, so only those pairs of post and rule are looked at, level
by level (see `Lowered`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rookery.matching._expression import Term
from rookery.matching._lowered import Lowered, lower
from rookery.matching._rules import RuleSet

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
        first: list[int] = [0]
        values: list[int] = []
        for one in lists:
            values.extend(one)
            first.append(len(values))
        return cls(np.array(first, np.int64), np.array(values, np.int64))

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
    """A compiled rule set.

    A phrase is what a term looks for; each is there once.

    Attributes:
        words: The phrases that have words, which are found as whole words.
        symbols: The others, which are found anywhere; their numbers follow.
        terms: For each rule, the phrases of its terms.
        negated: For each of those, whether it must not stand in the text, bool.
        anchored: For each phrase, the rules that it anchors.
        certain: For each rule, whether any of its anchors is enough, bool.
        height: For each rule, how many levels it has, int64.
        levels: By height, for each level from 1: for each rule the sizes of its groups;
            none where the rule is of another height.
    """

    words: tuple[str, ...]
    symbols: tuple[str, ...]
    terms: Lists
    negated: Booleans
    anchored: Lists
    certain: Booleans
    height: Integers
    levels: dict[int, tuple[Lists, ...]]


def compile_rules(rules: RuleSet) -> Program:
    """Compiles a rule set.

    Args:
        rules: The rules.

    Returns:
        The program.
    """
    lowered = [lower(rule.expression) for rule in rules.rules]
    distinct: dict[str, Term] = {}
    for one in lowered:
        for term in one.terms:
            distinct.setdefault(term.phrase, term)
    words = [phrase for phrase, term in distinct.items() if not term.is_symbol]
    symbols = [phrase for phrase, term in distinct.items() if term.is_symbol]
    numbers = {phrase: number for number, phrase in enumerate(words + symbols)}
    anchored: list[list[int]] = [[] for _ in numbers]
    for number, one in enumerate(lowered):
        for phrase in {one.terms[clause].phrase for clause in one.anchors}:
            anchored[numbers[phrase]].append(number)
    return Program(
        words=tuple(words),
        symbols=tuple(symbols),
        terms=Lists.of([numbers[term.phrase] for term in one.terms] for one in lowered),
        negated=np.array([sign for one in lowered for sign in one.negated], np.bool_),
        anchored=Lists.of(anchored),
        certain=np.array([one.certain for one in lowered], np.bool_),
        height=np.array([len(one.sizes) for one in lowered], np.int64),
        levels=_levels(lowered),
    )


def _levels(lowered: Sequence[Lowered]) -> dict[int, tuple[Lists, ...]]:
    nothing: tuple[int, ...] = ()
    return {
        height: tuple(
            Lists.of(
                one.sizes[level] if len(one.sizes) == height else nothing
                for one in lowered
            )
            for level in range(height)
        )
        for height in {len(one.sizes) for one in lowered if not one.certain}
    }
