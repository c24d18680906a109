"""Text as it stands in a file, so that errors point at it there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from rookery.matching._errors import RuleSyntaxError


class Quoting(Enum):
    """How the characters of a value are written; the pattern is that of one of them."""

    NONE = r"[\s\S]"
    BACKSLASH = (
        r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4}"
        r"|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\U[0-9a-fA-F]{8}|\\?[\s\S]"
    )
    DOUBLED = r'""|[\s\S]'
    SINGLE = r"''|[\s\S]"


@dataclass(frozen=True, slots=True)
class Written:
    """A value of a file.

    Attributes:
        text: The value.
        where: The name of the file.
        line: The line it begins in, from 1.
        source: That line as a whole.
        column: Where its first character is there, from 1.
        quoting: How its characters are written.
    """

    text: str
    where: str
    line: int
    source: str
    column: int
    quoting: Quoting = Quoting.NONE

    def column_of(self, place: int) -> int:
        """Says where a character of the value stands.

        Args:
            place: Its number in the value, from 0.

        Returns:
            Its column in the line of the file, from 1; the beginning of the value where
            it runs over several lines.
        """
        rest = self.source[self.column - 1 :]
        column = self.column
        for found in re.compile(self.quoting.value).finditer(rest):
            if place == 0:
                return column
            place -= 1
            column += len(found.group())
        return column if place == 0 else self.column

    def error(self, reason: str, hint: str = "", place: int = 0) -> RuleSyntaxError:
        """Makes an error that points at the value.

        Args:
            reason: What is wrong.
            hint: What to write instead.
            place: The character that is wrong, from 0.

        Returns:
            The error.
        """
        return RuleSyntaxError(
            reason, self.source, self.column_of(place), hint, self.where, self.line
        )


class Entry(NamedTuple):
    """A rule as it stands in a file.

    Attributes:
        rule: Its expression.
        at: Says where the value of a field stands: asked for errors only.
        line: The line its expression begins in, from 1.
        id: Its name, if it was given one.
        tags: What it is tagged with.
        enabled: Whether it is in use.
    """

    rule: str
    at: Callable[[str], Written]
    line: int
    id: str | None = None
    tags: tuple[str, ...] = ()
    enabled: bool = True
