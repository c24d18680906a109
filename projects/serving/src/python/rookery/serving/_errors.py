"""Errors of this package."""

import os
from typing import ClassVar


class ServingError(Exception):
    """The serving process could not do its work."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class FilterInvalid(ServingError):
    """A filter has a value that cannot be used.

    Attributes:
        field: Name of the query parameter that is wrong.
    """

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotReady(ServingError):
    """What an answer needs is not there yet; ask again in a moment."""

    exit_code: ClassVar[int] = os.EX_TEMPFAIL


class SearchInvalid(ServingError):
    """A search is not an expression of the rule language.

    Attributes:
        column: Where the error is in the search, from 1; None if it is not one place.
        hint: What might have been meant; None if nothing comes to mind.
        search: The search.
    """

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(
        self, message: str, *, search: str, column: int | None, hint: str | None
    ) -> None:
        super().__init__(message)
        self.search = search
        self.column = column
        self.hint = hint

    @property
    def shown(self) -> str:
        """What is wrong, where, and what might have been meant, in one line."""
        where = ""
        if self.column is not None:
            near = self.search[self.column - 1 : self.column + 19].strip()
            where = f" (column {self.column}{f', at “{near}”' if near else ''})"
        hint = f" – {self.hint}" if self.hint else ""
        return f"{self}{where}{hint}"
