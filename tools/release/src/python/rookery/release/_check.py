"""Compares what was packaged with the versions that it should have."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from rookery.release._build import read_metadata
from rookery.release._catalog import PREFIX
from rookery.release._errors import RefusedError

STAMP = "rookery/build.json"
# Wheels without a version of their own, which code inside the repository uses, and those
# of releases, which may be of another commit.
_PASSED_OVER = frozenset({"unversioned", "release"})


def check_folder(
    folder: Path, versions: Mapping[str, str], commit: str, built: str
) -> tuple[list[str], list[str]]:
    """Checks every wheel and every PEX in a folder.

    Args:
        folder: What `./pants package` has written.
        versions: The version that each package should have.
        commit: The commit that all should be built from.
        built: Its time.

    Returns:
        A line for each file that is right, and one for each thing that is wrong.

    Raises:
        RefusedError: There is neither a wheel nor a PEX with a stamp.
    """
    right: list[str] = []
    wrong: list[str] = []
    for path in sorted(folder.rglob("*")):
        if _PASSED_OVER.intersection(path.relative_to(folder).parts):
            continue
        if path.suffix == ".whl":
            said, problems = _wheel(path, versions)
        elif path.suffix == ".pex" and path.is_file():
            said, problems = _pex(path, versions, commit, built)
        else:
            continue
        wrong += [f"{path}: {problem}" for problem in problems]
        if said and not problems:
            right.append(f"{path}: {said}")
    if not right and not wrong:
        raise RefusedError(
            f"{folder}: no wheel and no PEX with {STAMP}; run `./pants package ::` first"
        )
    return right, wrong


def _wheel(path: Path, versions: Mapping[str, str]) -> tuple[str, list[str]]:
    fields = read_metadata(path)
    name, version = fields["name"][0], fields["version"][0]
    if name not in versions:
        return "", [f"{name} is no package of this repository"]
    problems: list[str] = []
    if version != versions[name]:
        problems.append(f"is version {version}, and should be {versions[name]}")
    pins = [pin for pin in fields["requires"] if pin.startswith(PREFIX)]
    for pin in pins:
        required, _, pinned = pin.partition("==")
        if pinned != versions.get(required):
            problems.append(f"requires {pin}, and should {versions.get(required)}")
    return f"{name} {version}, requires {', '.join(pins) or 'none of ours'}", problems


def _pex(
    path: Path, versions: Mapping[str, str], commit: str, built: str
) -> tuple[str, list[str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            if STAMP not in archive.namelist():
                return "", []
            stamp = json.loads(archive.read(STAMP))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        return "", [f"cannot be read: {error}"]
    expected = {
        "package": stamp.get("package"),
        "version": versions.get(str(stamp.get("package"))),
        "commit": commit,
        "built": built,
    }
    problems = [
        f"its {STAMP} says {key} {stamp.get(key)!r}, and should {value!r}"
        for key, value in expected.items()
        if stamp.get(key) != value
    ]
    return f"{stamp.get('package')} {stamp.get('version')}", problems
