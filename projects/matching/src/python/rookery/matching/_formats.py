"""The formats of rule files: each reads entries, and errors that point at what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import partial
from pathlib import PurePath
from typing import Any, Final

from rookery.matching._csv import Cell, cells_of
from rookery.matching._errors import RuleSyntaxError
from rookery.matching._written import Entry, Quoting, Written

FIELDS: Final = ("id", "rule", "tags", "enabled")

_KNOWN: Final = frozenset(FIELDS)
# What other services and people call them.
_ELSEWHERE: Final = {
    **dict.fromkeys(("value", "query", "expression", "keyword", "text"), "rule"),
    **dict.fromkeys(("name", "key", "rule_id"), "id"),
    **dict.fromkeys(("label", "labels", "group"), "tags"),
    **dict.fromkeys(("active", "disabled", "on", "off"), "enabled"),
}

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
            yield _object(content, where, number, line, begin + 1)
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
            yield _object(line, where, number, line, 1)


class _Twice(Exception):
    """A name stands in a JSON object twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


_decode: Final = json.JSONDecoder(object_pairs_hook=_once).decode


def _object(
    text: str, where: str, number: int, source: str, column: int
) -> Entry | RuleSyntaxError:
    at = partial(_in_object, text, where, number, source, column)
    line = partial(Written, text, where, number, source, column)
    try:
        found = _decode(text)
    except json.JSONDecodeError as error:
        return line().error(f"this is no JSON: {error.msg}", place=error.pos)
    except _Twice as error:
        return at({}, str(error)).error(f"{str(error)!r} is there twice")
    except RecursionError:
        return line().error("this JSON is too deep")
    except ValueError as error:
        # Python refuses numbers of thousands of digits.
        return line().error(f"this JSON cannot be read: {error}")
    if not isinstance(found, dict):
        return line().error(
            "this is no JSON object", 'such as {"id": "x", "rule": "fire"}'
        )
    return entry_of(found, partial(at, found), number)


def _in_object(
    text: str,
    where: str,
    number: int,
    source: str,
    column: int,
    found: Mapping[str, Any],
    name: str,
) -> Written:
    """Says where the value of a name stands in a JSON object."""
    # Where the value of this key begins; the first one of this name, as they go.
    match = re.search(rf"{re.escape(json.dumps(name))}\s*:\s*\"?", text)
    value = found.get(name)
    return Written(
        value if isinstance(value, str) else "",
        where,
        number,
        source,
        column + (match.end() if match else 0),
        Quoting.BACKSLASH,
    )


def entry_of(
    found: Mapping[str, Any], at: Callable[[str], Written], line: int
) -> Entry | RuleSyntaxError:
    """Makes an entry of fields.

    Args:
        found: Their values by name.
        at: Says where the value of a name stands; all of it, where it is not there.
        line: The line in which the expression begins, from 1.

    Returns:
        The entry, or what is wrong with it.
    """
    if not found.keys() <= _KNOWN:
        unknown = next(name for name in found if name not in _KNOWN)
        return at(unknown).error(
            f"a rule has no field {unknown!r}", field_hint(unknown)
        )
    rule, name = found.get("rule"), found.get("id")
    if not isinstance(rule, str):
        return at("rule").error("the field rule is missing, or is no text")
    if name is not None and (not isinstance(name, str) or not name.strip()):
        return at("id").error("the field id has to be text")
    tags = found.get("tags") or []
    if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        return at("tags").error("the field tags has to be a list of texts")
    enabled = found.get("enabled")
    if not isinstance(enabled, bool | None):
        return at("enabled").error("the field enabled has to be true or false")
    return Entry(rule, at, line, name, tuple(tags), enabled is not False)


def field_hint(name: str) -> str:
    """Says what a name of a field was probably meant to be.

    Args:
        name: A name that is not known.

    Returns:
        The closest one, and all there are.
    """
    there = f"there are {', '.join(FIELDS)}"
    folded = name.strip().lower()
    meant = _ELSEWHERE.get(folded) or next(
        iter(get_close_matches(folded, FIELDS, n=1)), None
    )
    return f"write {meant}; {there}" if meant else there


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
        if name not in _KNOWN:
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
