"""The fields of a rule in a file, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._files._written import Entry, Written

FIELDS: Final = ("id", "rule", "tags", "enabled")

_KNOWN: Final = frozenset(FIELDS)
# What other services and people call them.
_ELSEWHERE: Final = {
    **dict.fromkeys(("value", "query", "expression", "keyword", "text"), "rule"),
    **dict.fromkeys(("name", "key", "rule_id"), "id"),
    **dict.fromkeys(("label", "labels", "group"), "tags"),
    **dict.fromkeys(("active", "disabled", "on", "off"), "enabled"),
}


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
