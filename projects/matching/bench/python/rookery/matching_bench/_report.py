"""Results: as a table for people, as Markdown, as JSON lines."""

from __future__ import annotations

import json
import os
import platform
import subprocess  # nosec B404
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, TypeAlias

BEGIN: Final = "<!-- results: written by projects/matching:bench -->"
END: Final = "<!-- end of results -->"
_PACKAGES: Final = (
    "pyarrow",
    "numpy",
    "pyahocorasick",
    "ahocorasick-rs",
    "hyperscan",
    "google-re2",
    "flashtext",
)
Baselines: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass
class Result:
    """One side at one size.

    Attributes:
        workload: What was looked for.
        rules: How many of it.
        side: Which side, as on the command line.
        name: The same, as in tables.
        threads: How many threads it used.
        pairs: How many pairs of post and rule there are to be found in all posts.
        build_seconds: How long it took to make it of the rules.
        checked: In how many posts what it found was compared.
        share: Which share of what there is it found.
        rounds: Posts per second of each round.
        posts: How many posts all rounds were.
        posts_per_second: The median.
        megabytes_per_second: The same in millions of bytes of UTF-8.
        peak_megabytes: How far its memory rose above what it was with the posts alone.
        reason: Why there is no result; empty where there is one.
    """

    workload: str
    rules: int
    side: str
    name: str
    threads: int
    pairs: int = 0
    build_seconds: float | None = None
    checked: int = 0
    share: float = 1.0
    rounds: list[float] = field(default_factory=list)
    posts: int = 0
    posts_per_second: float | None = None
    megabytes_per_second: float | None = None
    peak_megabytes: float | None = None
    reason: str = ""

    @property
    def label(self) -> str:
        """Its name, with the number of threads if there are several."""
        return f"{self.name}, {self.threads} threads" if self.threads > 1 else self.name


@dataclass(frozen=True)
class Run:
    """All results of one call, and what they were measured with.

    Attributes:
        conditions: Machine, versions, posts and terms, one line each.
        results: The results.
    """

    conditions: tuple[str, ...]
    results: tuple[Result, ...]


def machine() -> str:
    """Describes the machine, as far as the system tells."""
    model = platform.machine()
    cores = 0
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            cores += name.strip() == "processor"
            if name.strip() == "model name":
                model = value.strip()
    except OSError:
        return f"{model}, {platform.system()} {platform.release()}"
    return f"{model}, {cores} cores, {platform.system()}"


def load() -> str:
    """Tells how busy the machine is, as other work slows several threads most."""
    try:
        return f"load average {os.getloadavg()[0]:.1f} before it began"
    except OSError:
        return "load average unknown"


def versions() -> str:
    """Names the versions of all that takes part, as far as it is installed."""
    found = [f"CPython {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def commit() -> str:
    """Names the commit that is measured; empty where Git does not tell."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(  # nosec B603
            command, capture_output=True, check=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def groups(results: Iterable[Result]) -> Mapping[tuple[str, int], list[Result]]:
    """Puts together what is measured side by side.

    Args:
        results: All results.

    Returns:
        Those of each workload and size, in order.
    """
    found: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        found.setdefault((result.workload, result.rules), []).append(result)
    return found


def rows(
    results: Sequence[Result], baselines: Mapping[str, Sequence[str]]
) -> list[list[str]]:
    """Makes a table of what was measured side by side.

    Args:
        results: The results.
        baselines: To what speed is compared, one column each: the fastest of some sides.
            Where none of them was measured there is no column.

    Returns:
        A row of titles, then one of each result.
    """
    speeds = {result.side: result.posts_per_second or 0.0 for result in results}
    fastest = {
        name: max(speeds.get(key, 0.0) for key in keys)
        for name, keys in baselines.items()
    }
    present = {name: speed for name, speed in fastest.items() if speed}
    titles = [f"x {name}" for name in present]
    table = [["", "posts/s", "MB/s", *titles, "build s", "peak MB"]]
    for result in results:
        speed = result.posts_per_second
        table.append(
            [
                result.label + _mark(result),
                _number(speed),
                _number(result.megabytes_per_second),
                *(_ratio(speed, baseline) for baseline in present.values()),
                _number(result.build_seconds),
                _number(result.peak_megabytes),
            ]
        )
    return table


def notes(results: Sequence[Result]) -> list[str]:
    """Says of which sides there is no result, or not all of it.

    Args:
        results: What was measured side by side.

    Returns:
        A line for each.
    """
    lines = [f"- {each.label}: {each.reason}" for each in results if each.reason]
    lines += [
        f"* {each.label} finds {each.share:.1%} of the pairs"
        for each in results
        if not each.reason and each.share < 1
    ]
    return lines


def as_text(run: Run, baselines: Baselines) -> str:
    """Writes results for a terminal.

    Args:
        run: The results.
        baselines: Those of each workload.

    Returns:
        Lines of text.
    """
    lines = [*run.conditions]
    for (workload, count), results in groups(run.results).items():
        table = rows(results, baselines[workload])
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines += ["", _title(count, workload, results)]
        for row in table:
            first, *others = zip(row, widths, strict=True)
            cells = [first[0].ljust(first[1]), *(text.rjust(w) for text, w in others)]
            lines.append("  ".join(cells).rstrip())
        lines += notes(results)
    return "\n".join(lines) + "\n"


def as_markdown(run: Run, baselines: Baselines) -> str:
    """Writes results for a page.

    Args:
        run: The results.
        baselines: Those of each workload.

    Returns:
        Lines of Markdown.
    """
    lines = [*(f"- {line}" for line in run.conditions)]
    for (workload, count), results in groups(run.results).items():
        head, *body = rows(results, baselines[workload])
        lines += ["", f"### {_title(count, workload, results)}", "", _row(head)]
        lines.append("|---|" + "---:|" * (len(head) - 1))
        lines += map(_row, body)
        if told := notes(results):
            lines += ["", *(f"- {line[2:]}" for line in told)]
    return "\n".join(lines) + "\n"


def replace_between(text: str, written: str) -> str:
    """Puts something between the two markers of a page.

    Args:
        text: The page.
        written: What stands there from now on.

    Returns:
        The page with it.

    Raises:
        ValueError: The page lacks the markers.
    """
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"there are no lines {BEGIN!r} and, behind it, {END!r}")
    return f"{before}{BEGIN}\n\n{written.strip()}\n\n{END}{after}"


def to_jsonl(run: Run) -> str:
    """Writes results such that tables can be made of them again.

    Args:
        run: The results.

    Returns:
        JSON lines: the conditions, then each result.
    """
    lines: list[object] = [{"conditions": run.conditions}, *map(asdict, run.results)]
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def from_jsonl(text: str) -> Run:
    """Reads results again.

    Args:
        text: What `to_jsonl` wrote.

    Returns:
        The results.

    Raises:
        ValueError: It is something else.
    """
    names = {each.name for each in fields(Result)}
    conditions: tuple[str, ...] = ()
    results: list[Result] = []
    for number, line in enumerate(text.splitlines(), 1):
        value: Any = json.loads(line)
        if not isinstance(value, dict):
            raise ValueError(f"line {number} is no object")
        if "conditions" in value:
            conditions = tuple(map(str, value["conditions"]))
        elif value.keys() == names:
            results.append(Result(**value))
        else:
            raise ValueError(f"line {number} has other fields than a result has")
    return Run(conditions, tuple(results))


def _title(count: int, workload: str, results: Sequence[Result]) -> str:
    return f"{count:,} {workload}, {results[0].pairs:,} pairs of post and rule"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _ratio(speed: float | None, baseline: float) -> str:
    return _number(speed / baseline if speed else None)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"


def _mark(result: Result) -> str:
    return "*" if not result.reason and result.share < 1 else ""
