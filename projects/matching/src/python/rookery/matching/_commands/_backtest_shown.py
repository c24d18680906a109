"""Backtests for a person, and for a program."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rookery.matching._backtest._backtest import Backtests
from rookery.matching._backtest._outcome import Backtest, Day
from rookery.matching._commands._table import marked, printable
from rookery.matching._rules import Rule

_BARS: Final = "▁▂▃▄▅▆▇█"
_SPARK: Final = 28
# So many days get a line each.
_LISTED: Final = 14
_BAR: Final = 30
_OVERLAPS: Final = 8


def share(part: float) -> str:
    """Writes a share as percents, with two digits that say something.

    Args:
        part: From 0 to 1.

    Returns:
        For example `12 %` or `0.034 %`.
    """
    percent = part * 100
    if percent == 0 or percent >= 10:
        return f"{percent:.0f} %"
    if percent < 1e-4:
        return "< 0.0001 %"
    return f"{percent:.{1 - math.floor(math.log10(percent))}f} %"


def sparkline(counts: Sequence[int], width: int = _SPARK) -> str:
    """Draws counts as one line of bars.

    Args:
        counts: The counts; if they are more than the width, neighbours share a bar.
        width: How many bars at most.

    Returns:
        A bar for each; a dot where there was nothing.
    """
    heights: Sequence[float] = counts
    if len(counts) > width:
        edges = np.linspace(0, len(counts), width + 1).astype(int)
        sums = np.add.reduceat(np.asarray(counts), edges[:-1])
        heights = (sums / np.diff(edges)).tolist()
    most = max(heights, default=0)
    return "".join(
        _BARS[min(int(n / most * len(_BARS)), len(_BARS) - 1)] if n else "·"
        for n in heights
    )


def overview(found: Backtests, order: Sequence[int], limit: int) -> RenderableType:
    """Shows many rules, a line each.

    Args:
        found: What they would have matched.
        order: Their numbers, in the order to show them in.
        limit: How many to show.

    Returns:
        A table.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rule", overflow="fold", max_width=32)
    for name in ("matches", "share", "new"):
        table.add_column(name, justify="right", no_wrap=True)
    has_days = len(found.days()) > 1
    if has_days:
        table.add_column("by day", no_wrap=True)
    table.add_column("most in common with", overflow="fold", max_width=32)
    table.add_column("expression", no_wrap=True, overflow="ellipsis", ratio=1)
    for number in order[:limit]:
        one, rule = found.without_samples(number), found.rules.rules[number]
        style = "red" if one.is_flood else ""
        table.add_row(
            Text(printable(one.rule), style),
            f"{one.matched:,}",
            Text(share(one.share) + (" flood" if one.is_flood else ""), style),
            f"{one.new:,}",
            *([_sparks(one)] if has_days else []),
            _closest(one),
            Text(printable(rule.text) if rule.text != rule.id else "", "dim"),
        )
    left = len(order) - limit
    if left <= 0:
        return table
    more = Text(
        f"{left:,} more rules match no more than these: see --limit and --json", "dim"
    )
    return Group(table, more)


def _sparks(one: Backtest) -> str:
    return sparkline([day.matched for day in one.days]) if one.matched else ""


def _closest(one: Backtest) -> Text:
    if not one.overlaps:
        return Text("")
    name, count = one.overlaps[0]
    return Text(f"{printable(name)} {share(count / one.matched)}")


def details(one: Backtest, rule: Rule, *, is_compared: bool) -> RenderableType:
    """Shows what one rule would have matched.

    Args:
        one: What it would have matched.
        rule: The rule.
        is_compared: Whether there are other rules.

    Returns:
        Lines.
    """
    title = Text(printable(rule.id), "bold")
    if rule.id != rule.text:
        title.append(f"  {printable(rule.text)}", "not bold")
    lines: list[RenderableType] = [title, Text(f"  {_sentence(one)}")]
    if one.is_flood:
        lines.append(
            Text(f"  it would flood: {share(one.share)} of all posts", "bold red")
        )
    if one.matched:
        lines += _by_day(one.days)
        if is_compared:
            lines += _overlaps(one)
        if one.samples:
            lines += _samples(one)
    return Group(*lines, Text(""))


def _sentence(one: Backtest) -> str:
    says = f"{one.matched:,} of {one.posts:,} posts match, {share(one.share)}"
    if len(one.days) > 1:
        a_day = one.matched / len(one.days)
        says += f", {a_day:,.0f} a day" if a_day >= 10 else f", {a_day:.1f} a day"
    return says


def _by_day(days: Sequence[Day]) -> Iterator[RenderableType]:
    if len(days) < 2:
        return
    first, last = days[0].day, days[-1].day
    counts = [day.matched for day in days]
    yield Text(f"  by day, {first} to {last}: {sparkline(counts, 60)}")
    if len(days) > _LISTED:
        top = sorted(days, key=lambda day: -day.matched)[:3]
        busiest = ", ".join(f"{day.day} {day.matched:,}" for day in top if day.matched)
        yield Text(f"    busiest: {busiest}")
        return
    most = max(counts)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    for justify in ("left", "right", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    for day in days:
        bar = "█" * max(round(day.matched / most * _BAR), 1 if day.matched else 0)
        part = share(day.matched / day.posts)
        table.add_row(f"    {day.day}", f"{day.matched:,}", part, Text(bar, "cyan"))
    yield table


def _overlaps(one: Backtest) -> Iterator[RenderableType]:
    known = one.matched - one.new
    yield Text(
        f"  {one.new:,} are new; {known:,} ({share(known / one.matched)}) other rules "
        "match too"
    )
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for name, count in one.overlaps[:_OVERLAPS]:
        table.add_row(
            f"    {count:,}", share(count / one.matched), Text(printable(name))
        )
    if one.overlaps:
        yield table


def _samples(one: Backtest) -> Iterator[RenderableType]:
    yield Text("  for example")
    for post in one.samples:
        spans = [(span["start"], span["end"]) for span in post["spans"]]
        author = f" {printable(post['author'])}" if post["author"] else ""
        at = post["created_at"].strftime("%Y-%m-%d %H:%M")
        line = Text(f"    {at}{author}  ", "dim")
        line.append_text(Text("", "not dim").append_text(marked(post["text"], spans)))
        yield line


def as_json(one: Backtest, rule: Rule, *, is_compared: bool) -> str:
    """Writes what one rule would have matched as an object of JSON.

    Args:
        one: What it would have matched.
        rule: The rule.
        is_compared: Whether there are other rules.

    Returns:
        One line. Days without a match are left out.
    """
    fields: dict[str, Any] = {
        "rule": rule.id,
        "expression": rule.text,
        "posts": one.posts,
        "matched": one.matched,
        "share": one.share,
        "flood": one.is_flood,
        "days": [
            {"day": str(day.day), "posts": day.posts, "matched": day.matched}
            for day in one.days
            if day.matched
        ],
    }
    if is_compared:
        fields["new"] = one.new
        fields["overlaps"] = [
            {"rule": name, "posts": count, "share": count / one.matched}
            for name, count in one.overlaps
        ]
    fields["samples"] = [
        {
            "id": post["id"],
            "author": post["author"],
            "created_at": post["created_at"].isoformat(),
            "text": post["text"],
            "spans": [[span["start"], span["end"]] for span in post["spans"]],
        }
        for post in one.samples
    ]
    return json.dumps(fields, ensure_ascii=False)
