"""Versions of packages out of the history of a repository.

A tag `<package>/v<version>` on a commit makes that commit's build of the package that
version. Each later commit is a development version: the next one, with `.devN`, where N
is the number of commits since the tag. Before the first tag it is `0.0.1.devN`, N being
the number of all commits. Where the work tree is not what the commit says, `+dirty`
follows.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Optional

from rookery.versions._errors import (
    TagError,
    VersionsSettingError,
    VersionSyntaxError,
)
from rookery.versions._history import History, Tag
from rookery.versions._pep440 import Version

VERSIONS_VARIABLE = "ROOKERY_VERSIONS"
FROM_SOURCE = "0+source"
DIRTY = "dirty"


@dataclasses.dataclass(frozen=True)
class PackageVersion:
    """The version that a build of a package has.

    Args:
        package: Name of the package, such as `rookery-text`.
        version: The version.
        tag: The tag it comes from: on this commit, or the last before it.
        distance: Commits since the tag, or all where there is no tag.
    """

    package: str
    version: Version
    tag: Optional[Tag]
    distance: int

    @property
    def released(self) -> bool:
        """Whether the commit carries the tag of this very version."""
        return self.tag is not None and not self.distance and not self.version.local


def tag_name(package: str, version: Version) -> str:
    """Returns the tag that releases a package.

    Args:
        package: Name of the package.
        version: The version to be.

    Returns:
        Its name.
    """
    return f"{package}/v{version}"


def tag_version(package: str, tag: str) -> Version:
    """Reads the version out of a tag.

    Args:
        package: Name of the package.
        tag: A tag that begins with it and a slash.

    Returns:
        The version.

    Raises:
        TagError: The tag names no version that can be released.
    """
    looks = f"a tag of this package looks like {package}/v1.4.2 or {package}/v1.5.0rc1"
    remove = f"remove it: git tag -d {tag}"
    rest = tag[len(package) + 1 :]
    try:
        # Without its v the tag is wrong, however the rest reads.
        version = Version.parse(rest[1:] if rest.startswith("v") else "")
    except VersionSyntaxError:
        raise TagError(
            f"tag {tag}: names no version of {package}: {looks}; {remove}"
        ) from None
    if version.dev is not None or version.local is not None:
        raise TagError(
            f"tag {tag}: {version} is a development version of {package}, and those "
            f"are counted from commits: {looks}; {remove}"
        )
    return version


def package_tags(package: str, tags: Iterable[Tag]) -> list[tuple[Version, Tag]]:
    """Picks out the tags of one package.

    Args:
        package: Name of the package.
        tags: All tags.

    Returns:
        Version and tag, lowest first. A tag of the package that names no version is
        an error, as `tag_version` says.
    """
    found = [
        (tag_version(package, tag.name), tag)
        for tag in tags
        if tag.name.startswith(f"{package}/")
    ]
    return sorted(found, key=lambda pair: (pair[0], pair[1].name))


def package_version(package: str, history: History) -> PackageVersion:
    """Works out the version of a package at a commit.

    Args:
        package: Name of the package.
        history: The commit and what came before it.

    Returns:
        The version, and where it comes from. A tag of the package that names no
        version is an error, as `tag_version` says.
    """
    tags = package_tags(package, history.tags)
    here = [pair for pair in tags if pair[1].commit == history.commit]
    if here:
        version, tag = here[-1]
        found = PackageVersion(package, version, tag, 0)
    elif tags:
        version, tag = tags[-1]
        found = PackageVersion(
            package, version.next_development(tag.distance), tag, tag.distance
        )
    else:
        version = Version((0, 0, 0)).next_development(history.commits)
        found = PackageVersion(package, version, None, history.commits)
    if history.changed:
        return dataclasses.replace(found, version=found.version.with_local(DIRTY))
    return found


def read_versions(text: str) -> Mapping[str, str]:
    """Reads the variable that sets versions.

    Args:
        text: JSON, `{"rookery-text": "1.4.2"}`; empty sets none.

    Returns:
        Versions in their normal form, by package.

    Raises:
        VersionsSettingError: It is something else.
    """
    looks = f'{VERSIONS_VARIABLE} looks like {{"rookery-text": "1.4.2"}}'
    if not text.strip():
        return {}
    try:
        table = json.loads(text)
    except ValueError as error:
        raise VersionsSettingError(
            f"{VERSIONS_VARIABLE} is no JSON ({error}); {looks}"
        ) from error
    if not isinstance(table, dict):
        raise VersionsSettingError(f"{VERSIONS_VARIABLE} is no JSON object; {looks}")
    versions: dict[str, str] = {}
    for package, version in table.items():
        try:
            versions[package] = str(Version.parse(version))
        except (VersionSyntaxError, TypeError):
            raise VersionsSettingError(
                f"{VERSIONS_VARIABLE}: {package}: {version!r} is no version; {looks}"
            ) from None
    return versions


def build_stamp(package: str, version: str, history: Optional[History]) -> str:
    """Writes what a program is to know about its own build.

    Args:
        package: Name of the package.
        version: Its version.
        history: The commit it is built from, if known.

    Returns:
        The file `rookery/build.json`: package, version, commit, time of the commit.
    """
    fields = {
        "package": package,
        "version": version,
        "commit": history.commit if history else None,
        "built": history.built if history else None,
    }
    return json.dumps(fields, indent=2) + "\n"
