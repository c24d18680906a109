"""Errors of this package."""

import os
from typing import ClassVar


class TextError(Exception):
    """Text cannot be processed."""

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class PhraseError(TextError):
    """A phrase has nothing that could be looked for."""


class ColumnError(TextError):
    """An array does not hold text."""
