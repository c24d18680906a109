"""The formats of rule files: each reads entries, and errors that point at what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import PurePath
from typing import Any, Final

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._files._csv import Cell, cells_of
from rookery.matching._files._fields import FIELDS, entry_of, field_hint
from rookery.matching._files._jsonl import object_of
from rookery.matching._files._written import Entry, Written

_NAMED: Final = re.compile(r"(?P<name>[\w.-]+)\s*=\s*")
_OBJECT: Final = re.compile(r'\{\s*"')
# What some programs write between cells.
_OTHERS: Final = re.compile(r"[;\t|]")
_FLAGS: Final = {"true": True, "yes": True, "1": True, "": True} | {
    "false": False,
    "no": False,
    "0": False,
}


class RuleFormat(StrEnum):
    """What a file of rules is written in."""

    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"
    YAML = "yaml"

    @classmethod
    def of(cls, path: PurePath) -> RuleFormat:
        """Goes by the name of a file.

        Args:
            path: The file.

        Returns:
            Its format; text where its name does not say.
        """
        return _BY_SUFFIX.get(path.suffix.lower(), cls.TEXT)


_BY_SUFFIX: Final = {
    ".csv": RuleFormat.CSV,
    ".json": RuleFormat.JSONL,
    ".jsonl": RuleFormat.JSONL,
    ".ndjson": RuleFormat.JSONL,
    ".yaml": RuleFormat.YAML,
    ".yml": RuleFormat.YAML,
}


def named(line: str) -> tuple[str | None, int]:
    """Takes the name off a line of a text file.

    Args:
        line: `expression` or `name = expression`.

    Returns:
        The name, if there is one, and where the expression begins, from 0.
    """
    found = _NAMED.match(line)
    return (found["name"], found.end()) if found else (None, 0)


def is_object(line: str) -> bool:
    """Tells whether a line of a text file is a JSON object; no expression begins so.

    Args:
        line: The line.

    Returns:
        Whether it begins with a brace and a quotation mark.
    """
    return line.startswith("{") and _OBJECT.match(line) is not None


def read_text(lines: Iterable[str], where: str) -> Iterator[Entry | RuleSyntaxError]:
    """Reads text: one rule a line, and JSON objects for what a line cannot say.

    Args:
        lines: The lines, with or without their ends.
        where: The name of the file.

    Yields:
        What is read, in order.
    """
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r\n").removeprefix("\ufeff")
        content = line.strip()
        if not content or content == "#" or content.startswith("# "):
            continue
        begin = line.find(content)
        if is_object(content):
            yield object_of(content, where, number, line, begin + 1)
            continue
        name, shift = named(content)
        at = partial(_in_line, where, number, line, begin, name, shift)
        yield Entry(content[shift:], at, number, name)


def _in_line(
    where: str,
    number: int,
    line: str,
    begin: int,
    name: str | None,
    shift: int,
    field: str,
) -> Written:
    """Says where a field of a line of text stands."""
    if field == "id" and name is not None:
        return Written(name, where, number, line, begin + 1)
    return Written(line.strip()[shift:], where, number, line, begin + shift + 1)


def read_csv(text: str, where: str) -> Iterator[Entry | RuleSyntaxError]:
    """Reads CSV with a header: `rule`, and where wanted `id`, `tags`, `enabled`.

    Tags have semicolons between them.

    Args:
        text: The text of the file.
        where: Its name.

    Yields:
        What is read, in order.
    """
    records = cells_of(text, where)
    header = next(records, None)
    if isinstance(header, RuleSyntaxError):
        yield header
        return
    if header is None:
        return
    names = [cell.text.strip().lower() for cell in header]
    for name, cell in zip(names, header, strict=True):
        if names.count(name) > 1:
            yield cell.error(f"the column {name!r} is there twice")
            return
        if name not in FIELDS:
            hint = f"the first line names columns: {field_hint(name)}"
            if len(names) == 1 and _OTHERS.search(name):
                hint = "columns have commas between them"
            yield cell.error(f"{name!r} is no column of rules", hint)
            return
    if "rule" not in names:
        yield header[0].error("no column is called rule", field_hint(""))
        return
    for record in records:
        if isinstance(record, RuleSyntaxError):
            yield record
        elif len(record) != len(names):
            reason = f"there are {len(record)} cells and {len(names)} columns"
            hint = 'a cell with a comma stands in "'
            yield record[0].error(reason, hint)
        else:
            yield _record(dict(zip(names, record, strict=True)))


def _record(cells: dict[str, Cell]) -> Entry | RuleSyntaxError:
    rule = cells["rule"]
    found: dict[str, Any] = {"rule": rule.text}
    if "id" in cells and cells["id"].text.strip():
        found["id"] = cells["id"].text
    if "tags" in cells:
        tags = [tag.strip() for tag in cells["tags"].text.split(";")]
        found["tags"] = [tag for tag in tags if tag]
    if "enabled" in cells:
        flag = cells["enabled"].text.strip().lower()
        found["enabled"] = _FLAGS.get(flag, flag)
    return entry_of(found, lambda name: cells[name].written(), rule.line)
