"""Which build of the platform is running: version, commit, time."""

import json
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from typing_extensions import override

from rookery.service._errors import BuildInvalid

VERSION_VARIABLE = "ROOKERY_VERSION"
COMMIT_VARIABLE = "ROOKERY_COMMIT"
BUILT_VARIABLE = "ROOKERY_BUILT"
FROM_SOURCE = "0+source"

_NAMESPACE = "rookery"
_STAMP = "build.json"
_SHORT_COMMIT = 12
_REMEDY = "build the package again"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)


@dataclass(frozen=True)
class Build:
    """What was built, from which commit, and when.

    Its text is what `--version` prints; what is not known is left out.

    Attributes:
        version: A PEP 440 version; `0+source` in a checkout.
        commit: The whole commit id; None where it is not known.
        built: The time of the build, which is that of its commit, so that the same
            commit gives the same bytes; None where it is not known.
    """

    version: str
    commit: str | None = None
    built: datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether anybody has said what was built; nobody has in a checkout."""
        return self.version != FROM_SOURCE

    @override
    def __str__(self) -> str:
        known = []
        if self.commit:
            known.append(f"commit {self.commit[:_SHORT_COMMIT]}")
        if self.built:
            known.append(f"built {self.built.astimezone(UTC).strftime(_TIME)}")
        return f"{self.version} ({', '.join(known)})" if known else self.version


def build(distribution: str) -> Build:
    """Finds out which build is running, from the first that says so.

    An image says it in its environment (`ROOKERY_VERSION`, `ROOKERY_COMMIT`,
    `ROOKERY_BUILT`), a PEX in its file `rookery/build.json`, a wheel in its metadata.
    `BuildInvalid` is raised for what cannot be used there.

    Args:
        distribution: Name of the wheel that is asked if neither environment nor file
            say anything, such as `rookery-lake`.

    Returns:
        The build; version `0+source` when it runs from a checkout.
    """
    return (
        _of_environment()
        or _of_stamp()
        or _of_metadata(distribution)
        or Build(FROM_SOURCE)
    )


def _of_environment() -> Build | None:
    version = os.environ.get(VERSION_VARIABLE, "").strip()
    if not version:
        return None
    commit = os.environ.get(COMMIT_VARIABLE, "").strip()
    built = os.environ.get(BUILT_VARIABLE, "").strip()
    return Build(
        version,
        _commit(commit, COMMIT_VARIABLE) if commit else None,
        _time(built, BUILT_VARIABLE) if built else None,
    )


def _of_stamp() -> Build | None:
    # Several folders make up the namespace package; one of them may have the file. Not
    # by importlib.resources: it refuses a namespace of which a part is in an archive.
    for folder in sys.modules[_NAMESPACE].__path__:
        path = Path(folder) / _STAMP
        try:
            return _of_data(path.read_bytes(), str(path))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise BuildInvalid(f"{path} cannot be read: {error.strerror}") from error
    return None


def _of_data(data: bytes, where: str) -> Build:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BuildInvalid(f"{where} is not JSON: {error}; {_REMEDY}") from error
    version = said.get("version") if isinstance(said, dict) else None
    if not isinstance(version, str) or not version.strip():
        raise BuildInvalid(f"{where} names no version; {_REMEDY}")
    commit, built = said.get("commit"), said.get("built")
    return Build(
        version.strip(),
        None if commit is None else _commit(commit, f"commit in {where}"),
        None if built is None else _time(built, f"built in {where}"),
    )


def _of_metadata(distribution: str) -> Build | None:
    # Imported late: it is slow to load, and seldom asked.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Build(version(distribution))
    except PackageNotFoundError:
        return None


def _commit(value: object, where: str) -> str:
    if isinstance(value, str) and _COMMIT.fullmatch(value):
        return value.lower()
    raise BuildInvalid(
        f"{where}: {value!r} is not the id of a commit, 7 to 64 hexadecimal digits"
    )


def _time(value: object, where: str) -> datetime:
    try:
        return datetime.strptime(str(value), _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise BuildInvalid(
            f"{where}: {value!r} is not a time in UTC such as 2026-11-21T15:00:00Z"
        ) from None
