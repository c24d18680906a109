"""What a release would publish, what it would not, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Literal

from rookery.release._catalog import PREFIX, Catalog, Package
from rookery.release._changes import Change, changed_inputs
from rookery.release._errors import RefusedError
from rookery.versions import (
    History,
    PackageVersion,
    package_version,
    tag_version,
)

# publish: it is new. compare: the version exists, and has to be the same. skip: not now.
Action = Literal["publish", "compare", "skip"]


@dataclasses.dataclass(frozen=True)
class Entry:
    """What happens to one package.

    Args:
        package: The package.
        version: The version that it has, and that others require of it.
        action: What a release does.
        reason: Why.
    """

    package: Package
    version: str
    action: Action
    reason: str

    @property
    def wanted(self) -> bool:
        """Whether a release builds it."""
        return self.action != "skip"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What happens to every package.

    Args:
        commit: The commit it is about.
        built: The time of the commit.
        entries: The packages, wheels after what they require.
        refusals: Why nothing may be published; empty if it may.
    """

    commit: str
    built: str
    entries: tuple[Entry, ...]
    refusals: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[Entry, ...]:
        """What a release builds, in the order of publication."""
        return tuple(entry for entry in self.entries if entry.wanted)

    @property
    def versions(self) -> dict[str, str]:
        """The version of every package, for `ROOKERY_VERSIONS`."""
        return {entry.package.name: entry.version for entry in self.entries}


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked for.

    Args:
        packages: The packages to publish; all if empty.
        development: Whether development versions are published too.
    """

    packages: frozenset[str] = frozenset()
    development: bool = False


def make_plan(
    catalog: Catalog,
    history: History,
    changes: Callable[[str], Collection[Change]],
    published: Callable[[Package, str], bool | None],
    request: Request,
) -> Plan:
    """Decides what to publish.

    Args:
        catalog: The packages.
        history: The commit, and what came before it.
        changes: Gives the files that differ between a commit and this one.
        published: Says whether a version of a package is published; None if that is not
            known, because no index or registry is set.
        request: What is asked for.

    Returns:
        The plan.

    Raises:
        RefusedError: A package that is asked for does not exist.
    """
    known = frozenset(package.name for package in catalog.packages)
    if unknown := sorted(request.packages - known):
        raise RefusedError(
            f"{', '.join(unknown)}: no such package; there are {', '.join(sorted(known))}"
        )
    entries: dict[str, Entry] = {}
    for package in catalog.packages:
        found = package_version(package.name, history)
        entry = _entry(package, found, catalog, changes, request)
        if entry.wanted and published(package, entry.version):
            entry = dataclasses.replace(
                entry,
                action="compare",
                reason=f"{entry.reason}; exists already, so its content is compared",
            )
        entries[package.name] = entry
    refusals = [*_unclean(history), *_unknown_tags(catalog, history)]
    for entry in entries.values():
        if entry.wanted:
            refusals += _unmet(entry, entries, published)
    return Plan(history.commit, history.built, tuple(entries.values()), tuple(refusals))


def _entry(
    package: Package,
    found: PackageVersion,
    catalog: Catalog,
    changes: Callable[[str], Collection[Change]],
    request: Request,
) -> Entry:
    entry = Entry(package, str(found.version), "skip", "")
    if found.tag is not None and not found.distance:
        entry = _with(entry, "publish", f"tagged {found.tag.name}")
    else:
        action: Action = "publish" if request.development else "skip"
        if found.tag is None:
            entry = _with(
                entry, action, f"development build: no tag {package.name}/v… yet"
            )
        else:
            touched = changed_inputs(
                package, changes(found.tag.commit), catalog.folders
            )
            if touched or found.version.local:
                entry = _with(
                    entry,
                    action,
                    f"development build: {_count(found.distance, 'commit')} since "
                    f"{found.tag.name}, {_count(len(touched), 'input')} changed",
                )
            else:
                # What requires it can go on requiring the version that is published.
                entry = dataclasses.replace(
                    entry,
                    version=str(tag_version(package.name, found.tag.name)),
                    reason=f"unchanged since {found.tag.name}",
                )
    if entry.wanted and request.packages and package.name not in request.packages:
        return _with(entry, "skip", f"not asked for; {entry.reason}")
    return entry


def _with(entry: Entry, action: Action, reason: str) -> Entry:
    return dataclasses.replace(entry, action=action, reason=reason)


def _unmet(
    entry: Entry,
    entries: Mapping[str, Entry],
    published: Callable[[Package, str], bool | None],
) -> list[str]:
    problems: list[str] = []
    for name in entry.package.requires:
        required = entries[name]
        if (
            required.wanted
            or published(required.package, required.version) is not False
        ):
            continue
        problems.append(
            f"{entry.package.name} {entry.version} requires {name} {required.version}, "
            f"which is neither published nor part of this release ({required.reason}): "
            f"tag {name} on this commit too, or publish it with --dev"
        )
    return problems


def _unclean(history: History) -> list[str]:
    if not history.changed:
        return []
    names = ", ".join(history.changed[:3])
    more = f" and {len(history.changed) - 3} more" if len(history.changed) > 3 else ""
    return [
        f"the work tree is not what the commit says ({names}{more}): commit or remove "
        "what differs"
    ]


def _unknown_tags(catalog: Catalog, history: History) -> list[str]:
    return [
        f"tag {tag.name}: there is no package {tag.name.partition('/')[0]}; there are "
        f"{', '.join(sorted(catalog.names))}; remove it: git tag -d {tag.name}"
        for tag in history.tags
        if tag.commit == history.commit
        and tag.name.startswith(PREFIX)
        and "/" in tag.name
        and tag.name.partition("/")[0] not in catalog.names
    ]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
