"""What a backtest tells of one rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Day:
    """What a day of history had.

    Attributes:
        day: The day, in UTC; that on which posts were taken in, where their own time
            cannot be.
        posts: How many posts there were.
        matched: How many of them the rule matches.
    """

    day: date
    posts: int
    matched: int


@dataclass(frozen=True)
class Backtest:
    """What a rule would have matched.

    Attributes:
        posts: How many posts were looked at.
        matched: How many of them the rule matches.
        days: The same by day, in order.
        samples: Some of the matched posts, evenly chosen, each a row of `MATCH`.
        overlaps: Ids of other rules, and how many of the matched posts they match too,
            the most first.
        new: How many of the matched posts no other rule matches.
        is_flood: Whether that is more than one wants to look at.
        rule: The id of the rule.
    """

    posts: int
    matched: int
    days: tuple[Day, ...]
    samples: tuple[dict[str, Any], ...]
    overlaps: tuple[tuple[str, int], ...]
    new: int
    is_flood: bool
    rule: str = ""

    @property
    def share(self) -> float:
        """Which part of all posts the rule matches, 0 to 1."""
        return self.matched / self.posts if self.posts else 0.0
