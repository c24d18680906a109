"""Errors of this package."""

import os
from typing import ClassVar


class OperatorsError(Exception):
    """A batch could not be worked on."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class ModelUnavailable(OperatorsError):
    """A model that comes with a dependency cannot be loaded."""

    exit_code: ClassVar[int] = os.EX_UNAVAILABLE
