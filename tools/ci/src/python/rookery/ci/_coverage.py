"""Coverage of all shards together, held at the floor."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import coverage
from coverage.exceptions import CoverageException

from rookery.ci._errors import CiError


def merge_coverage(folder: Path, config: Path, floor: float, out: TextIO) -> float:
    """Adds up the coverage of all shards; each alone sees only its part of the code.

    Writes `coverage.xml` and `html/` beside the data.

    Args:
        folder: Where each shard has a folder `shard-*` with its `.coverage`.
        config: The configuration of coverage.
        floor: The least share that is accepted, in percent.
        out: Where the table goes.

    Returns:
        The share of lines and branches that tests ran, in percent.

    Raises:
        CiError: There is no data, it cannot be read, or the share is too small.
    """
    shards = sorted(folder.glob("shard-*/.coverage"))
    if not shards:
        raise CiError(
            f"{folder}/shard-*/.coverage: no coverage data; run the tests with "
            "PANTS_CONFIG_FILES=pants.ci.toml and the hooks, as .ci/run does"
        )
    merged = folder / ".coverage"
    merged.unlink(missing_ok=True)
    try:
        data = coverage.Coverage(data_file=str(merged), config_file=str(config))
        data.combine([str(path) for path in shards], keep=True)
        total = data.report(file=out)
        data.xml_report(outfile=str(folder / "coverage.xml"))
        data.html_report(directory=str(folder / "html"))
    except CoverageException as error:
        raise CiError(f"{folder}: {error}") from error
    if total < floor:
        raise CiError(
            f"coverage is {total:.2f} %, below the floor of {floor:g} %; "
            f"{folder}/html/index.html shows what no test runs"
        )
    return total
