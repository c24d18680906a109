"""What can go wrong with a release, by whose fault it is."""

from __future__ import annotations

import errno
from typing import ClassVar


class ReleaseError(Exception):
    """The release could not be made."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class RefusedError(ReleaseError):
    """What is asked for must not be published."""

    exit_code: ClassVar[int] = 65


class UnavailableError(ReleaseError):
    """The index, the registry or the Docker engine cannot be reached."""

    exit_code: ClassVar[int] = 69


class BuildError(ReleaseError):
    """The build failed, or made something else than was planned."""

    exit_code: ClassVar[int] = 70


class StorageError(ReleaseError):
    """Something could not be read or written; most often a disk is full."""

    exit_code: ClassVar[int] = 74


class CredentialsError(ReleaseError):
    """The index or the registry does not accept the credentials."""

    exit_code: ClassVar[int] = 77


class SettingsError(ReleaseError):
    """A setting is missing or cannot be used."""

    exit_code: ClassVar[int] = 78


def storage_trouble(where: object, error: OSError) -> str:
    """Says what happened to a file, and what to do.

    Args:
        where: The file or folder.
        error: What the system said.

    Returns:
        The line.
    """
    hint = "; make room and run this again" if error.errno == errno.ENOSPC else ""
    return f"{where}: {error.strerror or error}{hint}"
