r"""Regular expressions at work: on RE2, as pyarrow has it.

Its time is linear in the text whatever the expression: nothing that somebody posts can
hold up a worker. Texts and expressions are compared in folded case.

RE2's `\w`, `\d` and `\b` know ASCII only, and its classes of Unicode take long to compile.
So a class is written out for the texts at hand: ASCII, and what else of it they have.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute

from rookery.matching._language import _regex as syntax
from rookery.matching._language._regex import (
    Characters,
    Choice,
    PatternError,
    Repeat,
    Side,
)
from rookery.text import fold

# Shorter ones, but for those beyond ASCII, stand in nearly every text.
_MIN_LITERAL: Final = 2
_MAX_LITERALS: Final = 64
# With more characters beyond ASCII than these, the class of Unicode is the smaller one.
_MAX_MEMBERS: Final = 256

_SPACES: Final = (
    r"\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}"
    r"\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
)
_UNICODE: Final = {"w": r"\p{L}\p{N}_", "d": r"\p{Nd}"}
# What no text has.
_NEVER: Final = r"[^\x{0}-\x{10ffff}]"
# Templates have these where the members of a class come in.
_HOLES: Final = {"w": "\0w", "d": "\0d", "s": _SPACES}

Span: TypeAlias = tuple[int, int]

# The stubs type each kernel by the arrays it takes; results are typed where they are kept.
_kernels: Any = pyarrow.compute


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, ready to run.

    Attributes:
        literals: Folded characters of which one at least stands in every text that
            matches; none where nothing can be said.
        template: The expression for RE2, with holes for the members of its classes.
        next_template: The same for the rest of a text, which does not begin there.
        looks_back: Whether such a rest begins with the character before it.
    """

    literals: tuple[str, ...]
    template: str
    next_template: str
    looks_back: bool

    def search(self, texts: Sequence[str], most: int) -> list[list[Span]]:
        """Searches texts.

        Args:
            texts: Texts in folded case.
            most: How many matches of a text are wanted.

        Returns:
            Where matches begin and end in each, in characters: the first, and then, as
            often as there is one, the first that begins where the last one ends or
            behind.
        """
        spans: list[list[Span]] = [[] for _ in texts]
        # Where the rest of each text begins that is still searched.
        rest = [(number, 0) for number in range(len(texts))]
        template = self.template
        for _ in range(most):
            written = self._filled(template, texts)
            found = _spans(written, [texts[number][at:] for number, at in rest])
            if not any(found):
                break
            following: list[tuple[int, int]] = []
            for (number, at), span in zip(rest, found, strict=True):
                if span is not None:
                    start, end = span[0] + at, span[1] + at
                    spans[number].append((start, end))
                    following.append((number, end - self.looks_back))
            rest, template = following, self.next_template
        return spans

    def _filled(self, template: str, texts: Iterable[str]) -> str:
        """Writes classes of characters out for some texts."""
        if "\0" not in template:
            return template
        beyond = set("".join([text for text in texts if not text.isascii()]))
        words = [c for c in beyond if c > "\x7f" and c.isalnum()]
        if len(words) > _MAX_MEMBERS:
            return _fill(template, _UNICODE)
        return _fill(
            template,
            {
                "w": "0-9A-Za-z_" + "".join(map(_escaped, words)),
                "d": "0-9" + "".join(_escaped(c) for c in words if c.isdecimal()),
            },
        )


@lru_cache(maxsize=65_536)
def parse_pattern(source: str) -> Pattern:
    """Reads a regular expression.

    Args:
        source: What stands between the slashes.

    Returns:
        The expression.

    Raises:
        PatternError: It cannot be used.
    """
    read = syntax.read(source)
    # What stands beyond a `\b` is consumed: RE2 cannot look at it.
    before = "(?:^|[^\0w])" if read.begins else ""
    after = "(?:[^\0w]|$)" if read.ends else ""
    body = _render(read.body)
    template = f"{before}(?P<m>{body}){after}"
    # The rest of a text does not begin where it begins.
    rest = _render(read.body, _NEVER)
    before = "[^\0w]" if read.begins else ""
    next_template = f"{before}(?P<m>{rest}){after}"
    try:
        _kernels.match_substring_regex(
            pa.array([], pa.string()), _fill(template, _UNICODE)
        )
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise PatternError(f"the regular expression is refused: {reason}", 0) from error
    literals = tuple(sorted(_literals(read.body) or ()))
    return Pattern(literals, template, next_template, read.begins)


def _spans(template: str, texts: list[str]) -> list[Span | None]:
    """Finds the first match in each text; None where there is none."""
    found = _kernels.extract_regex_span(pa.array(texts, pa.string()), template)
    return [
        None if match is None else _in_characters(text, *match["m"])
        for text, match in zip(texts, found.to_pylist(), strict=True)
    ]


def _in_characters(text: str, start: int, size: int) -> Span:
    if text.isascii():
        return start, start + size
    data = text.encode()
    begin = len(data[:start].decode())
    return begin, begin + len(data[start : start + size].decode())


def _fill(template: str, members: dict[str, str]) -> str:
    for name, written in members.items():
        template = template.replace(_HOLES[name], written)
    return template


def _escaped(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return f"\\x{{{ord(character):x}}}"


def _render(node: syntax.Node, start: str = "^") -> str:
    match node:
        case Characters(ranges, classes, negated):
            inner = "".join(
                _escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}"
                for low, high in _folded(ranges)
            )
            inner += "".join(_HOLES[name] for name in classes)
            plain = node.single and not negated
            return inner if plain else f"[{'^' * negated}{inner}]"
        case Side(sign):
            return start if sign == "^" else sign
        case syntax.Sequence(items):
            return "".join(_grouped(item, start) for item in items)
        case Choice(items):
            return "|".join(_render(item, start) for item in items)
        case Repeat(item, least, most, lazy):
            if (least, most) in ((0, None), (1, None), (0, 1)):
                count = {(0, None): "*", (1, None): "+", (0, 1): "?"}[least, most]
            else:
                count = f"{{{least},{'' if most is None else most}}}"
            return f"(?:{_render(item, start)}){count}{'?' * lazy}"


def _grouped(node: syntax.Node, start: str) -> str:
    written = _render(node, start)
    return f"(?:{written})" if isinstance(node, Choice) else written


def _folded(ranges: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Adds to ranges what their characters are folded to."""
    found: list[tuple[str, str]] = []
    for low, high in ranges:
        if low == high:
            found.append((fold(low), fold(low)))
            continue
        found.append((low, high))
        if high <= "\x7f":
            first, last = max(low, "A"), min(high, "Z")
            if first <= last:
                found.append((first.lower(), last.lower()))
        else:
            found += [(to, to) for c, to in _foldings().items() if low <= c <= high]
    return list(dict.fromkeys(found))


@cache
def _foldings() -> dict[str, str]:
    """Lists all characters that are folded to others."""
    cased = [
        chr(code)
        for code in range(0x1F000)
        if not 0xD800 <= code < 0xE000 and unicodedata.category(chr(code)) != "Cn"
    ]
    folded = fold("".join(cased))
    return {c: to for c, to in zip(cased, folded, strict=True) if c != to}


def _literals(node: syntax.Node) -> frozenset[str] | None:
    """Chooses characters of which some must stand in a text; None: there are none."""
    match node:
        case Characters():
            return _useful(fold(node.single)) if node.single else None
        case Side():
            return None
        case syntax.Sequence(items):
            return _literals_of_sequence(items)
        case Choice(items):
            each = [_literals(item) for item in items]
            known = [literals for literals in each if literals is not None]
            if len(known) < len(each):
                return None
            union = frozenset().union(*known)
            return union if len(union) <= _MAX_LITERALS else None
        case Repeat(item, least):
            return _literals(item) if least else None


def _literals_of_sequence(items: tuple[syntax.Node, ...]) -> frozenset[str] | None:
    best: frozenset[str] | None = None
    run = ""
    for item in (*items, Side("$")):
        if isinstance(item, Characters) and item.single:
            run += fold(item.single)
            continue
        for literals in (_useful(run), _literals(item)):
            if literals is not None and (
                best is None or _worth(literals) > _worth(best)
            ):
                best = literals
        run = ""
    return best


def _useful(literal: str) -> frozenset[str] | None:
    if len(literal) >= _MIN_LITERAL and not literal.isspace():
        return frozenset((literal,))
    beyond = literal != "" and not literal.isascii() and not literal.isspace()
    return frozenset((literal,)) if beyond else None


def _worth(literals: frozenset[str]) -> tuple[int, int]:
    return min(len(literal.encode()) for literal in literals), -len(literals)
