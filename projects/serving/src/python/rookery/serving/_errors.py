"""Errors of this package."""

import os
from typing import ClassVar

from typing_extensions import override


class ServingError(Exception):
    """The serving process could not do its work."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE

    def __init__(self, *details: object) -> None:
        super().__init__(*details or ((self.__doc__ or "").partition("\n")[0],))


class FilterInvalid(ServingError):
    """A filter has a value that cannot be used.

    Args:
        field: Name of the query parameter that is wrong.
        message: What is wrong with it, and what to do.
    """

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    @override
    def __str__(self) -> str:
        return self.message


class NotReady(ServingError):
    """What an answer needs is not there yet; ask again in a moment."""

    exit_code: ClassVar[int] = os.EX_TEMPFAIL


class RuleRefused(ServingError):
    """A change of the rules, or a question about them, cannot be answered.

    Args:
        status: The HTTP status.
        name: A name for machines.
        message: What is wrong.
        where: The field that is wrong; None if it is none.
        line: Its line, from 1.
        column: The column, from 1.
        hint: What to do; None if nothing comes to mind.
    """

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(
        self,
        status: int,
        name: str,
        message: str,
        where: str | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(status, name, message, where, line, column, hint)
        self.status = status
        self.name = name
        self.message = message
        self.where = where
        self.line = line
        self.column = column
        self.hint = hint

    @override
    def __str__(self) -> str:
        return self.message


class SearchInvalid(ServingError):
    """A search is not an expression of the rule language.

    Args:
        message: What is wrong with it.
        search: The search.
        column: Where the error is in the search, from 1; None if it is not one place.
        hint: What might have been meant; None if nothing comes to mind.
    """

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(
        self,
        message: str,
        search: str,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, search, column, hint)
        self.message = message
        self.search = search
        self.column = column
        self.hint = hint

    @override
    def __str__(self) -> str:
        return self.message

    @property
    def shown(self) -> str:
        """What is wrong, where, and what might have been meant, in one line."""
        where = ""
        if self.column is not None:
            near = self.search[self.column - 1 : self.column + 19].strip()
            where = f" (column {self.column}{f', at “{near}”' if near else ''})"
        hint = f" – {self.hint}" if self.hint else ""
        return f"{self.message}{where}{hint}"
