"""Publishes what a plan wants, and says exactly what was published and what was not."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from rookery.release._build import FOLDER, find_wheel, image_tag
from rookery.release._catalog import Package
from rookery.release._errors import (
    RefusedError,
    ReleaseError,
    StorageError,
    storage_trouble,
)
from rookery.release._images import Docker, same_content
from rookery.release._index import Index
from rookery.release._plan import Entry, Plan
from rookery.release._settings import Settings

# published: it is there now. same: it was there before. waiting: it is not there.
State = Literal["published", "same", "waiting"]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a package.

    Args:
        entry: What was planned.
        state: What happened.
        detail: Where it is, or why it is not there.
    """

    entry: Entry
    state: State
    detail: str


class Publisher:
    """Publishes wheels to an index and images to a registry.

    Args:
        settings: Where to.
        root: The repository.
        build: Builds what a plan wants.
        report: Is told each outcome as soon as there is one.
    """

    def __init__(
        self,
        settings: Settings,
        root: Path,
        build: Callable[[Path, Plan], None],
        report: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._root = root
        self._build = build
        self._report = report
        self._index = Index(settings)
        self._docker = Docker(settings.docker)

    def exists(self, package: Package, version: str) -> bool | None:
        """Tells whether a version of a package is published.

        Args:
            package: The package.
            version: The version.

        Returns:
            Whether it is; None where no index or registry is set.
        """
        if package.kind == "image":
            if not self._settings.registry:
                return None
            return self._docker.published(self.reference(package, version)) is not None
        if not self._settings.index:
            return None
        prefix = f"{package.name.replace('-', '_')}-{version}-"
        return any(name.startswith(prefix) for name in self._index.files(package.name))

    def reference(self, package: Package, version: str) -> str:
        """Returns the name of an image in the registry.

        Args:
            package: The package.
            version: The version.

        Returns:
            Registry, prefix, name and tag.
        """
        name = package.repository.rpartition("/")[2]
        return f"{self._settings.registry}/{name}:{image_tag(version)}"

    def publish(self, plan: Plan) -> tuple[list[Outcome], ReleaseError | None]:
        """Builds and publishes, one package after the other.

        Running it again after a failure does the rest: what is there already, with the
        same content, is passed over.

        Args:
            plan: What to publish.

        Returns:
            What became of each package, and the error that ended it, if one did.

        Raises:
            RefusedError: The plan says that nothing may be published.
        """
        if plan.refusals:
            raise RefusedError(plan.refusals[0])
        kinds = {entry.package.kind for entry in plan.wanted}
        if "wheel" in kinds:
            self._settings.require_index()
        if "image" in kinds:
            self._settings.require_registry()
            self._docker.check()
        if kinds:
            self._build(self._root, plan)
        return self._all(plan)

    def _all(self, plan: Plan) -> tuple[list[Outcome], ReleaseError | None]:
        outcomes: list[Outcome] = []
        failure: ReleaseError | None = None
        for entry in plan.wanted:
            if failure is None:
                try:
                    outcome = self._one(entry, plan)
                except ReleaseError as error:
                    failure = error
                    outcome = Outcome(entry, "waiting", str(error))
            else:
                outcome = Outcome(entry, "waiting", "comes after what failed")
            outcomes.append(outcome)
            self._report(outcome)
        return outcomes, failure

    def _one(self, entry: Entry, plan: Plan) -> Outcome:
        if entry.package.kind == "image":
            return self._image(entry)
        return self._wheel(entry, plan)

    def _wheel(self, entry: Entry, plan: Plan) -> Outcome:
        wheel = find_wheel(self._root / FOLDER, entry, plan.versions)
        try:
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        except OSError as error:
            raise StorageError(storage_trouble(wheel, error)) from error
        name, version = entry.package.name, entry.version
        held = self._held(entry)
        if held:
            if held == {wheel.name: digest}:
                return Outcome(entry, "same", f"{wheel.name} is there, same content")
            raise _other(f"{name} {version}", self._settings.index, held)
        self._index.upload(wheel)
        held = self._held(entry)
        if held != {wheel.name: digest}:
            raise _other(f"{name} {version}, just uploaded", self._settings.index, held)
        return Outcome(entry, "published", f"{wheel.name} sha256:{digest}")

    def _held(self, entry: Entry) -> dict[str, str]:
        prefix = f"{entry.package.name.replace('-', '_')}-{entry.version}-"
        files = self._index.files(entry.package.name)
        return {name: sha for name, sha in files.items() if name.startswith(prefix)}

    def _image(self, entry: Entry) -> Outcome:
        local = f"{entry.package.repository}:{image_tag(entry.version)}"
        target = self.reference(entry.package, entry.version)
        ours = self._docker.image(local)
        if ours is None:
            raise RefusedError(
                f"{local}: there is no such image; {entry.package.target} makes another"
            )
        problems = _labels(ours, entry)
        if problems:
            raise RefusedError(f"{local}: {problems}")
        theirs = self._docker.published(target)
        if theirs is not None:
            if theirs == ours["Id"]:
                return Outcome(entry, "same", f"{target} is there, {theirs}")
            if self._same_but_for_time(ours, theirs, target):
                return Outcome(
                    entry, "same", f"{target} is there, built at another time, {theirs}"
                )
            raise _other(f"{entry.package.name} {entry.version}", target, theirs)
        self._docker.push(local, target)
        theirs = self._docker.published(target)
        if theirs != ours["Id"]:
            raise _other(f"{entry.package.name}, just pushed", target, theirs)
        return Outcome(entry, "published", f"{target} {theirs}")

    def _same_but_for_time(
        self, ours: dict[str, object], theirs: str, target: str
    ) -> bool:
        if not theirs.startswith("sha256:"):
            return False
        self._docker.pull(target)
        pulled = self._docker.image(target)
        return pulled is not None and same_content(ours, pulled)


def _labels(image: dict[str, object], entry: Entry) -> str:
    config = image["Config"]
    labels = (config.get("Labels") or {}) if isinstance(config, dict) else {}
    said = labels.get("org.opencontainers.image.version")
    if said == entry.version:
        return ""
    return (
        f"its label org.opencontainers.image.version is {said!r}, not {entry.version}"
    )


def _other(what: str, where: str, held: object) -> RefusedError:
    return RefusedError(
        f"{where}: holds {what} with other content ({held}); nothing is overwritten: "
        "make another version"
    )


def summary(outcomes: Sequence[Outcome]) -> str:
    """Says in one line what is published and what is not.

    Args:
        outcomes: What became of each package.

    Returns:
        The line.
    """

    def names(*states: State) -> str:
        found = [
            f"{outcome.entry.package.name} {outcome.entry.version}"
            for outcome in outcomes
            if outcome.state in states
        ]
        return ", ".join(found) or "nothing"

    return (
        f"published: {names('published')}; there before: {names('same')}; "
        f"not published: {names('waiting')}"
    )
