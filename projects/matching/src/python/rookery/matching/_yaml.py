"""Rules in YAML: a list of rules, each text or a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._formats import entry_of
from rookery.matching._written import Entry, Quoting, Written

# A list of mappings with lists of tags, maybe below `rules:`, needs four.
_MAX_DEPTH: Final = 8
_TAG: Final = "tag:yaml.org,2002:"
# The one in C is ten times as fast, where it was built.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_QUOTING: Final = {'"': Quoting.BACKSLASH, "'": Quoting.SINGLE}


def read_yaml(text: str, where: str) -> Iterator[Entry | RuleSyntaxError]:
    """Reads YAML.

    Args:
        text: The text of the file.
        where: Its name.

    Yields:
        What is read, in order.
    """
    lines = text.split("\n")
    try:
        _check_depth(text)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        yield RuleSyntaxError(
            f"this is no YAML: {error.problem or error.context}",
            _line(lines, line),
            column + 1,
            where=where,
            line=line + 1,
        )
        return
    except yaml.YAMLError as error:
        reason = f"this is no YAML: {' '.join(str(error).split())}"
        yield RuleSyntaxError(reason, lines[0], 1, where=where)
        return
    if root is None:
        return
    reader = _Reader(lines, where)
    yield from reader.rules(root)


def _check_depth(text: str) -> None:
    """Composing is recursive, and input is not to decide how deep."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                mark: Any = event.start_mark
                raise yaml.MarkedYAMLError(
                    problem="lists and mappings are too deep inside each other",
                    problem_mark=mark,
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reader:
    def __init__(self, lines: list[str], where: str) -> None:
        self._lines = lines
        self._where = where

    def rules(self, root: yaml.Node) -> Iterator[Entry | RuleSyntaxError]:
        if isinstance(root, yaml.MappingNode):
            below = [value for key, value in root.value if key.value == "rules"]
            if len(root.value) != 1 or not below:
                yield self._at(root).error(
                    "a list of rules is expected, or a mapping with rules: alone",
                    "such as - fire OR flood",
                )
                return
            root = below[0]
        if not isinstance(root, yaml.SequenceNode):
            yield self._at(root).error("a list of rules is expected")
            return
        for node in root.value:
            if isinstance(node, yaml.MappingNode):
                yield self._mapping(node)
            elif isinstance(node, yaml.ScalarNode):
                yield Entry(self._at(node))
            else:
                yield self._at(node).error("a rule is text or a mapping")

    def _mapping(self, node: yaml.MappingNode) -> Entry | RuleSyntaxError:
        places: dict[str, Written] = {}
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                return self._at(key).error(f"{name!r} is there twice")
            places[name] = self._at(value)
            found[name] = self._value(value)
        return entry_of(found, places.__getitem__, self._at(node))

    def _value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode):
            # No deeper: an anchor may stand for what it is in.
            return [
                child.value if isinstance(child, yaml.ScalarNode) else None
                for child in node.value
            ]
        if not isinstance(node, yaml.ScalarNode):
            return {}
        if node.tag == f"{_TAG}bool":
            return node.value.lower() in ("true", "yes", "on")
        if node.tag == f"{_TAG}null":
            return None
        return str(node.value)

    def _at(self, node: yaml.Node) -> Written:
        style = getattr(node, "style", None)
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        mark = node.start_mark
        return Written(
            text.strip() if style in ("|", ">") else text,
            self._where,
            mark.line + 1,
            _line(self._lines, mark.line),
            mark.column + 1 + (style in _QUOTING),
            _QUOTING.get(style or "", Quoting.NONE),
        )


def _line(lines: list[str], number: int) -> str:
    return lines[number].rstrip("\r") if number < len(lines) else ""
