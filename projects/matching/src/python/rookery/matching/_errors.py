"""Errors of this package."""

from __future__ import annotations

import os
from typing import ClassVar


class MatchingError(Exception):
    """Rules cannot be used."""

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class RulesUnreadable(MatchingError):
    """A file of rules cannot be read."""


class RuleSyntaxError(MatchingError):
    """A rule is not written in the rule language.

    Args:
        reason: What is wrong.
        text: The line it stands in.
        column: Where in the line, from 1.
        hint: What to do about it; may be empty.
        where: What the rules are called, such as the name of their file.
        line: Number of the line, from 1.
    """

    def __init__(
        self,
        reason: str,
        *,
        text: str,
        column: int,
        hint: str = "",
        where: str = "<rule>",
        line: int = 1,
    ) -> None:
        self.reason = reason
        self.text = text
        self.column = column
        self.hint = hint
        self.where = where
        self.line = line
        super().__init__(
            f"{where}:{line}:{column}: {reason}\n{self.caret}"
            + (f"\n  {hint}" if hint else "")
        )

    @property
    def caret(self) -> str:
        """The line, and below it a caret at the column."""
        start = max(0, self.column - 60)
        shown = self.text[start : start + 100]
        # Tabs move the caret as they move the text.
        before = "".join(
            "\t" if character == "\t" else " "
            for character in self.text[start : self.column - 1]
        )
        return f"    {shown}\n    {before}^"

    def at(self, *, text: str, offset: int, where: str, line: int) -> RuleSyntaxError:
        """Says where in a file a rule stands that was parsed on its own.

        Args:
            text: The whole line.
            offset: How many characters of the line stand before the rule.
            where: What the rules are called.
            line: Number of the line.

        Returns:
            The error with its place in the file.
        """
        return RuleSyntaxError(
            self.reason,
            text=text,
            column=self.column + offset,
            hint=self.hint,
            where=where,
            line=line,
        )
