"""How long the questions of the dashboard take over ten million matched posts.

Seven days of matched posts, in 700 blocks as the archiver writes them: 1,000 rules of
which a few have most posts, 3 sources, 12 languages, posts with up to three rules. The
baseline asks DuckDB the same over the rows of all blocks as they are in the lake, in
memory too; equal answers are checked first. The last line is what one refresh of the page
asks for in all. The budget is 300 ms for a question.

    python projects/serving/bench/python/rookery/serving/dashboard_bench.py [posts]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from rookery.serving import _sql
from rookery.serving._counts import Dimension
from rookery.serving._cubes import Cubes, bucket_width
from rookery.serving._filters import Filter
from rookery.serving._history import add_part
from rookery.serving._parts import CODED, NOTHING, Names, Part, merged_part

POSTS = 10_000_000
BLOCKS = 700
RULES = 1_000
MINUTES = 7 * 1440
START = datetime(2026, 3, 1, tzinfo=UTC)
ROUNDS = 7
TARGET_MS = 300.0


def block(number: int, posts: int, dice: np.random.Generator) -> pa.Table:
    """Makes the counts of one block.

    Args:
        number: Which block it is.
        posts: How many posts it has.
        dice: Where chance comes from.

    Returns:
        Counts as `rookery.operators.cube` gives them, coded.
    """
    span = MINUTES // BLOCKS + 1
    first = int(START.timestamp()) // 60 + number * MINUTES // BLOCKS
    minute = first + dice.integers(0, span, posts)
    # One post in fifty is late.
    minute -= np.where(dice.random(posts) < 0.02, dice.integers(0, 1440, posts), 0)
    source = dice.choice(3, posts, p=[0.7, 0.2, 0.1])
    language = dice.choice(12, posts, p=[0.6, *[0.4 / 11] * 11])
    mood = dice.random(posts)
    copies = dice.choice([1, 2, 3], posts, p=[0.75, 0.2, 0.05])
    again = np.repeat(np.arange(posts), copies)
    rule = np.concatenate([np.full(posts, NOTHING), dice.zipf(1.2, again.size) % RULES])
    rows = np.concatenate([np.arange(posts), again])
    columns = {
        "minute": minute[rows],
        "rule": rule,
        "source": source[rows],
        "language": language[rows],
        "posts": np.ones(rows.size),
        "positive": mood[rows] > 0.7,
        "negative": mood[rows] < 0.2,
        "sentiment_sum": mood[rows] - 0.5,
        "engagement": np.full(rows.size, 3),
    }
    table = pa.table(
        {n: pa.array(v).cast(CODED.field(n).type) for n, v in columns.items()}
    )
    part = merged_part([table.cast(CODED)])
    return pa.concat_tables([part.posts.minutes, part.rules.minutes])


def timed(work: Callable[[], object]) -> float:
    """Measures a function.

    Args:
        work: The function.

    Returns:
        Milliseconds it takes, the median of some rounds.
    """
    work()
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def main(posts: int) -> None:
    """Builds the counts, checks the answers, and prints a table.

    Args:
        posts: How many matched posts there are.
    """
    dice = np.random.default_rng(7)
    names = Names()
    names.encode(pa.array([f"name {number}" for number in range(RULES)]))
    begun = time.perf_counter()
    blocks = [block(number, posts // BLOCKS, dice) for number in range(BLOCKS)]
    made = time.perf_counter()
    parts: tuple[Part, ...] = ()
    for table in blocks:
        parts = add_part(parts, merged_part([table]))
    merged = time.perf_counter() - made
    cubes = Cubes(names, parts)
    raw = pa.concat_tables(blocks)
    rows = sum(part.rows for part in parts)
    print(
        f"{posts:,} posts, {raw.num_rows:,} rows in {BLOCKS} blocks (made in"
        f" {made - begun:.0f} s), {rows:,} rows in {len(parts)} parts, counted in"
        f" {merged:.1f} s: {1000 * merged / BLOCKS:.0f} ms a block"
    )
    middle = START + timedelta(days=3, minutes=7)
    day = Filter(start=middle, end=middle + timedelta(days=1))
    hour = Filter(start=middle, end=middle + timedelta(hours=1))
    rule = Filter(rule="name 2", source="name 1")
    week = bucket_width(MINUTES, 60)

    def asked(columns: str, where: str, group: str = "") -> Callable[[], object]:
        question = f"SELECT {columns} FROM raw WHERE {where} {group}"  # nosec B608
        return lambda: _sql.rows(question, {"raw": raw})

    def bounds(which: Filter) -> str:
        low, high = which.start_minute, which.end_minute
        return f"rule >= 0 AND minute >= {low} AND minute < {high}"

    sums = "sum(posts), sum(positive), sum(negative), sum(sentiment_sum)"
    over_time = f"minute // {week}, rule, sum(posts)"
    questions: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        (
            "totals, all time",
            lambda: cubes.totals(Filter()),
            asked(sums, "rule = -1"),
        ),
        (
            "rules, all time",
            lambda: cubes.ranking(Filter(), by=Dimension.RULE),
            asked(f"rule, {sums}", "rule >= 0", "GROUP BY rule"),
        ),
        (
            "rules, one day",
            lambda: cubes.ranking(day, by=Dimension.RULE),
            asked(f"rule, {sums}", bounds(day), "GROUP BY rule"),
        ),
        (
            "volume by rule, all time",
            lambda: cubes.volume(Filter(), by=Dimension.RULE, width=week),
            asked(over_time, "rule >= 0", "GROUP BY ALL"),
        ),
        (
            "volume by rule, one hour",
            lambda: cubes.volume(hour, by=Dimension.RULE, width=1),
            asked("minute, rule, sum(posts)", bounds(hour), "GROUP BY ALL"),
        ),
        (
            "one rule, one source, all time",
            lambda: cubes.volume(rule, by=None, width=week),
            asked(over_time, "rule = 2 AND source = 1", "GROUP BY ALL"),
        ),
        (
            "where the newest 50 of a rule are",
            lambda: cubes.minutes(rule, before=2**31 - 1, at_least=50),
            asked(
                "minute, sum(posts)",
                "rule = 2 AND source = 1",
                "GROUP BY minute ORDER BY minute DESC",
            ),
        ),
    ]
    total = _sql.rows("SELECT sum(posts) FROM raw WHERE rule = -1", {"raw": raw})[0][0]
    if cubes.totals(Filter()).posts != total:
        sys.exit("the two sides do not count the same posts")
    print(f"{'question':36}{'DuckDB ms':>12}{'ms':>8}{'ratio':>8}")
    for name, ours, theirs in questions:
        baseline, taken = timed(theirs), timed(ours)
        met = "" if taken < TARGET_MS else "  over budget"
        print(f"{name:36}{baseline:12.1f}{taken:8.1f}{baseline / taken:8.1f}{met}")

    def refresh() -> None:
        cubes.totals(Filter())
        top = cubes.ranking(Filter(), by=Dimension.RULE)[:100]
        keys = [each.key for each in top if each.key]
        cubes.volume(Filter(), by=Dimension.RULE, width=360, keys=keys)
        cubes.volume(Filter(), by=Dimension.RULE, width=week)
        cubes.ranking(Filter(), by=Dimension.SOURCE)
        cubes.ranking(Filter(), by=Dimension.LANGUAGE)

    print(f"{'everything a refresh of the page asks':36}{'':12}{timed(refresh):8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else POSTS)
