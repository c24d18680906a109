"""The words of the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from typing_extensions import override

from rookery.matching_bench._sides import SIDES, Side, Workload

_SIZES: Final = (100, 1_000, 10_000, 100_000)
_DESCRIPTION: Final = """\
Measures how many posts a second this engine matches, and what else Python offers for it,
side by side on the same posts and rules. Results are compared first: a side that does not
find the same ends the run. Progress goes to stderr, the table to stdout."""
_EPILOG: Final = """\
Posts and terms are real where ROOKERY_DATA names the folder that has them, else made up.
docs/benchmarks.md says what is measured and how. To write it anew:

  ./pants run projects/matching:bench -- --write docs/benchmarks.md"""


@dataclass(frozen=True)
class Options:
    """What was asked for; attributes are named after the options."""

    rules: tuple[int, ...]
    workloads: tuple[Workload, ...]
    sides: tuple[Side, ...]
    posts: int
    batch: int
    rounds: int
    seconds: float
    build_limit: float
    markdown: bool
    json: Path | None
    plot: Path | None
    write: Path | None
    remake: Path | None


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> NoReturn:
        """Ends the process as a wrong call, in one line."""
        self.exit(64, f"error: {message}; see --help\n")


def parse(arguments: list[str] | None) -> Options:
    """Reads the command line.

    Args:
        arguments: Its words; those of the process if left out.

    Returns:
        What was asked for.
    """
    parser = _Parser(
        prog="bench",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--rules",
        type=_sizes,
        default=_SIZES,
        metavar="N,...",
        help="how many rules there are, 100,1000,10000,100000 if left out",
    )
    add(
        "--workloads",
        type=_workloads,
        default=tuple(Workload),
        metavar="W,...",
        help="phrases, rules, or both with a comma",
    )
    add(
        "--sides",
        type=_sides,
        default=SIDES,
        metavar="S,...",
        help="which sides take part, all if left out: "
        + ", ".join(side.key for side in SIDES),
    )
    add(
        "--posts",
        type=_positive,
        default=20_000,
        metavar="N",
        help="how many different posts are read (20000)",
    )
    add(
        "--batch",
        type=_positive,
        default=4_000,
        metavar="N",
        help="how many posts are a batch (4000)",
    )
    add(
        "--rounds",
        type=_positive,
        default=5,
        metavar="N",
        help="how often each side is measured; the median counts (5)",
    )
    add(
        "--seconds",
        type=_seconds,
        default=0.5,
        metavar="S",
        help="how long a round is at least (0.5)",
    )
    add(
        "--build-limit",
        type=_seconds,
        default=120.0,
        metavar="S",
        help="how many seconds of the processor a side may take to be made (120)",
    )
    add(
        "--quick",
        action="store_true",
        help="a look at it: 100 and 1,000 rules, 4,000 posts, 2 short rounds, "
        "unless said otherwise",
    )
    add("--markdown", action="store_true", help="print Markdown")
    add("--json", type=Path, metavar="FILE", help="write all results as JSON lines")
    add(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw posts/s against the number of rules, as a PNG",
    )
    add(
        "--write",
        type=Path,
        metavar="PAGE",
        help="put table and plot into a page, between its two markers, and the PNG beside it",
    )
    add(
        "--remake",
        type=Path,
        metavar="FILE",
        help="measure nothing: take the results that --json wrote",
    )
    options = vars(parser.parse_args(arguments))
    if options.pop("quick"):
        quick = {"rules": _SIZES[:2], "posts": 4_000, "rounds": 2, "seconds": 0.1}
        for name, value in quick.items():
            if options[name] == parser.get_default(name):
                options[name] = value
    for name in ("json", "plot", "write"):
        if options[name] is not None and not options[name].absolute().parent.is_dir():
            parser.error(f"--{name}: there is no folder {options[name].parent}")
    return Options(**options)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(map(_positive, text.split(","))))


def _workloads(text: str) -> tuple[Workload, ...]:
    try:
        return tuple(dict.fromkeys(map(Workload, text.split(","))))
    except ValueError:
        known = ", ".join(Workload)
        raise argparse.ArgumentTypeError(f"{text!r}: there are {known}") from None


def _sides(text: str) -> tuple[Side, ...]:
    keys = text.split(",")
    unknown = set(keys) - {side.key for side in SIDES}
    if unknown:
        known = ", ".join(side.key for side in SIDES)
        raise argparse.ArgumentTypeError(f"no side {min(unknown)!r}: there are {known}")
    return tuple(side for side in SIDES if side.key in keys)
