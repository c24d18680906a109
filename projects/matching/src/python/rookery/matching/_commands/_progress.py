"""How far a command is, on standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text
from typing_extensions import Self, override

from rookery.matching._commands._table import printable

_EVERY: Final = 0.1


class Meter:
    """Counts what was done, and shows it while it lasts.

    Args:
        total: How much there is to do, in bytes or posts; None if that is not known.
        is_shown: Whether to show a bar.
        unit: What `total` counts: `B` or `posts`.
    """

    def __init__(self, total: int | None, *, is_shown: bool, unit: str = "B") -> None:
        self.posts = 0
        self.matches = 0
        self._done = 0
        self._next = 0.0
        self._progress: Progress | None = None
        if is_shown:
            self._progress = Progress(
                BarColumn(bar_width=16),
                _Share(table_column=Column(no_wrap=True)),
                _Rate(self, unit),
                TimeRemainingColumn(compact=True),
                console=Console(stderr=True, force_terminal=True),
                transient=True,
            )
            self._task = self._progress.add_task("", total=total or None)

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def advance(self, size: int) -> None:
        """Counts what was read.

        Args:
            size: How much more.
        """
        self._done += size

    def add(self, posts: int, matches: int) -> None:
        """Counts posts, and moves the bar.

        Args:
            posts: How many more were looked at.
            matches: How many of them match.
        """
        self.posts += posts
        self.matches += matches
        if self._progress is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            self._progress.update(self._task, completed=self._done)

    def say(self, line: str) -> None:
        """Writes a line above the bar.

        Args:
            line: The line.
        """
        if self._progress is None:
            print(printable(line), file=sys.stderr)
        else:
            self._progress.console.print(Text(printable(line)), soft_wrap=True)


class _Share(ProgressColumn):
    @override
    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("")
        return Text(f"{min(task.percentage, 100):3.0f}%")


class _Rate(ProgressColumn):
    def __init__(self, meter: Meter, unit: str) -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self._meter = meter
        self._unit = unit

    @override
    def render(self, task: Task) -> Text:
        seconds = max(task.elapsed or 0.0, 1e-3)
        rate = f"{self._meter.posts / seconds:,.0f} posts/s"
        if self._unit == "B":
            rate += f", {task.completed / seconds / 1e6:,.0f} MB/s"
        return Text(f"{rate}, {self._meter.matches:,} matches")


def is_wanted(asked: bool | None, *, is_output_terminal: bool) -> bool:
    """Decides whether a bar is shown.

    Args:
        asked: What was said on the command line; None for nothing.
        is_output_terminal: Whether what is written goes to a terminal, which a bar would
            disturb.

    Returns:
        What was said; else whether somebody sees the bar and nothing but the bar.
    """
    if asked is not None:
        return asked
    return sys.stderr.isatty() and not is_output_terminal
