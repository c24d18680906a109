r"""Regular expressions of the rule language: the part of Python's `re` that is regular.

    choice   = sequence { "|" sequence }
    sequence = { item [ ( "*" | "+" | "?" | "{m}" | "{m,}" | "{m,n}" ) [ "?" ] ] }
    item     = character | "." | "^" | "$" | "[" members "]" | "(" choice ")" | escape
    escape   = "\" ( w | d | s | W | D | S | n | t | a sign )

`\b` stands first or last in the whole expression only, and beside a word character.
Look-around and references back do not exist, so that the time is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

MAX_REPEATS: Final = 1000
MAX_DEPTH: Final = 16
# How many characters the expression is when all counted repetitions are written out.
MAX_SIZE: Final = 2000

_QUANTIFIER: Final = re.compile(r"([*+?])|\{([0-9]{1,6})(?:(,)([0-9]{1,6})?)?\}")
_NAMED: Final = {"n": "\n", "t": "\t"}


class PatternError(Exception):
    """A regular expression that cannot be used.

    Args:
        reason: What is wrong.
        place: Where, in characters from 0.
        hint: What to write instead.
    """

    def __init__(self, reason: str, place: int, hint: str = "") -> None:
        super().__init__(reason, place, hint)
        self.reason = reason
        self.place = place
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of a set.

    Attributes:
        ranges: First and last character of each range that is in the set.
        classes: `w`, `d`, `s`: classes that are in it as a whole.
        negated: Whether it is all characters but these.
    """

    ranges: tuple[tuple[str, str], ...]
    classes: str = ""
    negated: bool = False

    @property
    def single(self) -> str:
        """The only character of the set, or nothing where there are others."""
        if len(self.ranges) != 1 or self.classes or self.negated:
            return ""
        first, last = self.ranges[0]
        return first if first == last else ""


@dataclass(frozen=True, slots=True)
class Side:
    """The beginning `^` or the end `$` of the text."""

    sign: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One item after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the items."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """An item so many times; `most` is None where there is no limit."""

    item: Node
    least: int
    most: int | None
    lazy: bool


Node: TypeAlias = "Characters | Side | Sequence | Choice | Repeat"

ANY: Final = Characters((("\n", "\n"),), negated=True)


@dataclass(frozen=True, slots=True)
class Syntax:
    r"""A regular expression as it was read.

    Attributes:
        body: All but `\b` at the sides.
        begins: Whether `\b` stands before it.
        ends: Whether `\b` stands behind it.
    """

    body: Node
    begins: bool
    ends: bool


def read(source: str) -> Syntax:
    r"""Reads a regular expression.

    Args:
        source: What stands between the slashes.

    Returns:
        The expression. What is none is a `PatternError`.
    """
    begins, ends = source.startswith(r"\b"), source.endswith(r"\b")
    stop = len(source) - 2 * ends
    # An even number of backslashes before the b: the last of them is a character.
    if ends and (stop - len(source[:stop].rstrip("\\"))) % 2:
        ends, stop = False, len(source)
    reader = _Reader(source, 2 * begins, max(stop, 2 * begins))
    body = reader.read()
    # With \b at one side alone, an alternative would be meant without it.
    if (begins or ends) and reader.is_choice:
        reader.fail(
            r"\b here would belong to one alternative only", 0, r"write \b(?:a|b)\b"
        )
    for wanted, last in ((begins, False), (ends, True)):
        if wanted and not _is_word(body, last):
            reader.fail(
                r"\b stands beside a character of a word only",
                stop if last else 0,
                r"leave \b out",
            )
    if _is_empty(body):
        reader.fail(
            "the regular expression matches every text, for it matches nothing at all",
            0,
            "have it name at least one character",
        )
    if _size(body) > MAX_SIZE:
        reader.fail(
            f"the regular expression is longer than {MAX_SIZE} characters when its "
            "repetitions are written out",
            0,
            "repeat less often, or without a number: +",
        )
    return Syntax(body, begins, ends)


class _Reader:
    def __init__(self, source: str, start: int, stop: int) -> None:
        self._source = source
        self._next = start
        self._stop = stop
        self._depth = 0
        # Whether there are alternatives outside of all groups.
        self.is_choice = False

    def read(self) -> Node:
        node = self._choice()
        if self._next < self._stop:
            self.fail("no group is open that this could close", self._next, r"write \)")
        return node

    def fail(self, reason: str, place: int, hint: str = "") -> NoReturn:
        raise PatternError(reason, place, hint)

    def _peek(self) -> str:
        return self._source[self._next] if self._next < self._stop else ""

    def _choice(self) -> Node:
        branches = [self._sequence()]
        while self._peek() == "|":
            self._next += 1
            branches.append(self._sequence())
            self.is_choice |= not self._depth
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while (character := self._peek()) and character not in "|)":
            start = self._next
            items.append(self._repeated(self._item(), start))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _item(self) -> Node:
        start = self._next
        character = self._peek()
        self._next += 1
        match character:
            case "(":
                return self._group(start)
            case "[":
                return self._set(start)
            case ".":
                return ANY
            case "^" | "$":
                return Side(character)
            case "\\":
                return self._escape(start, within=False)
            case "*" | "+" | "?":
                self.fail("nothing stands before this to repeat", start)
            case "{":
                self.fail("a brace that counts nothing", start, r"write \{")
            case _:
                return Characters(((character, character),))

    def _group(self, start: int) -> Node:
        if self._peek() == "?":
            if self._source[self._next : self._next + 2] != "?:":
                self.fail(
                    "look-around, names and flags are not available",
                    start,
                    "regular expressions run in linear time here; group with ( )",
                )
            self._next += 2
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.fail(f"more than {MAX_DEPTH} groups inside each other", start)
        node = self._choice()
        if self._peek() != ")":
            self.fail("the group is not closed", start, "close it with )")
        self._next += 1
        self._depth -= 1
        return node

    def _repeated(self, item: Node, start: int) -> Node:
        found = _QUANTIFIER.match(self._source, self._next, self._stop)
        if found is None:
            return item
        if isinstance(item, Side):
            self.fail("a side of the text cannot be repeated", start)
        sign, least, comma, most = found.groups()
        limit: int | None
        if sign:
            low, limit = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        else:
            low = int(least)
            limit = (int(most) if most else None) if comma else low
        if max(low, limit or 0) > MAX_REPEATS or (limit is not None and limit < low):
            self.fail(
                "the counts of a repetition are from a smaller to a larger number, "
                f"{MAX_REPEATS} at most",
                self._next,
            )
        self._next = found.end()
        lazy = self._peek() == "?"
        self._next += lazy
        if _QUANTIFIER.match(self._source, self._next, self._stop):
            self.fail("a repetition of a repetition", self._next, "use a group: (a+)*")
        return Repeat(item, low, limit, lazy)

    def _escape(self, start: int, *, within: bool) -> Characters:
        character = self._peek()
        if not character:
            self.fail("a backslash with nothing behind it", start, r"write \\")
        self._next += 1
        if character in "wds":
            return Characters((), character)
        if character in "WDS" and not within:
            return Characters((), character.lower(), negated=True)
        if character in _NAMED:
            character = _NAMED[character]
        elif character == "b":
            self.fail(
                r"\b stands first or last in the whole expression only",
                start,
                r"such as /\bfire(?:s|d)\b/",
            )
        elif character.isalnum():
            place = " within brackets" if within else ""
            self.fail(f"\\{character} is not available{place}", start)
        return Characters(((character, character),))

    def _set(self, start: int) -> Characters:
        negated = self._peek() == "^"
        self._next += negated
        ranges: list[tuple[str, str]] = []
        classes = ""
        first = self._next
        while self._peek() != "]" or self._next == first:
            low = self._member(start)
            if low.classes:
                classes += low.classes if low.classes not in classes else ""
                continue
            if self._source[self._next : self._next + 1] == "-" and (
                self._source[self._next + 1 : self._next + 2] not in ("]", "")
            ):
                place = self._next
                self._next += 1
                high = self._member(start)
                if high.classes or high.single < low.single:
                    self.fail(
                        "a range goes from a smaller to a larger character", place
                    )
                ranges.append((low.single, high.single))
            else:
                ranges.append((low.single, low.single))
        self._next += 1
        return Characters(tuple(ranges), classes, negated)

    def _member(self, start: int) -> Characters:
        place = self._next
        character = self._peek()
        if not character:
            self.fail("the brackets are not closed", start, "close them with ]")
        self._next += 1
        if character == "\\":
            return self._escape(place, within=True)
        if character == "[":
            self.fail("a bracket within brackets", place, r"write \[")
        return Characters(((character, character),))


def _is_empty(node: Node) -> bool:
    """Tells whether it matches the empty text."""
    match node:
        case Characters():
            return False
        case Side():
            return True
        case Sequence(items):
            return all(map(_is_empty, items))
        case Choice(items):
            return any(map(_is_empty, items))
        case Repeat(item, least):
            return least == 0 or _is_empty(item)


def _is_word(node: Node, last: bool) -> bool:
    """Tells whether what it matches begins, or ends, with a character of a word."""
    match node:
        case Characters(ranges, classes, negated):
            plain = all(_same_kind(low, high) for low, high in ranges)
            return plain and not negated and "s" not in classes
        case Side():
            return False
        case Sequence(items):
            ordered = reversed(items) if last else items
            for item in ordered:
                if not _is_word(item, last):
                    return False
                if not _is_empty(item):
                    return True
            return False
        case Choice(items):
            return all(_is_word(item, last) for item in items)
        case Repeat(item):
            return _is_word(item, last)


def _same_kind(low: str, high: str) -> bool:
    # Ranges of several scripts may have signs between them.
    if low == high:
        return low == "_" or low.isalnum()
    return any(
        first <= low and high <= last for first, last in ("09", "AZ", "az", "àö", "øÿ")
    )


def _size(node: Node) -> int:
    match node:
        case Characters() | Side():
            return 1
        case Sequence(items) | Choice(items):
            return sum(map(_size, items))
        case Repeat(item, least, most):
            return _size(item) * max(least, most or 1, 1)
