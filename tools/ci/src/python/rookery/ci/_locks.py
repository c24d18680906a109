"""Lockfiles: do they still say what the requirements ask for, and name no index?

Pants writes into each lockfile the requirements it was made from. Comparing them needs
no network and no resolver, so a forgotten `generate-lockfiles` is found in a second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from rookery.ci._errors import CiError

_BEGIN = "// --- BEGIN PANTS LOCKFILE METADATA"
_END = "// --- END PANTS LOCKFILE METADATA"
_HOST = re.compile(r"\bhttps?:/*[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def normalise(requirement: str) -> str:
    """Returns a requirement in one spelling: PEP 503 name, no spaces.

    Args:
        requirement: A PEP 508 requirement, such as `Moto[server] == 5.2.5`.

    Returns:
        The same requirement, such as `moto[server]==5.2.5`.

    Raises:
        CiError: It begins with no name.
    """
    squeezed = re.sub(r"\s+", "", requirement)
    match = re.match(r"[A-Za-z0-9._-]+", squeezed)
    if match is None:
        raise CiError(f"{requirement!r} is not a requirement: it begins with no name")
    name = re.sub(r"[-_.]+", "-", match.group()).lower()
    return name + squeezed[match.end() :]


def read_requirements(paths: Iterable[Path]) -> set[str]:
    """Reads the requirements of one resolve.

    Args:
        paths: Its `requirements.txt` files.

    Returns:
        The normalised requirements.
    """
    found: set[str] = set()
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            text = re.sub(r"(^|\s)#.*", "", line).strip()
            if text:
                found.add(normalise(text))
    return found


def locked_requirements(path: Path) -> set[str]:
    """Reads what a lockfile was made from.

    Args:
        path: A lockfile that Pants generated.

    Returns:
        The normalised requirements in its header.

    Raises:
        CiError: The file has no such header.
    """
    header: list[str] = []
    inside = False
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(_END):
            break
        if inside:
            header.append(line.removeprefix("//").strip())
        inside = inside or line.startswith(_BEGIN)
    try:
        metadata = json.loads("\n".join(header))
        return {normalise(text) for text in metadata["generated_with_requirements"]}
    except (ValueError, KeyError, TypeError) as error:
        raise CiError(
            f"{path}: no Pants lockfile header; run `./pants generate-lockfiles`"
        ) from error


def check_lock(resolve: str, lock: Path, requirements: Iterable[Path]) -> list[str]:
    """Compares one lockfile with its requirements.

    Args:
        resolve: The name of the resolve.
        lock: Its lockfile.
        requirements: Its `requirements.txt` files.

    Returns:
        One line for each thing that is wrong; empty when nothing is.
    """
    again = f"run `./pants generate-lockfiles --resolve={resolve}`"
    if not lock.is_file():
        return [f"{resolve}: {lock} is missing; {again}"]
    asked = read_requirements(requirements)
    locked = locked_requirements(lock)
    problems = [
        f"{resolve}: {name} is required but not in {lock}; {again}"
        for name in sorted(asked - locked)
    ]
    problems += [
        f"{resolve}: {name} is in {lock} but no longer required; {again}"
        for name in sorted(locked - asked)
    ]
    hosts = sorted(set(_HOST.findall(lock.read_text("utf-8"))))
    problems += [
        f"{resolve}: {lock} names the host {host}; lockfiles hold none, "
        f"so that any index serves them; {again}"
        for host in hosts
    ]
    return problems


def requirement_files(
    resolve: str, lock: Path, shared: Mapping[str, Iterable[Path]]
) -> list[Path]:
    """Returns the requirement files that make up a resolve.

    Args:
        resolve: The name of the resolve.
        lock: Its lockfile, beside which its own `requirements.txt` lies.
        shared: What a resolve takes over from elsewhere, by name.

    Returns:
        The files, the resolve's own first.
    """
    return [lock.with_name("requirements.txt"), *shared.get(resolve, ())]
