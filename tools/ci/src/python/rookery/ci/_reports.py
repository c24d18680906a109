"""JUnit reports of many test files, added up to one honest summary.

A run that tested nothing, or that skipped what it was meant to test, must not look
green. So skips are counted by reason, and only reasons on a list are accepted.
"""

from __future__ import annotations

import enum
import fnmatch
import re

# The reports come from our own test runner, not from outside.
import xml.etree.ElementTree as ElementTree  # nosec B405
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rookery.ci._errors import CiError


@dataclass(frozen=True)
class Summary:
    """What a set of JUnit reports says.

    Attributes:
        files: How many test files reported.
        passed: Test cases that passed.
        failed: The names of the test cases that failed or broke.
        skipped: How many test cases were skipped, by reason.
        seconds: Time spent in test cases, all files together.
    """

    files: int
    passed: int
    failed: tuple[str, ...]
    skipped: Mapping[str, int]
    seconds: float

    def unexpected_skips(self, allowed: Iterable[str]) -> list[str]:
        """Returns the skip reasons that no pattern allows.

        Args:
            allowed: Shell patterns (`fnmatch`) of accepted reasons.

        Returns:
            The reasons that match none of them, sorted.
        """
        patterns = list(allowed)
        return sorted(
            reason
            for reason in self.skipped
            if not any(fnmatch.fnmatchcase(reason, pattern) for pattern in patterns)
        )

    def lines(self) -> list[str]:
        """Returns the summary as the lines that a run ends with."""
        lines = [f"failed: {name}" for name in self.failed]
        lines.append(f"{self.passed} passed, {len(self.failed)} failed")
        total = sum(self.skipped.values())
        lines.append(f"skips: {total} in {self.files} test files")
        lines += [
            f"  {count} x {reason}" for reason, count in sorted(self.skipped.items())
        ]
        return lines


def read_reports(folder: Path) -> Summary:
    """Adds up all JUnit reports below a folder.

    Args:
        folder: Where the test runner wrote its `*.xml` files.

    Returns:
        Their sum.

    Raises:
        CiError: There is no report, or one is not JUnit XML.
    """
    paths = sorted(folder.rglob("*.xml"))
    if not paths:
        raise CiError(
            f"{folder}: no JUnit report; run the tests with "
            "PANTS_CONFIG_FILES=pants.ci.toml first"
        )
    cases: dict[_Case, tuple[_State, str]] = {}
    seconds = 0.0
    for path in paths:
        seen: Counter[tuple[str, str]] = Counter()
        for case in _cases(path):
            seconds += float(case.get("time") or 0)
            name = (case.get("classname") or "", case.get("name") or "")
            seen[name] += 1
            key = _Case(path.name, *name, seen[name])
            # The same test may stand in two reports: skipped where it could not run yet,
            # run in a later step. It counts once, as the most that came of it.
            cases[key] = max(cases.get(key, (_State.ABSENT, "")), _state(case))
    states = Counter(state for state, _ in cases.values())
    return Summary(
        files=len({case.report for case in cases}),
        passed=states[_State.PASSED],
        failed=tuple(
            f"{case.classname}::{case.name}"
            for case, (state, _) in cases.items()
            if state is _State.FAILED
        ),
        skipped=Counter(
            reason for state, reason in cases.values() if state is _State.SKIPPED
        ),
        seconds=seconds,
    )


class _State(enum.IntEnum):
    """What became of a test case; of two, the greater one counts."""

    ABSENT = 0
    SKIPPED = 1
    PASSED = 2
    FAILED = 3


class _Case(NamedTuple):
    report: str
    classname: str
    name: str
    occurrence: int


def _cases(path: Path) -> Iterator[ElementTree.Element]:
    try:
        root = ElementTree.parse(path).getroot()  # nosec B314
    except ElementTree.ParseError as error:
        raise CiError(f"{path}: not a JUnit report: {error}") from error
    return root.iter("testcase")


def _state(case: ElementTree.Element) -> tuple[_State, str]:
    if case.find("failure") is not None or case.find("error") is not None:
        return _State.FAILED, ""
    skip = case.find("skipped")
    return (_State.PASSED, "") if skip is None else (_State.SKIPPED, _reason(skip))


def read_allowed(path: Path) -> list[str]:
    """Reads a list of accepted skip reasons.

    Args:
        path: One shell pattern a line; blank lines and `#` lines are comments.

    Returns:
        The patterns in order.
    """
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _reason(skip: ElementTree.Element) -> str:
    message = skip.get("message") or (skip.text or "").strip() or "no reason given"
    return re.sub(r"^Skipped: ", "", message)
