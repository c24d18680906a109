"""What continuous integration checks, as plain functions.

`locks` compares every lockfile with its requirements, `summary` adds up the test
reports. Standard library only, so that CI can trust it before anything is built.
"""

from rookery.ci._errors import CiError
from rookery.ci._locks import (
    check_lock,
    locked_requirements,
    read_requirements,
    requirement_files,
)
from rookery.ci._reports import Summary, read_allowed, read_reports

__all__ = [
    "CiError",
    "Summary",
    "check_lock",
    "locked_requirements",
    "read_allowed",
    "read_reports",
    "read_requirements",
    "requirement_files",
]
