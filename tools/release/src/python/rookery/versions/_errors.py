"""What can go wrong with versions, by whose fault it is."""

from __future__ import annotations

from typing import ClassVar, Optional


class VersionsError(Exception):
    """The version could not be worked out."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: Optional[str] = None) -> None:
        super().__init__(message or self.__doc__)


class VersionSyntaxError(VersionsError):
    """The text is no version as PEP 440 defines them."""

    exit_code: ClassVar[int] = 65


class TagError(VersionsError):
    """The tag does not name a version of its package."""

    exit_code: ClassVar[int] = 65


class VersionsSettingError(VersionsError):
    """The variable that sets versions cannot be read."""

    exit_code: ClassVar[int] = 78


class RepositoryError(VersionsError):
    """There is no Git, no repository, or not all of its history."""

    exit_code: ClassVar[int] = 69
