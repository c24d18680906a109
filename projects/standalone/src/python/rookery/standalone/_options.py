"""What a person asks of the platform on the command line."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SYNTHETIC = "synthetic:"
STDIN = "-"
# Lively to look at, while two cores have hardly anything to do.
SYNTHETIC_RATE = 300.0


def default_workers() -> int:
    """One match worker for two cores, at least one."""
    return max(1, (os.cpu_count() or 1) // 2)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a person asks of the platform.

    Attributes:
        sources: Files, patterns, `-`, or `synthetic:`, which is also what is read if
            there is none.
        name: Name of the source; None: it follows from the files.
        file_format: Format of the files; None: found out.
        columns: Which columns hold the parts of a post.
        time: Where the time of a post comes from.
        rate: Posts per second of the synthetic source.
        limit: How many posts the synthetic source has; None: no end.
        seed: Of the synthetic source.
        rules: File of rules; None: those that are already there.
        port: Port of the page; None: the first free one.
        workers: Number of match workers.
        seconds: After how many seconds to stop; None: never.
        until_done: Whether to stop when everything is archived.
    """

    sources: Sequence[str] = ()
    name: str | None = None
    file_format: str | None = None
    columns: str | None = None
    time: str | None = None
    rate: float | None = None
    limit: int | None = None
    seed: int | None = None
    rules: Path | None = None
    port: int | None = None
    workers: int = 1
    seconds: float | None = None
    until_done: bool = False

    @property
    def is_synthetic(self) -> bool:
        """Whether the posts are made up."""
        return not self.sources or list(self.sources) == [SYNTHETIC]

    @property
    def is_demo(self) -> bool:
        """Whether nothing was asked for, so that sample posts and rules are shown."""
        return self.is_synthetic and self.rules is None

    @property
    def is_finite(self) -> bool:
        """Whether the source comes to an end."""
        return not self.is_synthetic or self.limit is not None

    def ingest_arguments(self) -> list[str]:
        """Returns the arguments of ingest, without its command."""
        arguments: list[str] = []
        for source in self.sources or [SYNTHETIC]:
            arguments += ["--source", source]
        rate = self.rate
        if rate is None and self.is_synthetic and self.limit is None:
            rate = SYNTHETIC_RATE
        for flag, value in (
            ("--name", self.name),
            ("--format", self.file_format),
            ("--columns", self.columns),
            ("--time", self.time),
            ("--rate", None if rate is None else f"{rate:g}"),
            ("--limit", self.limit),
            ("--seed", self.seed),
        ):
            if value is not None:
                arguments += [flag, str(value)]
        return arguments
