"""What a rule would have matched, of what the lake holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow as pa

from rookery.lake import Lake
from rookery.matching import Backtest, Rule, RuleSet, backtest
from rookery.records import POST, concat
from rookery.serving._errors import NotReady

# An answer has to come while somebody waits for it.
MAX_POSTS: Final = 5_000_000
MAX_SECONDS: Final = 20.0
# Posts that are matched at a time: a lake may have many small files.
_ROWS: Final = 16 * 1024


@dataclass(frozen=True)
class Tested:
    """What became of a backtest.

    Attributes:
        found: What the rule would have matched.
        complete: Whether all posts were looked at that were asked for; if not, those
            that were archived last are missing.
        matched_only: Whether the lake holds only posts that rules in force matched.
    """

    found: Backtest
    complete: bool
    matched_only: bool


class Backtester:
    """Tries rules on the lake, one at a time.

    Args:
        lake: The lake.
        max_posts: How many posts are looked at, at most.
        max_seconds: For how long, about.
    """

    def __init__(
        self,
        lake: Lake,
        *,
        max_posts: int = MAX_POSTS,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._lake = lake
        self._max_posts = max_posts
        self._max_seconds = max_seconds
        self._busy = asyncio.Lock()

    async def run(
        self,
        rule: Rule,
        *,
        existing: RuleSet | None,
        start: datetime | None,
        end: datetime | None,
        samples: int,
    ) -> Tested:
        """Tries a rule.

        Args:
            rule: The rule.
            existing: Rules to compare it with.
            start: First moment, inclusive, aware; None for no limit.
            end: Last moment, exclusive.
            samples: How many matched posts to show.

        Returns:
            What it would have matched.

        Raises:
            NotReady: Another one is being tried.
        """
        if self._busy.locked():
            raise NotReady("another backtest is running; ask again in a moment")
        async with self._busy:
            test = _Test(self._lake, self._max_posts, self._max_seconds)
            running = asyncio.create_task(
                asyncio.to_thread(test.run, rule, existing, start, end, samples)
            )
            try:
                return await asyncio.shield(running)
            finally:
                # If whoever asked went away, the thread is told before the next comes.
                test.stopped = True
                await asyncio.wait({running})


class _Test:
    """One backtest, in a thread of its own."""

    def __init__(self, lake: Lake, max_posts: int, max_seconds: float) -> None:
        self._lake = lake
        self._left = max_posts
        self._deadline = time.monotonic() + max_seconds
        self._complete = True
        self.stopped = False

    def run(
        self,
        rule: Rule,
        existing: RuleSet | None,
        start: datetime | None,
        end: datetime | None,
        samples: int,
    ) -> Tested:
        dataset, part = self._lake.posts.snapshot(), "posts"
        if not dataset.rows(part):
            matched = self._lake.matches.snapshot()
            if matched.rows("matches"):
                dataset, part = matched, "matches"
        read = dataset.batches(part, columns=POST.names, start=start, end=end)
        found = backtest(rule, self._limited(read), existing=existing, samples=samples)
        return Tested(found, self._complete, part == "matches")

    def _limited(self, read: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for batch in read:
            for first in range(0, batch.num_rows, _ROWS):
                if not waiting and self._is_over():
                    self._complete = False
                    return
                piece = batch.slice(first, _ROWS)
                waiting.append(piece.cast(POST))
                rows += piece.num_rows
                if rows >= _ROWS:
                    yield concat(waiting, POST)
                    self._left -= rows
                    waiting, rows = [], 0
        if waiting:
            yield concat(waiting, POST)

    def _is_over(self) -> bool:
        late = time.monotonic() > self._deadline
        return late or self._left <= 0 or self.stopped
