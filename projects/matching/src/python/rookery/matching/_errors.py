"""What can be wrong with rules."""

from __future__ import annotations

import re
import unicodedata
from typing import ClassVar, Final

from typing_extensions import override

# So much of a line is shown before and behind what is wrong.
_SHOWN: Final = 80


class MatchingError(Exception):
    """The rules cannot be used."""

    exit_code: ClassVar[int] = 65

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class RuleSyntaxError(MatchingError):
    """One rule that cannot be read, pointed at.

    Args:
        reason: What is wrong.
        text: The line as it was written.
        column: The column of what is wrong, in characters, from 1.
        hint: What to write instead; empty where nothing better is known.
        where: The name of the file or field the rule stands in.
        line: Its line there, from 1.
    """

    def __init__(
        self,
        reason: str,
        text: str,
        column: int,
        hint: str = "",
        where: str = "<rule>",
        line: int = 1,
    ) -> None:
        super(MatchingError, self).__init__(reason, text, column, hint, where, line)
        self.reason = reason
        self.text = text
        self.column = column
        self.hint = hint
        self.where = where
        self.line = line

    @override
    def __str__(self) -> str:
        # A rule may go over several lines; what points at it does not.
        line = re.sub(r"[^\S\t ]", " ", self.text)
        text, column = _window(line, self.column)
        before = "".join(map(_blank, text[: column - 1]))
        lines = [
            f"{self.where}:{self.line}:{self.column}: {self.reason}",
            f"  {text}",
            f"  {before}^",
        ]
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)

    def at(self, where: str, line: int, text: str, shift: int) -> RuleSyntaxError:
        """Returns the same error, placed in a file.

        Args:
            where: The name of the file.
            line: The line of the rule.
            text: That line as a whole.
            shift: How many characters of it stand before the expression.

        Returns:
            The error with line and column of the file.
        """
        column = self.column + shift
        return RuleSyntaxError(self.reason, text, column, self.hint, where, line)


class RuleFileError(MatchingError):
    """Rules of one file that cannot be read.

    Args:
        errors: All of them, in order.
    """

    _SHOWN: ClassVar[int] = 20

    def __init__(self, errors: tuple[RuleSyntaxError, ...]) -> None:
        super(MatchingError, self).__init__(errors)
        self.errors = errors

    @override
    def __str__(self) -> str:
        lines = []
        if len(self.errors) > 1:
            lines.append(f"{len(self.errors)} rules cannot be read:")
        lines += [str(error) for error in self.errors[: self._SHOWN]]
        if len(self.errors) > self._SHOWN:
            lines.append(f"... and {len(self.errors) - self._SHOWN} more")
        return "\n".join(lines)


def _window(text: str, column: int) -> tuple[str, int]:
    """Cuts a long line to what is around a column, and says which one that is then."""
    begin, end = max(column - 1 - _SHOWN, 0), column - 1 + _SHOWN
    if begin:
        column -= begin - len("...")
    shown = "..." * (begin > 0) + text[begin:end] + "..." * (end < len(text))
    return shown, column


def _blank(character: str) -> str:
    """Returns what is as wide as a character, so that the caret stands below its own."""
    if character == "\t" or character.isascii():
        return "\t" if character == "\t" else " "
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "
