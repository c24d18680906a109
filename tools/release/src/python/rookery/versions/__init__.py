"""Versions of packages, out of the tags of the repository.

Standard library of Python 3.9, so that it runs inside the build tool, with an interpreter
of its own, as well as in `tools/release`.
"""

from rookery.versions._errors import (
    RepositoryError,
    TagError,
    VersionsError,
    VersionsSettingError,
    VersionSyntaxError,
)
from rookery.versions._git import count_commits, git, read_history
from rookery.versions._history import (
    History,
    Tag,
    read_changed,
    read_head,
    read_tags,
    rfc3339,
)
from rookery.versions._pep440 import Version
from rookery.versions._versions import (
    DIRTY,
    FROM_SOURCE,
    VERSIONS_VARIABLE,
    PackageVersion,
    build_stamp,
    package_tags,
    package_version,
    read_versions,
    tag_name,
    tag_version,
)
from rookery.versions._wheels import set_wheel_version

__all__ = [
    "DIRTY",
    "FROM_SOURCE",
    "VERSIONS_VARIABLE",
    "History",
    "PackageVersion",
    "RepositoryError",
    "Tag",
    "TagError",
    "Version",
    "VersionSyntaxError",
    "VersionsError",
    "VersionsSettingError",
    "build_stamp",
    "count_commits",
    "git",
    "package_tags",
    "package_version",
    "read_changed",
    "read_head",
    "read_history",
    "read_tags",
    "read_versions",
    "rfc3339",
    "set_wheel_version",
    "tag_name",
    "tag_version",
]
