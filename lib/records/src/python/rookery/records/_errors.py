"""Errors of this package."""

import os
from typing import ClassVar


class RecordsError(Exception):
    """Data does not have the form of this platform's records."""

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class FrameError(RecordsError):
    """The bytes are not a frame that this program can read."""


class SchemaError(RecordsError):
    """A batch does not have the schema it must have."""
