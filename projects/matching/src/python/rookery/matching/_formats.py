"""The formats of rule files: each reads entries, and errors that point at what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Final

from rookery.matching._csv import cells_of
from rookery.matching._errors import RuleSyntaxError
from rookery.matching._written import Entry, Quoting, Written

FIELDS: Final = ("id", "rule", "tags", "enabled")

_NAMED: Final = re.compile(r"(?P<name>[\w.-]+)\s*=\s*")
_OBJECT: Final = re.compile(r'\{\s*"')
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
    return _OBJECT.match(line) is not None


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
        begin = len(line) - len(line.lstrip())
        if is_object(content):
            yield _object(Written(content, where, number, line, begin + 1))
            continue
        name, shift = named(content)
        start = begin + 1
        rule = Written(content[shift:], where, number, line, start + shift)
        written = Written(name, where, number, line, start) if name else None
        yield Entry(rule, written)


def read_jsonl(text: str, where: str) -> Iterator[Entry | RuleSyntaxError]:
    """Reads JSON lines.

    Args:
        text: The text of the file.
        where: Its name.

    Yields:
        What is read, in order.
    """
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r").removeprefix("\ufeff")
        if line.strip():
            yield _object(Written(line, where, number, line, 1))


def _object(line: Written) -> Entry | RuleSyntaxError:
    try:
        found = json.loads(line.text)
    except json.JSONDecodeError as error:
        return line.error(f"this is no JSON: {error.msg}", place=error.pos)
    except RecursionError:
        return line.error("this JSON is too deep")
    if not isinstance(found, dict):
        return line.error(
            "this is no JSON object", 'such as {"id": "x", "rule": "fire"}'
        )

    def at(name: str) -> Written:
        key = json.dumps(name)
        # Where the value of this key begins; the first one of this name, as they go.
        match = re.search(rf"{key}\s*:\s*\"?", line.text)
        column = line.column + (match.end() if match else 0)
        value = found.get(name)
        return Written(
            value if isinstance(value, str) else "",
            line.where,
            line.line,
            line.source,
            column,
            Quoting.BACKSLASH,
        )

    return entry_of(found, at, line)


def entry_of(
    found: Mapping[str, Any], at: Callable[[str], Written], whole: Written
) -> Entry | RuleSyntaxError:
    """Makes an entry of fields.

    Args:
        found: Their values by name.
        at: Says where the value of a name stands.
        whole: All of it, for what is not there.

    Returns:
        The entry, or what is wrong with it.
    """
    unknown = [name for name in found if name not in FIELDS]
    if unknown:
        reason = f"a rule has no field {unknown[0]!r}"
        return at(unknown[0]).error(reason, f"there are {', '.join(FIELDS)}")
    rule, name = found.get("rule"), found.get("id")
    if not isinstance(rule, str):
        place = at("rule") if "rule" in found else whole
        return place.error("the field rule is missing, or is no text")
    if name is not None and (not isinstance(name, str) or not name.strip()):
        return at("id").error("the field id has to be text")
    tags = found.get("tags") or []
    if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        return at("tags").error("the field tags has to be a list of texts")
    enabled = found.get("enabled")
    if not isinstance(enabled, bool | None):
        return at("enabled").error("the field enabled has to be true or false")
    return Entry(
        at("rule"),
        at("id") if name is not None else None,
        tuple(tags),
        enabled is not False,
    )


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
        if name not in FIELDS or names.count(name) > 1:
            hint = f"the first line names columns: {', '.join(FIELDS)}"
            yield cell.error(f"{name!r} is no column of rules, or is there twice", hint)
            return
    if "rule" not in names:
        yield header[0].error("no column is called rule")
        return
    for record in records:
        if isinstance(record, RuleSyntaxError):
            yield record
        elif len(record) != len(names):
            reason = f"there are {len(record)} cells and {len(names)} columns"
            yield record[0].error(reason, 'a cell with a comma stands in "')
        else:
            yield _record(dict(zip(names, record, strict=True)))


def _record(cells: dict[str, Written]) -> Entry | RuleSyntaxError:
    found: dict[str, Any] = {"rule": cells["rule"].text}
    if "id" in cells and cells["id"].text.strip():
        found["id"] = cells["id"].text
    if "tags" in cells:
        tags = [tag.strip() for tag in cells["tags"].text.split(";")]
        found["tags"] = [tag for tag in tags if tag]
    if "enabled" in cells:
        flag = cells["enabled"].text.strip().lower()
        found["enabled"] = _FLAGS.get(flag, flag)
    return entry_of(found, cells.__getitem__, cells["rule"])
