"""What can go wrong with owners, by whose fault it is."""

from __future__ import annotations

from typing import ClassVar


class OwnersError(Exception):
    """The owners could not be worked out."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class OwnersSyntaxError(OwnersError):
    """A line of an OWNERS file cannot be read."""

    exit_code: ClassVar[int] = 65

    @classmethod
    def at(cls, path: str, line: int, message: str) -> OwnersSyntaxError:
        """Returns the error with the line it is about.

        Args:
            path: The OWNERS file.
            line: The number of the line, from 1.
            message: What is wrong, and what to do.

        Returns:
            The error, to be raised.
        """
        return cls(f"{path}:{line}: {message}")


class CompileError(OwnersError):
    """These owners cannot be written as a CODEOWNERS file."""

    exit_code: ClassVar[int] = 65


class HandlesError(OwnersError):
    """The file that maps e-mail addresses to handles cannot be used."""

    exit_code: ClassVar[int] = 78


class RepositoryError(OwnersError):
    """The tracked files cannot be listed or read."""

    exit_code: ClassVar[int] = 69
