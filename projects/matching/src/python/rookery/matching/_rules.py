"""Rules with their names, in sets that never change."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rookery.matching._ast import Node, Phrase, Term
from rookery.matching._errors import MatchingError, RulesUnreadable, RuleSyntaxError
from rookery.matching._parser import parse

_NAMED = re.compile(r"\s*([\w.-]+)\s*=(?:\s+|$)")
_COMMENT = re.compile(r"\s*#(?:\s|$)")
_BEGINS_WORD = re.compile(r"\w")


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        id: Its name; its text, if it was given none.
        expression: What it says.
        text: The same as it is written, in canonical form.
    """

    id: str
    expression: Node
    text: str

    def __str__(self) -> str:
        return self.text if self.id == self.text else f"{self.id} = {self.text}"


@dataclass(frozen=True)
class RuleSet:
    """Rules, in the order of their file. Its text in canonical form is `str(...)`.

    Attributes:
        rules: The rules; no two have the same id.
    """

    rules: tuple[Rule, ...]

    @classmethod
    def parse(cls, lines: Iterable[str], *, where: str = "<rules>") -> RuleSet:
        """Reads rules.

        One rule a line: `name = expression`, or `expression` alone, whose name is the
        expression in canonical form. Blank lines are skipped, and so are comments: lines
        that are `#`, or begin with `#` and white space. A rule that is there twice is
        there once.

        Args:
            lines: The lines, or their text.
            where: What to call them, such as the name of their file.

        Returns:
            The rules.

        Raises:
            RuleSyntaxError: If a line is no rule, or a name stands for two of them.
        """
        if isinstance(lines, str):
            lines = lines.split("\n")
        rules: dict[str, Rule] = {}
        places: dict[str, int] = {}
        for number, line in enumerate(lines, 1):
            if number == 1:
                line = line.removeprefix("\ufeff")
            line = line.rstrip("\r\n")
            if not line.strip() or _COMMENT.match(line):
                continue
            rule = _parse_line(line, where, number)
            known = rules.setdefault(rule.id, rule)
            first = places.setdefault(rule.id, number)
            if known.text != rule.text:
                raise RuleSyntaxError(
                    f"the name {rule.id!r} stands for another rule in line {first}",
                    text=line,
                    column=len(line) - len(line.lstrip()) + 1,
                    hint="give one of them another name",
                    where=where,
                    line=number,
                )
        return cls(tuple(rules.values()))

    @classmethod
    def load(cls, path: Path) -> RuleSet:
        """Reads a file of rules.

        Args:
            path: The file, in UTF-8.

        Returns:
            The rules. What is wrong with them raises `RuleSyntaxError`, with the place.

        Raises:
            RulesUnreadable: If there is no such file, or it is not UTF-8.
        """
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise RulesUnreadable(
                f"{path}:{line}: not UTF-8 ({error.reason}): save the rules as UTF-8"
            ) from error
        except OSError as error:
            raise RulesUnreadable(
                f"{path}: cannot read the rules: {error.strerror}"
            ) from error
        return cls.parse(text, where=str(path))

    @cached_property
    def version(self) -> str:
        """16 hexadecimal digits that are the same for the same rules in this order."""
        return hashlib.sha256(str(self).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return "".join(f"{rule}\n" for rule in self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)


def parse_rule(text: str) -> Rule:
    """Reads one rule, on its own.

    Args:
        text: A line of a file of rules: `name = expression`, or `expression`.

    Returns:
        The rule. If it is none, `RuleSyntaxError` says where.
    """
    return _parse_line(text, "<rule>", 1)


def _parse_line(line: str, where: str, number: int) -> Rule:
    named = _NAMED.match(line)
    offset = named.end() if named else 0
    try:
        expression = parse(line[offset:])
    except RuleSyntaxError as error:
        raise error.at(text=line, offset=offset, where=where, line=number) from None
    text = str(expression)
    return Rule(named[1] if named else text, expression, text)


def track_rule(keyword: str) -> str:
    """Writes what Twitter's streaming interface called a `track` keyword as a rule.

    Args:
        keyword: Words between spaces, all of which have to occur, in any order. A word
            with `#`, `@` or `$` needs it in the text; one without is found behind one
            as well.

    Returns:
        The expression of a rule, in canonical form.

    Raises:
        MatchingError: If there is no word in it.
    """
    found = [_tracked(word) for word in keyword.split() if _BEGINS_WORD.search(word)]
    if not found:
        raise MatchingError(f"there is no word to track in {keyword!r}")
    return str(parse(" ".join(map(str, found))))


def _tracked(word: str) -> Term:
    """What would be an operator in a rule is a word here."""
    try:
        node = parse(word)
    except RuleSyntaxError:
        return Phrase(word)
    return node if isinstance(node, Term) else Phrase(word)
