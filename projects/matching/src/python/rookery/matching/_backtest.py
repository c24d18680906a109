"""What a rule would have matched: told before it goes live."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from rookery.matching._lint import FLOOD, MIN_MATCHES
from rookery.matching._matcher import Matcher
from rookery.matching._rules import Rule, RuleSet

SAMPLES: Final = 20
OVERLAPS: Final = 20

# The stubs type each kernel by the arrays it takes; results are typed where they are kept.
_kernels: Any = pyarrow.compute


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
    """

    posts: int
    matched: int
    days: tuple[Day, ...]
    samples: tuple[dict[str, Any], ...]
    overlaps: tuple[tuple[str, int], ...]
    new: int
    is_flood: bool

    @property
    def share(self) -> float:
        """Which part of all posts the rule matches, 0 to 1."""
        return self.matched / self.posts if self.posts else 0.0


def backtest(
    rule: Rule,
    batches: Iterable[pa.RecordBatch],
    *,
    existing: RuleSet | None = None,
    samples: int = SAMPLES,
    flood: float = FLOOD,
) -> Backtest:
    """Tells what a rule would have matched; memory stays flat however long history is.

    Args:
        rule: The rule; whether it is enabled does not matter.
        batches: History, batches of schema `POST`.
        existing: Rules to compare with; one with the id of the rule is left out.
        samples: How many matched posts to show. The same history gives the same ones.
        flood: The share of posts from which on a rule is a flood.

    Returns:
        What it would have matched.
    """
    matcher = Matcher(RuleSet((replace(rule, enabled=True),)))
    rules = existing.rules if existing else ()
    others = Matcher(RuleSet(tuple(one for one in rules if one.id != rule.id)))
    seen: Counter[date] = Counter()
    matched: Counter[date] = Counter()
    overlaps: Counter[str] = Counter()
    kept: list[tuple[bytes, int, dict[str, Any]]] = []
    new = count = 0
    for posts in batches:
        seen.update(_days(posts))
        found = matcher(posts)
        matched.update(_days(found))
        both = others(posts.take(found.column("row")))
        lists: Any = both.column("rules")
        overlaps.update(lists.flatten().to_pylist())
        new += found.num_rows - both.num_rows
        for row, name in enumerate(found.column("id").to_pylist()):
            count += 1
            rank = blake2b(str(name).encode(), digest_size=8).digest()
            if len(kept) < samples or (kept and rank > kept[0][0]):
                entry = (rank, count, found.slice(row, 1).to_pylist()[0])
                push = heapq.heappush if len(kept) < samples else heapq.heapreplace
                push(kept, entry)
    total = sum(seen.values())
    return Backtest(
        posts=total,
        matched=count,
        days=tuple(Day(day, seen[day], matched[day]) for day in sorted(seen)),
        samples=tuple(entry[2] for entry in sorted(kept, key=lambda one: one[1])),
        overlaps=tuple(overlaps.most_common(OVERLAPS)),
        new=new,
        is_flood=count >= max(MIN_MATCHES, flood * total),
    )


def _days(posts: pa.RecordBatch) -> dict[date, int]:
    times = _kernels.if_else(
        posts.column("time_suspect"),
        posts.column("ingested_at"),
        posts.column("created_at"),
    )
    counts = _kernels.value_counts(times.cast(pa.date32()))
    return {each["values"]: each["counts"] for each in counts.to_pylist()}
