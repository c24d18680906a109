"""Runs a backtest for the command line."""

from __future__ import annotations

import asyncio
import difflib
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console

from rookery.matching._backtest._backtest import Backtests
from rookery.matching._commands._ahead import ahead
from rookery.matching._commands._backtest_shown import as_json, details, overview
from rookery.matching._commands._history import History, Stretch, open_history
from rookery.matching._commands._input import STDIN, Misuse, Reading
from rookery.matching._commands._progress import Meter, is_wanted
from rookery.matching._commands._rejections import Rejections
from rookery.matching._errors import MatchingError
from rookery.matching._rules import RuleSet

_NO_LIMIT: Final = 100_000


@dataclass(frozen=True)
class Comparison:
    """Which rules to compare with.

    Attributes:
        file: A file of them, if any.
        in_force: Whether those in force are meant.
    """

    file: Path | None
    in_force: bool


@dataclass(frozen=True)
class Shown:
    """What to show.

    Attributes:
        names: Of which rules; none: all.
        details: Whether to show all about each of many.
        samples: How many posts of a rule.
        limit: How many rules.
        as_json: Whether to write JSON.
    """

    names: tuple[str, ...]
    details: bool
    samples: int
    limit: int
    as_json: bool


def backtest_rules(
    rules: Path,
    over: Sequence[str],
    reading: Reading,
    stretch: Stretch,
    comparison: Comparison,
    shown: Shown,
    *,
    flood: float,
    threads: int,
    progress: bool | None,
) -> int:
    """Tells on standard output what rules would have matched.

    Args:
        rules: A file of rules; `-` is standard input.
        over: A lake, or files; none: the lake of the settings.
        reading: How files are to be read.
        stretch: Which posts are wanted.
        comparison: Which rules to compare with.
        shown: What to show.
        flood: The share of posts from which on a rule is a flood.
        threads: How many slices of posts are matched at the same time.
        progress: Whether to show a bar; None where somebody sees it.

    Returns:
        How many of the rules would flood.

    Raises:
        Misuse: Standard input is meant for two things.
    """
    if rules == STDIN and "-" in over:
        raise Misuse("standard input has the rules or the posts, and not both")
    tested = _chosen(_load(rules), shown.names, rules)
    existing = _existing(comparison)
    history = open_history(
        over or [_default_lake()], _all(tested, existing), reading, stretch
    )
    found = Backtests(
        tested, existing=existing, samples=shown.samples, flood=flood, threads=threads
    )
    _run(found, history, progress)
    _show(found, shown, is_compared=existing is not None or len(tested) > 1)
    return int(np.count_nonzero(found.is_flood()))


def _load(path: Path) -> RuleSet:
    if path != STDIN:
        return RuleSet.load(path)
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise MatchingError(f"<stdin>: byte {error.start} is not UTF-8") from error
    return RuleSet.parse(text.split("\n"), where="<stdin>")


def _chosen(rules: RuleSet, names: Sequence[str], path: Path) -> RuleSet:
    if not len(rules):
        raise MatchingError(f"{path}: there are no rules in it")
    if not names:
        return rules
    return RuleSet(tuple(rules.rules[find_rule(rules, name, path)] for name in names))


def find_rule(rules: RuleSet, name: str, path: Path) -> int:
    """Finds a rule by its name.

    Args:
        rules: The rules.
        name: The name.
        path: The file they were read from.

    Returns:
        Its number.

    Raises:
        Misuse: There is none of that name.
    """
    ids = [rule.id for rule in rules.rules]
    if name in ids:
        return ids.index(name)
    close = difflib.get_close_matches(name, ids, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise Misuse(f"{path}: there is no rule {name!r} in it{hint}")


def _existing(comparison: Comparison) -> RuleSet | None:
    if comparison.file is not None and comparison.in_force:
        raise Misuse("--existing and --in-force are two sets of rules: name one")
    if comparison.file is not None:
        return RuleSet.load(comparison.file)
    if not comparison.in_force:
        return None
    return asyncio.run(_rules_in_force())


async def _rules_in_force() -> RuleSet:
    # Imported late: nothing else here needs a bus.
    from rookery.bus import connect
    from rookery.matching import store
    from rookery.service import Settings, configure_logging

    settings = Settings()
    configure_logging(settings, process="match")
    async with connect(settings.bus, name="rules", state=settings.state) as bus:
        found = await store.current(bus)
    return RuleSet(()) if found is None else found


def _all(tested: RuleSet, existing: RuleSet | None) -> RuleSet:
    return RuleSet((*tested.rules, *(existing.rules if existing else ())))


def _default_lake() -> str:
    from rookery.service import Settings

    return Settings().lake_url


def _run(found: Backtests, history: History, progress: bool | None) -> None:
    shown = is_wanted(progress, is_output_terminal=False)
    with Meter(history.total, is_shown=shown, unit=history.unit) as meter:
        rejections = Rejections(meter.say)
        for posts in ahead(history.batches(meter.advance, rejections)):
            before = found.found
            found.add(posts)
            meter.add(posts.num_rows, found.found - before)
    for line in rejections.summary():
        meter.say(line)
    if history.note:
        meter.say(f"note: {history.note}")
    if not found.posts:
        meter.say("note: there are no posts to look at, so nothing can be told")


def _show(found: Backtests, shown: Shown, *, is_compared: bool) -> None:
    order: list[int] = np.argsort(-found.matched, kind="stable").tolist()
    rules = found.rules.rules
    if shown.as_json:
        for number in order:
            print(as_json(found[number], rules[number], is_compared=is_compared))
        return
    is_terminal = sys.stdout.isatty()
    console = Console(
        width=shutil.get_terminal_size().columns if is_terminal else _NO_LIMIT,
        no_color="NO_COLOR" in os.environ,
        highlight=False,
    )
    if shown.details or len(order) == 1:
        for number in order[: shown.limit]:
            shape = details(found[number], rules[number], is_compared=is_compared)
            console.print(shape, soft_wrap=not is_terminal)
    else:
        console.print(overview(found, order, shown.limit), soft_wrap=not is_terminal)
        matching = int(np.count_nonzero(found.matched))
        days = f" in {len(found.days()):,} days" if len(found.days()) > 1 else ""
        console.print(
            f"{found.found:,} of {found.posts:,} posts{days} match one of "
            f"{len(rules):,} rules; {len(rules) - matching:,} match none"
        )
