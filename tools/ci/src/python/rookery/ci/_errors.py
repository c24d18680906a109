"""What can go wrong in the tools of continuous integration."""

from __future__ import annotations

from typing import ClassVar


class CiError(Exception):
    """The check could not be made, or found something wrong."""

    exit_code: ClassVar[int] = 65


class UsageError(CiError):
    """The command line names something that there is not."""

    exit_code: ClassVar[int] = 64


class Unavailable(CiError):
    """A program or a service that is needed is not there, or does not answer."""

    exit_code: ClassVar[int] = 69


class ConfigurationError(CiError):
    """The environment holds a value that cannot be right."""

    exit_code: ClassVar[int] = 78
