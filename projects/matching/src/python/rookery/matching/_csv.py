"""CSV (RFC 4180) cut into cells that know where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._written import Quoting, Written

_CELL: Final = re.compile(
    r'(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>[^",\r\n][^,\r\n]*|))(?P<end>,|\r?\n|\Z)'
)


def cells_of(text: str, where: str) -> Iterator[list[Written] | RuleSyntaxError]:
    """Cuts CSV into cells.

    Args:
        text: The text of the file.
        where: Its name.

    Yields:
        The cells of each record that is not empty; an error ends it.
    """
    text = text.removeprefix("\ufeff")
    at, line, begin = 0, 1, 0
    record: list[Written] = []
    while at <= len(text):
        found = _CELL.match(text, at)
        end = text.find("\n", begin)
        source = text[begin : end if end >= 0 else len(text)].rstrip("\r")
        if found is None:
            torn = Written("", where, line, source, at - begin + 1)
            yield torn.error(
                "a cell with a quotation mark is not closed, or goes on behind it",
                'within a cell in quotation marks " is written ""',
            )
            return
        quoted = found["quoted"]
        record.append(
            Written(
                (quoted or "").replace('""', '"') if quoted is not None else found[2],
                where,
                line,
                source,
                at - begin + 1 + (quoted is not None),
                Quoting.NONE if quoted is None else Quoting.DOUBLED,
            )
        )
        breaks = found.group().count("\n")
        if breaks:
            line += breaks
            begin = at + found.group().rindex("\n") + 1
        at = found.end()
        if found["end"] != ",":
            if len(record) > 1 or record[0].text.strip():
                yield record
            record = []
            if not found["end"]:
                return
