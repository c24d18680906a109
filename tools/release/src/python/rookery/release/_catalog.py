"""The packages of the repository, out of what `./pants peek ::` prints.

A package is a wheel or an image. Its inputs are the files of all targets it is made from,
their BUILD files, and the macros of BUILD files.
"""

from __future__ import annotations

import dataclasses
import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from rookery.release._errors import BuildError

PREFIX = "rookery-"
# A target with this tag is no package, whatever its type.
UNRELEASED = "unreleased"
_LOCKS = frozenset({"_lockfile", "_lockfiles"})
_OWNABLE = frozenset({"python_source", "python_test_utils", "resource"})

Kind = Literal["wheel", "image"]


@dataclasses.dataclass(frozen=True)
class Package:
    """What can be released.

    Args:
        name: Its name, as in tags.
        kind: A wheel or an image.
        target: The address of the target that makes it.
        inputs: The files it is made from.
        folders: The folders of the BUILD files that say so.
        requires: The packages whose wheels its wheel pins.
        repository: The repository of an image, such as `rookery/ingest`.
    """

    name: str
    kind: Kind
    target: str
    inputs: frozenset[str]
    folders: frozenset[str]
    requires: tuple[str, ...] = ()
    repository: str = ""


@dataclasses.dataclass(frozen=True)
class Catalog:
    """The packages, and what else can be tagged.

    Args:
        packages: Wheels, each after those it requires, then images by name.
        stamped: Packages that are shipped otherwise, as a PEX.
        folders: The folders of all BUILD files.
    """

    packages: tuple[Package, ...]
    stamped: frozenset[str]
    folders: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """Every name that a tag can begin with."""
        return frozenset(package.name for package in self.packages) | self.stamped


def read_catalog(text: str, preludes: Iterable[str] = ()) -> Catalog:
    """Reads the packages.

    Args:
        text: What `./pants peek ::` prints.
        preludes: Files of macros, which every BUILD file depends on.

    Returns:
        The packages.

    Raises:
        BuildError: The text is something else.
    """
    try:
        targets = {target["address"]: target for target in json.loads(text)}
    except (ValueError, TypeError, KeyError) as error:
        raise BuildError(f"`./pants peek ::` prints no targets: {error}") from error
    graph = _Graph(targets, frozenset(preludes))
    wheels = graph.wheels()
    return Catalog(
        packages=(*_in_order(wheels), *graph.images()),
        stamped=frozenset(
            target["package"]
            for target in targets.values()
            if target["target_type"] == "build_stamp"
        ),
        folders=frozenset(graph.folder(address) for address in targets),
    )


class _Graph:
    def __init__(
        self, targets: Mapping[str, Mapping[str, Any]], preludes: frozenset[str]
    ) -> None:
        self.targets = targets
        self.preludes = preludes
        # Pants asks the wheel nearest above a source who owns it, if it contains it.
        self.distributions: dict[str, frozenset[str]] = {
            address: self.closure(address)
            for address, target in targets.items()
            if target["target_type"] == "python_distribution"
            and UNRELEASED not in (target.get("tags") or ())
        }

    def closure(self, root: str) -> frozenset[str]:
        found: set[str] = set()
        waiting = [root]
        while waiting:
            address = waiting.pop()
            if address in found or address not in self.targets:
                continue
            found.add(address)
            waiting += self.targets[address].get("dependencies") or ()
        return frozenset(found)

    def folder(self, address: str) -> str:
        return _folder(address, self.targets[address].get("sources") or ())

    def inputs(self, closure: frozenset[str], kind: Kind) -> frozenset[str]:
        files: set[str] = set(self.preludes)
        for address in closure:
            # A wheel pins what requirements.txt says; only an image holds what the
            # lockfile says.
            if kind == "wheel" and self.targets[address]["target_type"] in _LOCKS:
                continue
            files.update(self.targets[address].get("sources") or ())
            files.add(posixpath.join(self.folder(address), "BUILD"))
        return frozenset(files)

    def name(self, address: str) -> str:
        return str(self.targets[address]["provides"]["name"])

    def wheels(self) -> list[Package]:
        published = {address: address for address in self.distributions}
        for address, target in self.targets.items():
            if target["target_type"] == "versioned_wheel":
                for dependency in target["dependencies"]:
                    published[dependency] = address
        return [
            self._package(
                self.name(address),
                "wheel",
                published[address],
                closure | {published[address]},
                requires=tuple(sorted(self._requires(address, closure))),
            )
            for address, closure in self.distributions.items()
        ]

    def images(self) -> list[Package]:
        found: list[Package] = []
        for address, target in self.targets.items():
            repository = str(target.get("repository") or "")
            if (
                target["target_type"] != "docker_image"
                or not repository.startswith("rookery/")
                or UNRELEASED in (target.get("tags") or ())
            ):
                continue
            found.append(
                self._package(
                    repository.replace("/", "-"),
                    "image",
                    address,
                    self.closure(address),
                    repository=repository,
                )
            )
        return sorted(found, key=lambda package: package.name)

    def _package(
        self,
        name: str,
        kind: Kind,
        target: str,
        closure: frozenset[str],
        *,
        requires: tuple[str, ...] = (),
        repository: str = "",
    ) -> Package:
        return Package(
            name=name,
            kind=kind,
            target=target,
            inputs=self.inputs(closure, kind),
            folders=frozenset(map(self.folder, closure)),
            requires=requires,
            repository=repository,
        )

    def _requires(self, address: str, closure: frozenset[str]) -> set[str]:
        owners: set[str] = set()
        for member in closure - {address}:
            kind = self.targets[member]["target_type"]
            if kind == "python_distribution" and member in self.distributions:
                owners.add(member)
            elif kind in _OWNABLE:
                owners |= self._owner(member)
        return {self.name(owner) for owner in owners - {address}}

    def _owner(self, member: str) -> set[str]:
        above = [
            owner
            for owner, closure in self.distributions.items()
            if member in closure
            and f"{self.folder(member)}/".startswith(f"{self.folder(owner)}/")
        ]
        return (
            {max(above, key=lambda owner: len(self.folder(owner)))} if above else set()
        )


def _folder(address: str, sources: Iterable[str] = ()) -> str:
    """Returns the folder of the BUILD file of an address.

    An address is `folder:name`, `folder`, `folder/file.py`, `folder/sub/file.py:../name`,
    `folder#generated`, each with `@parameters`.
    """
    path, _, name = address.partition("@")[0].partition("#")[0].partition(":")
    path = path.removeprefix("//")
    if path in sources:
        path = posixpath.dirname(path)
        for _ in range(name.count("../")):
            path = posixpath.dirname(path)
    return path


def _in_order(wheels: Sequence[Package]) -> list[Package]:
    by_name = {package.name: package for package in wheels}
    done: dict[str, Package] = {}

    def visit(package: Package) -> None:
        if package.name in done:
            return
        for name in package.requires:
            visit(by_name[name])
        done[package.name] = package

    for name in sorted(by_name):
        visit(by_name[name])
    return list(done.values())
