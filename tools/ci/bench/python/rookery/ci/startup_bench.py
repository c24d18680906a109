"""How long a component takes to say its version, measured against a plain zip file.

Each PEX of `./pants package projects::` is started as its user would: the first time,
when it unpacks itself into its cache, and then again. The baseline is the same file told
to run from the archive (`PEX_VENV=0`), as PEX files do unless they were built with
`execution_mode="venv"`. CPU time of the process and its children is what holds on a
machine with other work; the wall clock stands beside it.

    python tools/ci/bench/python/rookery/ci/startup_bench.py [PEX...]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess  # nosec B404
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROUNDS = 5


def start(pex: Path, root: str, *, archive: bool) -> tuple[float, float]:
    """Starts a component once.

    Args:
        pex: The file.
        root: The folder that it unpacks itself into.
        archive: Whether it runs from the archive.

    Returns:
        Seconds of CPU time, and seconds by the clock.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PEX_ROOT": root,
        "HOME": root,
        **({"PEX_VENV": "0"} if archive else {}),
    }
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(  # nosec B603
        [pex, "--version"], check=True, env=environment, stdout=subprocess.DEVNULL
    )
    after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, end - begin


def measure(pex: Path, *, archive: bool) -> tuple[float, float, float]:
    """Starts a component for the first time, and then again.

    Args:
        pex: The file.
        archive: Whether it runs from the archive.

    Returns:
        CPU seconds of the first start, and the medians of the next ones: CPU seconds,
        seconds by the clock.
    """
    with tempfile.TemporaryDirectory() as root:
        first, _ = start(pex, root, archive=archive)
        later = [start(pex, root, archive=archive) for _ in range(ROUNDS)]
    cpu, clock = (statistics.median(column) for column in zip(*later, strict=True))
    return first, cpu, clock


def main(arguments: Sequence[str]) -> None:
    """Prints one table."""
    found = [Path(name) for name in arguments]
    found = found or sorted(Path("dist").glob("projects.*/*.pex"))
    if not found:
        sys.exit("no PEX in dist: run `./pants package projects::` first")
    columns = ("component", "MB", "first CPU s", "archive CPU s", "CPU s", "s", "ratio")
    print("{:14}{:>7}{:>13}{:>15}{:>8}{:>8}{:>8}".format(*columns))
    for pex in found:
        _, baseline, _ = measure(pex.resolve(), archive=True)
        first, cpu, clock = measure(pex.resolve(), archive=False)
        print(
            f"{pex.stem:14}{pex.stat().st_size / 1e6:7.1f}{first:13.2f}"
            f"{baseline:15.2f}{cpu:8.2f}{clock:8.2f}{baseline / cpu:8.1f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
