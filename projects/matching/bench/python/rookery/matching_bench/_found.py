"""What a side found, and whether it is what another one did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeAlias, cast

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.int64]
Tuples: TypeAlias = list[tuple[int, ...]]
_SHOWN: Final = 3


class Unequal(Exception):
    """Two sides do not find the same."""


@dataclass(frozen=True, eq=False)
class Found:
    """Which rules match which posts, and where if the side says so.

    Attributes:
        row: Index of the post, int64.
        rule: Index of the rule, int64.
        start: Where the phrase begins, in characters, int64; None where the side tells
            posts and rules alone.
        end: Where it ends, exclusive; None likewise.
    """

    row: Integers
    rule: Integers
    start: Integers | None = None
    end: Integers | None = None

    @classmethod
    def of(cls, hits: Iterable[Sequence[int]], width: int) -> Self:
        """Takes tuples.

        Args:
            hits: Row and rule of each hit, or row, rule, start and end.
            width: Which of both: 2 or 4.

        Returns:
            The same as columns.
        """
        table = np.array(list(hits), np.int64).reshape(-1, width)
        return cls(*table.T)

    def first(self, rows: int) -> Found:
        """Leaves out all but the first posts.

        Args:
            rows: How many posts.

        Returns:
            What was found in them.
        """
        chosen = self.row < rows
        return Found(
            self.row[chosen],
            self.rule[chosen],
            None if self.start is None else self.start[chosen],
            None if self.end is None else self.end[chosen],
        )

    def pairs(self) -> set[tuple[int, ...]]:
        """Returns the pairs of post and rule."""
        return set(zip(self.row.tolist(), self.rule.tolist(), strict=True))

    def places(self) -> set[tuple[int, ...]]:
        """Returns post, rule, start and end of each hit; the side has to tell them."""
        if self.start is None or self.end is None:
            raise ValueError("this side does not say where its phrases stand")
        columns = (self.row, self.rule, self.start, self.end)
        return set(zip(*(each.tolist() for each in columns), strict=True))


class Pairs:
    """A side that finds tuples of post and rule."""

    def found(self, result: object) -> Found:
        """Writes down what `find` returned."""
        return Found.of(cast(Tuples, result), 2)


class Places:
    """A side that finds tuples of post, rule, start and end."""

    def found(self, result: object) -> Found:
        """Writes down what `find` returned."""
        return Found.of(cast(Tuples, result), 4)


class Columns:
    """A side that finds columns."""

    def found(self, result: object) -> Found:
        """Returns what `find` returned."""
        return cast(Found, result)


def joined(parts: Sequence[tuple[int, Found]]) -> Found:
    """Puts together what was found in parts of the posts.

    Args:
        parts: The number of the first post of each part, and what was found in it.

    Returns:
        What was found in all of them.
    """
    none: Integers = np.empty(0, np.int64)
    row = np.concatenate([none, *(found.row + first for first, found in parts)])
    rule = np.concatenate([none, *(found.rule for _, found in parts)])
    starts = [found.start for _, found in parts if found.start is not None]
    ends = [found.end for _, found in parts if found.end is not None]
    if len(starts) < len(parts) or len(ends) < len(parts):
        return Found(row, rule)
    return Found(
        row, rule, np.concatenate([none, *starts]), np.concatenate([none, *ends])
    )


def compare(expected: Found, found: Found, *, partial: bool = False) -> float:
    """Compares what two sides found: places where both tell them, else posts and rules.

    Args:
        expected: What there is to be found.
        found: What was found.
        partial: Whether less may be found, but nothing else.

    Returns:
        Which share of what is expected was found: 1.0 unless less may be.

    Raises:
        Unequal: It is not the same.
    """
    if expected.start is None or found.start is None:
        mine, theirs = expected.pairs(), found.pairs()
    else:
        mine, theirs = expected.places(), found.places()
    missing, surplus = mine - theirs, theirs - mine
    if surplus or (missing and not partial):
        raise Unequal(
            f"of {len(mine):,} hits, {len(missing):,} are missing and {len(surplus):,} "
            "more were found; (post, rule, start, end) of the first: "
            f"missing {sorted(missing)[:_SHOWN]}, more {sorted(surplus)[:_SHOWN]}"
        )
    return 1.0 if not mine else 1 - len(missing) / len(mine)
