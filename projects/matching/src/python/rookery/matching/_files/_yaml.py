"""Rules in YAML: a list of rules, each text or a mapping.

The events of PyYAML are read one by one, and what they stand for is built here: in one pass,
and no deeper than rules are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

import yaml

from rookery.matching._errors import RuleSyntaxError
from rookery.matching._files._fields import entry_of, field_hint
from rookery.matching._files._written import Entry, Quoting, Written

# A list of mappings with lists of tags, maybe below `rules:`, needs four.
_MAX_DEPTH: Final = 8
# The one in C is ten times as fast, where it was built.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_QUOTING: Final = {'"': Quoting.BACKSLASH, "'": Quoting.SINGLE}
# What YAML 1.1 takes for something else than text, where no quotation marks are.
_SWITCHES: Final = {
    form: value
    for value, words in ((True, ("true", "yes", "on")), (False, ("false", "no", "off")))
    for word in words
    for form in (word, word.title(), word.upper())
}
# What ends a line in YAML 1.1, whose lines PyYAML counts.
_END_OF_LINE: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOTHING: Final = frozenset(("", "~", "null", "Null", "NULL"))


class _Scalar(NamedTuple):
    """Text, with its place."""

    text: str
    style: str
    plain: bool
    mark: yaml.Mark

    @property
    def value(self) -> str | bool | None:
        """What YAML takes it for: a switch, nothing, or text; numbers are text here."""
        if self.plain:
            if self.text in _NOTHING:
                return None
            return _SWITCHES.get(self.text, self.text)
        return self.text


class _List(NamedTuple):
    items: list[_Node]
    mark: yaml.Mark


class _Mapping(NamedTuple):
    items: list[tuple[_Node, _Node]]
    mark: yaml.Mark


_Node: TypeAlias = "_Scalar | _List | _Mapping"


def read_yaml(text: str, where: str) -> Iterator[Entry | RuleSyntaxError]:
    """Reads YAML.

    Args:
        text: The text of the file.
        where: Its name.

    Yields:
        What is read, in order.
    """
    reader = _Reader(_END_OF_LINE.split(text), where)
    try:
        root = _Composer(text).root()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        problem = error.problem or error.context
        hint = _HINTS.get(str(problem), "")
        yield reader.error(f"this is no YAML: {problem}", line, column, hint)
    except yaml.YAMLError as error:
        yield reader.error(f"this is no YAML: {' '.join(str(error).split())}", 0, 0)
    else:
        if root is not None:
            yield from reader.rules(root)


_NEEDS_QUOTES: Final = (
    "put a rule that begins with one of # @ \" * & ! % - or has ': ' in it into '"
)
# What libyaml says of rules that lack quotation marks.
_HINTS: Final = dict.fromkeys(
    (
        "found character that cannot start any token",
        "mapping values are not allowed in this context",
        "did not find expected alphabetic or numeric character",
        "did not find expected '-' indicator",
        "did not find expected key",
        "could not find expected ':'",
        "could not find expected directive name",
        "found undefined alias",
        "found undefined tag handle",
    ),
    _NEEDS_QUOTES,
)


class _Composer:
    """Builds what events stand for.

    Args:
        text: The text of the file.
    """

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))
        self._anchors: dict[str, _Node] = {}

    def root(self) -> _Node | None:
        """Builds the only document.

        Returns:
            What it holds; None where there is none. What is no YAML, too deep, or more
            than one document is a `yaml.MarkedYAMLError`.
        """
        found: _Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if found is not None:
                    _refuse("a second document begins here", event.start_mark)
            elif isinstance(event, yaml.NodeEvent):
                found = self._node(event, 1)
        return found

    def _node(self, event: Any, depth: int) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                _refuse("found undefined alias", event.start_mark)
            return self._anchors[event.anchor]
        node: _Node
        mark = event.start_mark
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style in (None, "") and event.tag is None
            node = _Scalar(event.value, event.style or "", plain, mark)
        elif depth > _MAX_DEPTH:
            _refuse("lists and mappings are too deep inside each other", mark)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = _List(self._items(yaml.SequenceEndEvent, depth + 1), mark)
        else:
            found = self._items(yaml.MappingEndEvent, depth + 1)
            node = _Mapping(list(zip(found[::2], found[1::2], strict=True)), mark)
        if event.anchor is not None:
            # Known from here on: nothing is part of itself.
            self._anchors[event.anchor] = node
        return node

    def _items(self, end: type, depth: int) -> list[_Node]:
        found: list[_Node] = []
        for event in self._events:
            if isinstance(event, end):
                break
            found.append(self._node(event, depth))
        return found


def _refuse(problem: str, mark: Any) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


class _Reader:
    def __init__(self, lines: list[str], where: str) -> None:
        self._lines = lines
        self._where = where

    def rules(self, root: _Node) -> Iterator[Entry | RuleSyntaxError]:
        if isinstance(root, _Mapping):
            below = [value for key, value in root.items if _name(key) == "rules"]
            if len(root.items) != 1 or not below:
                yield self._at(root).error(
                    "a list of rules is expected, or a mapping with rules: alone",
                    "such as - fire OR flood",
                )
                return
            root = below[0]
        if not isinstance(root, _List):
            yield self._at(root).error(
                "a list of rules is expected", "such as - fire OR flood"
            )
            return
        for node in root.items:
            if isinstance(node, _Mapping):
                yield self._mapping(node)
            elif isinstance(node, _Scalar):
                if not node.text and "#" in self._source(node.mark.line):
                    hint = "# begins a comment in YAML: put a rule that has it into '"
                    yield self._at(node).error("the rule is empty", hint)
                    continue
                yield Entry(_stripped(node), partial(self._of, node), _line(node))
            else:
                yield self._at(node).error("a rule is text or a mapping")

    def _mapping(self, mapping: _Mapping) -> Entry | RuleSyntaxError:
        nodes: dict[str, _Node] = {}
        found: dict[str, Any] = {}
        for key, node in mapping.items:
            name = _name(key)
            if name is None:
                return self._at(key).error(
                    "the name of a field is text", field_hint("")
                )
            if name in nodes:
                return self._at(key).error(f"{name!r} is there twice")
            nodes[name] = node
            found[name] = _value(node, name)
        at = partial(self._in_mapping, mapping, nodes)
        return entry_of(found, at, _line(nodes.get("rule", mapping)))

    def _in_mapping(
        self, mapping: _Mapping, nodes: dict[str, _Node], name: str
    ) -> Written:
        return self._at(nodes.get(name, mapping))

    def _of(self, node: _Node, _: str) -> Written:
        return self._at(node)

    def _at(self, node: _Node) -> Written:
        mark = node.mark
        text, style = "", ""
        if isinstance(node, _Scalar):
            text, style = _stripped(node), node.style
        return Written(
            text,
            self._where,
            mark.line + 1,
            self._source(mark.line),
            mark.column + 1 + (style in _QUOTING),
            _QUOTING.get(style, Quoting.NONE),
        )

    def error(
        self, reason: str, line: int, column: int, hint: str = ""
    ) -> RuleSyntaxError:
        source = self._source(line)
        return RuleSyntaxError(
            reason, source, column + 1, hint, where=self._where, line=line + 1
        )

    def _source(self, line: int) -> str:
        return self._lines[line] if line < len(self._lines) else ""


def _name(key: _Node) -> str | None:
    return key.text if isinstance(key, _Scalar) else None


def _line(node: _Node) -> int:
    return node.mark.line + 1


def _stripped(node: _Scalar) -> str:
    """Returns the text, without the end of line that a block ends with."""
    return node.text.strip() if node.style in ("|", ">") else node.text


def _value(node: _Node, name: str) -> Any:
    if isinstance(node, _Scalar):
        value = node.value
        # A rule or an id is text, even where it is the word `no`.
        if value is None or (isinstance(value, bool) and name not in ("rule", "id")):
            return value
        return _stripped(node)
    if isinstance(node, _List):
        return [item.text if isinstance(item, _Scalar) else None for item in node.items]
    return {}
