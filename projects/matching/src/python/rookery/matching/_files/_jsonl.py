"""Rules as JSON objects, one a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._files._fields import entry_of
from rookery.matching._files._written import Entry, Quoting, Written

_EXAMPLE: Final = (
    'each line is an object of its own, such as {"id": "x", "rule": "fire"}'
)


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
            yield object_of(line, where, number, line, 1)


class _Twice(Exception):
    """A name stands in a JSON object twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


_decode: Final = json.JSONDecoder(object_pairs_hook=_once).decode


def object_of(
    text: str, where: str, number: int, source: str, column: int
) -> Entry | RuleSyntaxError:
    """Reads a rule that is a JSON object.

    Args:
        text: The object.
        where: The name of the file.
        number: The line it stands in, from 1.
        source: That line as a whole.
        column: Where the object begins there, from 1.

    Returns:
        The rule, or what is wrong with it.
    """
    at = partial(_in_object, text, where, number, source, column)
    line = partial(Written, text, where, number, source, column)
    try:
        found = _decode(text)
    except json.JSONDecodeError as error:
        return line().error(f"this is no JSON: {error.msg}", _EXAMPLE, error.pos)
    except _Twice as error:
        return at({}, str(error)).error(f"{str(error)!r} is there twice")
    except RecursionError:
        return line().error("this JSON is too deep")
    except ValueError as error:
        # Python refuses numbers of thousands of digits.
        return line().error(f"this JSON cannot be read: {error}")
    if not isinstance(found, dict):
        return line().error("this is no JSON object", _EXAMPLE)
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
