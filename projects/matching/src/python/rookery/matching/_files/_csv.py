"""CSV (RFC 4180) cut into cells that know where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._files._written import Quoting, Written

_CELL: Final = re.compile(
    r'(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>[^",\r\n][^,\r\n]*|))(?P<end>,|\r?\n|\Z)'
)


class Cell(NamedTuple):
    """A cell.

    Attributes:
        text: Its value.
        where: The name of the file.
        line: The line it begins in, from 1.
        begin: Where that line begins in the file, in characters from 0.
        place: Where the first character of the value is in the file.
        quoted: Whether it stands in quotation marks.
        file: The text of the file.
    """

    text: str
    where: str
    line: int
    begin: int
    place: int
    quoted: bool
    file: str

    def written(self) -> Written:
        """Says where it stands.

        Returns:
            The value with its line.
        """
        end = self.file.find("\n", self.begin)
        source = self.file[self.begin : end if end >= 0 else len(self.file)]
        return Written(
            self.text,
            self.where,
            self.line,
            source.rstrip("\r"),
            self.place - self.begin + 1,
            Quoting.DOUBLED if self.quoted else Quoting.NONE,
        )

    def error(self, reason: str, hint: str = "") -> RuleSyntaxError:
        """Makes an error that points at the cell.

        Args:
            reason: What is wrong.
            hint: What to write instead.

        Returns:
            The error.
        """
        return self.written().error(reason, hint)


def cells_of(text: str, where: str) -> Iterator[list[Cell] | RuleSyntaxError]:
    """Cuts CSV into cells.

    Args:
        text: The text of the file.
        where: Its name.

    Yields:
        The cells of each record that is not empty; an error ends it.
    """
    text = text.removeprefix("\ufeff")
    at, line, begin = 0, 1, 0
    record: list[Cell] = []
    while at <= len(text):
        found = _CELL.match(text, at)
        if found is None:
            yield Cell("", where, line, begin, at, False, text).error(
                "a cell with a quotation mark is not closed, or goes on behind it",
                'within a cell in quotation marks " is written ""',
            )
            return
        quoted, plain, end = found.groups()
        if quoted is None:
            record.append(Cell(plain, where, line, begin, at, False, text))
        else:
            value = quoted.replace('""', '"') if '"' in quoted else quoted
            record.append(Cell(value, where, line, begin, at + 1, True, text))
        if quoted is not None or end != ",":
            breaks = text.count("\n", at, found.end())
            if breaks:
                line += breaks
                begin = text.rindex("\n", at, found.end()) + 1
        at = found.end()
        if end != ",":
            if len(record) > 1 or record[0].text.strip():
                yield record
            record = []
            if not end:
                return
