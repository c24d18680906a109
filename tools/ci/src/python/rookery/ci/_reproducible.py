"""Are wheels and PEXes the same, byte by byte, when they are built again from nothing?"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess  # nosec B404
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rookery.ci._environment import inherited
from rookery.ci._errors import CiError

# What `./pants --tag=-image,bench package ::` makes for others to install or run.
_SUFFIXES = (".whl", ".pex")
# How many members of an archive a message names.
_NAMED = 10
# Below dist, and not made by `package`.
_OTHERS = {"ci", "reproducible", "test", "coverage", "images"}


@dataclass(frozen=True)
class Comparison:
    """Two builds of the same commit.

    Attributes:
        same: The sha256 of each file that is the same in both.
        problems: One line for each that is not.
    """

    same: Mapping[str, str]
    problems: tuple[str, ...]


def compare(first: Path, second: Path) -> Comparison:
    """Compares the wheels and PEXes below two folders.

    Args:
        first: What one build made.
        second: What another made.

    Returns:
        What is the same, and what is not. Two empty folders are a problem too.
    """
    here, there = _archives(first), _archives(second)
    same: dict[str, str] = {}
    problems: list[str] = []
    for name in sorted(here.keys() | there.keys()):
        if name not in there:
            problems.append(f"{name} is only in {first}")
        elif name not in here:
            problems.append(f"{name} is only in {second}")
        elif (digest := _sha256(here[name])) == _sha256(there[name]):
            same[name] = digest
        else:
            problems.append(f"{name} differs: {_why(here[name], there[name])}")
    if not here and not there:
        problems.append(f"{first} and {second} hold no wheel and no PEX")
    return Comparison(same, tuple(problems))


def build_from_nothing(root: Path, target: Path, env: Mapping[str, str]) -> Path:
    """Builds all wheels and PEXes with empty caches.

    Args:
        root: The work tree.
        target: Where they go, below the work tree.
        env: The environment.

    Returns:
        The target.

    Raises:
        CiError: The build failed.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    # Neither results nor downloads of other builds are of any help here.
    unset = (
        "PANTS_LOCAL_STORE_DIR",
        "PANTS_NAMED_CACHES_DIR",
        "PANTS_REMOTE_CACHE_READ",
    )
    clean = {name: value for name, value in inherited(env).items() if name not in unset}
    clean |= {
        "PANTS_REMOTE_CACHE_WRITE": "false",
        "PANTS_CONCURRENT": "true",
    }
    with tempfile.TemporaryDirectory(prefix="rookery-build-") as caches:
        command = [
            "./pants",
            "--no-pantsd",
            f"--local-store-dir={caches}/store",
            f"--named-caches-dir={caches}/named",
            f"--pants-workdir={caches}/workdir",
            f"--pants-distdir={target.absolute()}",
            "--tag=-image,bench",
            "package",
            "::",
        ]
        done = subprocess.run(  # nosec B603
            command, cwd=root, env=clean, check=False, stdin=subprocess.DEVNULL
        )
    if done.returncode:
        raise CiError(f"`{' '.join(command)}` ended with exit code {done.returncode}")
    return target


def _archives(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for top, folders, names in os.walk(folder):
        if Path(top) == folder:
            folders[:] = [name for name in folders if name not in _OTHERS]
        for name in names:
            path = Path(top, name)
            if name.endswith(_SUFFIXES):
                found[path.relative_to(folder).as_posix()] = path
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _why(first: Path, second: Path) -> str:
    try:
        with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as two:
            reasons = list(itertools.islice(_members(one, two), _NAMED + 1))
    except zipfile.BadZipFile as error:
        return f"not an archive to look into ({error})"
    if not reasons:
        return "the same members; what lies before or between them is not the same"
    more = ["..."] if len(reasons) > _NAMED else []
    return "; ".join(reasons[:_NAMED] + more)


def _members(one: zipfile.ZipFile, two: zipfile.ZipFile) -> Iterator[str]:
    here, there = (
        {info.filename: info for info in zip_.infolist()} for zip_ in (one, two)
    )
    for name in sorted(here.keys() - there.keys()):
        yield f"{name} is only in the first"
    for name in sorted(there.keys() - here.keys()):
        yield f"{name} is only in the second"
    for name, info in here.items():
        other = there.get(name)
        if other is None:
            continue
        if (info.CRC, info.file_size) != (other.CRC, other.file_size):
            yield f"{name}: other content"
        elif info.date_time != other.date_time:
            yield f"{name}: other time"
        elif info.external_attr != other.external_attr:
            yield f"{name}: other permissions"
        elif (info.compress_type, info.extra) != (other.compress_type, other.extra):
            yield f"{name}: packed otherwise"
    if list(here) != list(there) and here.keys() == there.keys():
        yield "the order of the members"
