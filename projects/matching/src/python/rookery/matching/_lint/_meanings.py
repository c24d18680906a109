"""What rules mean beside each other: never true, the same, or one within another.

Rules are compared as alternatives, conjunction by conjunction, as far as it is plain from
how they are written: what is found is so, and not all that is so is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rookery.matching._language._expression import Node, Or, leaves
from rookery.matching._language._leaves import Group, Leaf
from rookery.matching._lint._conjunctions import (
    Conjunction,
    alternatives,
    contradiction,
    implied,
)


@dataclass(frozen=True, slots=True)
class Clash:
    """A rule, or one of its alternatives, can never match.

    Attributes:
        one: A leaf that is asked for.
        other: What is asked for beside it, and cannot be.
        whole: Whether no alternative is left.
    """

    one: str
    other: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Cover:
    """Another rule matches wherever this one does.

    Attributes:
        number: The other rule.
        same: Whether both are the same.
    """

    number: int
    same: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """A rule has too many alternatives to be compared."""


Doubt: TypeAlias = Clash | Cover | Unknown


class Meanings:
    """Compares rules.

    A conjunction is looked up by a leaf that it wants, the one that fewest want, and if it
    has any, by one that it does not want: so few are compared, however many rules there
    are.

    Args:
        nodes: The expressions of the rules.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._leaves: dict[str, Leaf] = {}
        written = [alternatives(node) for node in nodes]
        for node in nodes:
            self._leaves.update((leaf.key, leaf) for leaf in leaves(node))
        prefixes = {len(key) - 1 for key in self._leaves if key[0] == Group.PREFIX}
        known = self._leaves.keys()
        self._follows = {
            key: frozenset(known & set(implied(key, leaf, prefixes=prefixes)))
            for key, leaf in self._leaves.items()
        }
        self._clashes: list[Clash | None] = []
        # Without the alternatives that never match; None: too many to be written out.
        self._meanings: list[frozenset[Conjunction] | None] = []
        for node, found in zip(nodes, written, strict=True):
            left = None if found is None else self._left(found)
            self._meanings.append(left)
            self._clashes.append(
                None if left == found else self._clash(node, found, left)
            )
        self._first: dict[frozenset[Conjunction], int] = {}
        for number, meaning in enumerate(self._meanings):
            if meaning:
                self._first.setdefault(meaning, number)
        self._stronger: dict[str, list[str]] = {}
        self._index: dict[tuple[str, str], list[tuple[int, Conjunction]]] = {}
        self._build()

    def doubts(self) -> Iterator[Doubt | None]:
        """Says of each rule what is doubtful about it.

        Yields:
            The gravest doubt about each rule, in order; None where there is none.
        """
        for number, meaning in enumerate(self._meanings):
            clash = self._clashes[number]
            if meaning is None:
                yield Unknown()
            elif not meaning or (clash is not None and clash.whole):
                yield clash
            elif self._first[meaning] != number:
                yield Cover(self._first[meaning], same=True)
            else:
                cover = self._cover(number, meaning)
                yield clash if cover is None else Cover(cover, same=False)

    def _left(self, found: frozenset[Conjunction]) -> frozenset[Conjunction]:
        return frozenset(
            one for one in found if contradiction(one, self._follows) is None
        )

    def _clash(
        self,
        node: Node,
        found: frozenset[Conjunction] | None,
        left: frozenset[Conjunction] | None,
    ) -> Clash | None:
        """Names what clashes in a rule, or in what stands beside an OR on its top.

        Alternatives further within come from writing the rule out, as that with `a -a`
        does in `a -(a b)`: nobody meant them.
        """
        if left:
            parts = node.children if isinstance(node, Or) else ()
            for part in parts:
                written = alternatives(part)
                if written is not None and not self._left(written):
                    return self._clash(part, written, None)
            return None
        clashes = (contradiction(one, self._follows) for one in found or ())
        first, second, wanted = min(clash for clash in clashes if clash is not None)
        other = str(self._leaves[second])
        return Clash(
            str(self._leaves[first]), other if wanted else f"-{other}", left is not None
        )

    def _build(self) -> None:
        compared = [(number, meaning) for meaning, number in self._first.items()]
        wanted = Counter(
            key for _, meaning in compared for one in meaning for key in one.wanted
        )
        unwanted = Counter(
            key for _, meaning in compared for one in meaning for key in one.unwanted
        )
        for key in unwanted:
            for weaker in self._follows[key]:
                self._stronger.setdefault(weaker, []).append(key)
        for number, meaning in compared:
            for one in meaning:
                if one.wanted:
                    rarest = _rarest(one.wanted, wanted)
                    without = _rarest(one.unwanted, unwanted)
                    self._index.setdefault((rarest, without), []).append((number, one))

    def _cover(self, number: int, meaning: frozenset[Conjunction]) -> int | None:
        """Finds the first other rule that matches wherever this one does."""
        for other in sorted(self._covers(number, meaning)):
            # Two that cover each other mean the same: the first one is the one to keep.
            theirs = self._meanings[other]
            if (
                other < number
                or not theirs
                or number not in self._covers(other, theirs)
            ):
                return other
        return None

    def _covers(self, number: int, meaning: Iterable[Conjunction]) -> set[int]:
        common: set[int] | None = None
        for one in meaning:
            holds = frozenset[str]().union(*(self._follows[key] for key in one.wanted))
            refused = {""}.union(*(self._stronger.get(key, ()) for key in one.unwanted))
            found = {
                other
                for key in holds
                for without in refused
                for other, theirs in self._index.get((key, without), ())
                if other != number
                and theirs.wanted <= holds
                and theirs.unwanted <= refused
            }
            common = found if common is None else common & found
            if not common:
                return set()
        return common or set()


def _rarest(keys: Iterable[str], counts: Counter[str]) -> str:
    return min(keys, key=lambda key: (counts[key], key), default="")
