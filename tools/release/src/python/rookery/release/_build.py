"""Builds what is to be published, with Pants."""

from __future__ import annotations

import collections
import json
import os
import subprocess  # nosec B404
import sys
import zipfile
from collections.abc import Mapping, Sequence
from email.parser import HeaderParser
from pathlib import Path

from rookery.ci import inherited
from rookery.release._errors import (
    BuildError,
    StorageError,
    UnavailableError,
    storage_trouble,
)
from rookery.release._plan import Entry, Plan
from rookery.versions import VERSIONS_VARIABLE

# Where wheels for publication are built, apart from what `./pants package` makes.
FOLDER = Path("dist/release")

_TESTS = "python_test,python_tests"


def pants(
    root: Path, *words: str, variables: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Starts Pants.

    Args:
        root: The repository.
        *words: The arguments.
        variables: Variables to add to the environment.

    Returns:
        The process, with both outputs as pipes.

    Raises:
        UnavailableError: There is no launcher.
    """
    # The outer run, of which this is a part, may hold the daemon.
    environment = inherited(os.environ) | {"PANTS_CONCURRENT": "true"}
    environment |= variables or {}
    try:
        return subprocess.Popen(  # nosec B603
            [str(root.absolute() / "pants"), "--no-dynamic-ui", *words],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise UnavailableError(
            f"{root}/pants: {error.strerror}; run this from the top of the repository"
        ) from error


def peek(root: Path) -> str:
    """Asks Pants for all targets but tests.

    Args:
        root: The repository.

    Returns:
        What `./pants peek ::` prints.
    """
    # Nothing is made from tests, and they are most of what there is to look at.
    process = pants(root, f"--filter-target-type=-{_TESTS}", "peek", "::")
    printed, said = process.communicate()
    _check("peek ::", process.returncode, said)
    return printed


def package(root: Path, targets: Sequence[str], variables: Mapping[str, str]) -> None:
    """Runs `./pants package`; what it says goes to standard error meanwhile.

    Args:
        root: The repository.
        targets: The addresses.
        variables: Variables to add to the environment.
    """
    process = pants(
        root,
        f"--pants-distdir={FOLDER.as_posix()}",
        "package",
        *targets,
        variables=variables,
    )
    last: collections.deque[str] = collections.deque(maxlen=200)
    for line in process.stderr or ():
        sys.stderr.write(line)
        last.append(line)
    code = process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    _check("package", code, "".join(last))


def build(root: Path, plan: Plan) -> None:
    """Builds what a plan wants: wheels into `FOLDER`, images into the engine.

    Args:
        root: The repository.
        plan: The plan.
    """
    shared = {VERSIONS_VARIABLE: json.dumps(plan.versions)}
    wheels = [entry.package for entry in plan.wanted if entry.package.kind == "wheel"]
    if wheels:
        package(root, [wheel.target for wheel in wheels], shared)
    for entry in plan.wanted:
        if entry.package.kind == "image":
            # One after the other: the version is a variable, and each has its own.
            own = {
                "ROOKERY_IMAGE_TAG": image_tag(entry.version),
                "VERSION": entry.version,
                "COMMIT": plan.commit,
                "BUILT": plan.built,
            }
            package(root, [entry.package.target], shared | own)


def image_tag(version: str) -> str:
    """Writes a version as the tag of an image, which knows no `+` and no `!`.

    Args:
        version: The version.

    Returns:
        The tag.
    """
    return version.replace("+", "-").replace("!", "-")


def find_wheel(folder: Path, entry: Entry, versions: Mapping[str, str]) -> Path:
    """Finds the wheel that was built, and makes sure that it is what was planned.

    Args:
        folder: Where wheels are built.
        entry: What was planned.
        versions: The version of every package.

    Returns:
        The file.

    Raises:
        BuildError: There is none, or it says something else.
    """
    name = entry.package.name.replace("-", "_")
    found = sorted(folder.glob(f"{name}-{entry.version}-*.whl"))
    if len(found) != 1:
        raise BuildError(
            f"{folder}: {len(found)} wheels {name}-{entry.version}-*.whl where there "
            f"should be one: {entry.package.target} makes another version"
        )
    problems = check_wheel(found[0], entry, versions)
    if problems:
        raise BuildError(f"{found[0].name}: {'; '.join(problems)}")
    return found[0]


def check_wheel(wheel: Path, entry: Entry, versions: Mapping[str, str]) -> list[str]:
    """Compares the metadata of a wheel with a plan.

    Args:
        wheel: The file.
        entry: What it should be.
        versions: The version of every package.

    Returns:
        What is wrong; empty if nothing is.
    """
    fields = read_metadata(wheel)
    expected = [f"{name}=={versions[name]}" for name in sorted(entry.package.requires)]
    pinned = sorted(
        requirement
        for requirement in fields["requires"]
        if requirement.startswith("rookery-")
    )
    problems: list[str] = []
    if fields["version"] != [entry.version]:
        problems.append(f"is version {fields['version']} instead of {entry.version}")
    if pinned != sorted(expected):
        problems.append(f"requires {pinned} instead of {sorted(expected)}")
    return problems


def read_metadata(wheel: Path) -> dict[str, list[str]]:
    """Reads the metadata of a wheel.

    Args:
        wheel: The file.

    Returns:
        Its `name`, `version` and `requires`.

    Raises:
        BuildError: It is no wheel.
        StorageError: It cannot be read.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            (member,) = (
                name
                for name in archive.namelist()
                if name.endswith(".dist-info/METADATA")
            )
            text = archive.read(member).decode("utf-8")
    except (zipfile.BadZipFile, ValueError) as error:
        raise BuildError(f"{wheel}: is no wheel: {error}") from error
    except OSError as error:
        raise StorageError(storage_trouble(wheel, error)) from error
    headers = HeaderParser().parsestr(text)
    return {
        "name": headers.get_all("Name", []),
        "version": headers.get_all("Version", []),
        "requires": headers.get_all("Requires-Dist", []),
    }


def _check(what: str, code: int, said: str) -> None:
    if not code:
        return
    if "No space left on device" in said:
        raise StorageError(
            f"`./pants {what}`: no space left on device; make room and run this again"
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    reason = next((line for line in lines if "Error" in line), "see above")
    raise BuildError(f"`./pants {what}` failed with exit code {code}: {reason}")
