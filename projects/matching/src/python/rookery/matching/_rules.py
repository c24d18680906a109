"""A rule set: parsed, immutable, printable, named by its content."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from typing_extensions import override

from rookery.matching._collector import uncollected
from rookery.matching._errors import MatchingError, RuleFileError, RuleSyntaxError
from rookery.matching._files._formats import (
    RuleFormat,
    named,
    read_csv,
    read_text,
)
from rookery.matching._files._jsonl import read_jsonl
from rookery.matching._files._written import Entry
from rookery.matching._language._expression import Node, conjunction
from rookery.matching._language._leaves import Kind, Term
from rookery.matching._language._lexer import cut
from rookery.matching._language._parser import Expression, parse_expression
from rookery.matching._language._terms import RESERVED, TermError, leaf_of
from rookery.matching._language._words import has_symbol, has_word, is_word_character

# What stays one line whoever cuts it into lines.
_LINE: Final = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: Its name; the canonical expression where none was given.
        expression: What it asks of a post.
        tags: What people sort rules by, in alphabetical order, each once.
        enabled: Whether it matches anything at all.
        line: Its line in the file it was read from, from 1; 0 where there is none.
    """

    id: str
    expression: Expression
    tags: tuple[str, ...] = ()
    enabled: bool = True
    line: int = field(default=0, compare=False)

    @property
    def text(self) -> str:
        """The canonical expression."""
        return self.expression.text

    @override
    def __str__(self) -> str:
        """Returns the rule as a line of a text file: JSON if need be."""
        text = self.text
        line = text if self.id == text else f"{self.id} = {text}"
        if self.tags or not self.enabled or not _LINE.fullmatch(line):
            return _object(self)
        name, shift = named(line)
        same = line[shift:] == text and self.id == (text if name is None else name)
        return line if same else _object(self)


@dataclass(frozen=True)
class RuleSet:
    """An immutable set of rules.

    Attributes:
        rules: The rules, in the order they were written.
    """

    rules: tuple[Rule, ...]

    @cached_property
    def version(self) -> str:
        """16 hexadecimal digits that name the content, whatever its order."""
        return version_of(self.rules)

    @classmethod
    def parse(cls, lines: Iterable[str], *, where: str = "<rules>") -> RuleSet:
        """Reads rules, one a line: `expression` or `name = expression`.

        Blank lines are passed over, and so are comments: lines that are `#` or begin
        with `# `. A line may also be a JSON object, with the fields `id`, `rule`, `tags`
        and `enabled`.

        Args:
            lines: The lines, with or without their ends.
            where: The name of the file, for errors.

        Returns:
            The rule set. Rules that cannot be read or have the same name are a
            `RuleFileError`, which has all of them.
        """
        return cls(_rules(read_text(lines, where)))

    @classmethod
    def read(
        cls,
        text: str,
        format: RuleFormat = RuleFormat.TEXT,
        *,
        where: str = "<rules>",
    ) -> RuleSet:
        """Reads the text of a rule file.

        Args:
            text: The text.
            format: What it is written in.
            where: The name of the file, for errors.

        Returns:
            The rule set. Rules that cannot be read or have the same name are a
            `RuleFileError`, which has all of them.
        """
        match format:
            case RuleFormat.TEXT:
                return cls.parse(text.split("\n"), where=where)
            case RuleFormat.JSONL:
                return cls(_rules(read_jsonl(text, where)))
            case RuleFormat.CSV:
                return cls(_rules(read_csv(text, where)))
            case RuleFormat.YAML:
                # Imported here: workers get their rules as text.
                from rookery.matching._files._yaml import read_yaml

                return cls(_rules(read_yaml(text, where)))

    @classmethod
    def load(cls, path: Path, *, format: RuleFormat | None = None) -> RuleSet:
        """Reads a rule file.

        Args:
            path: A file of UTF-8.
            format: What it is written in; None to go by its name.

        Returns:
            The rule set.

        Raises:
            MatchingError: The file cannot be read, is no UTF-8, or a rule is wrong.
        """
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise MatchingError(
                f"{path}: cannot be read: {error.strerror or error}"
            ) from error
        except UnicodeDecodeError as error:
            raise MatchingError(
                f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8"
            ) from error
        return cls.read(text, format or RuleFormat.of(path), where=str(path))

    @override
    def __str__(self) -> str:
        """Returns a rule file that reads as this set."""
        return "".join(f"{rule}\n" for rule in self.rules)

    def __len__(self) -> int:
        """Returns the number of rules."""
        return len(self.rules)


class Content(Protocol):
    """What makes a rule, parsed or not."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def text(self) -> str:
        """Its canonical expression."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags, in alphabetical order."""

    @property
    def enabled(self) -> bool:
        """Whether it matches anything."""


def version_of(rules: Iterable[Content]) -> str:
    """Names the content of a rule set.

    Args:
        rules: The rules, in any order.

    Returns:
        16 hexadecimal digits.
    """
    lines = sorted([_line(rule) for rule in rules])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _line(rule: Content) -> str:
    """Writes out all that makes a rule; one that has an id and no more as ever."""
    line = f"{rule.id}\t{rule.text}"
    if rule.tags or not rule.enabled:
        line += f"\t{json.dumps([rule.tags, rule.enabled])}"
    return line


def parse_rule(line: str) -> Rule:
    """Reads one rule: `expression` or `name = expression`.

    Args:
        line: The rule.

    Returns:
        The rule.

    Raises:
        RuleSyntaxError: It is none; the column is that of the line.
    """
    name, shift = named(line)
    try:
        expression = parse_expression(line[shift:])
    except RuleSyntaxError as error:
        column = error.column + shift
        raise RuleSyntaxError(error.reason, line, column, error.hint) from None
    return Rule(expression.text if name is None else name, expression)


def _rules(entries: Iterable[Entry | RuleSyntaxError]) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    lines_of: dict[str, int] = {}
    errors: list[RuleSyntaxError] = []
    with uncollected():
        for entry in entries:
            if isinstance(entry, RuleSyntaxError):
                errors.append(entry)
                continue
            text, at, line, name, tags, enabled = entry
            try:
                expression = parse_expression(text)
            except RuleSyntaxError as error:
                place = error.column - 1
                errors.append(at("rule").error(error.reason, error.hint, place))
                continue
            key = expression.text if name is None else name
            if key in lines_of:
                errors.append(_taken(key, lines_of[key], entry))
                continue
            lines_of[key] = line
            tags = tuple(sorted(set(tags))) if tags else ()
            rules.append(Rule(key, expression, tags, enabled, line))
    if errors:
        raise RuleFileError(tuple(errors))
    return tuple(rules)


def _taken(name: str, line: int, entry: Entry) -> RuleSyntaxError:
    reason = f"the rule {name!r} stands in line {line} already"
    if entry.id is None:
        hint = "leave one of them out, or give it an id of its own"
        return entry.at("rule").error(reason, hint)
    return entry.at("id").error(reason, "give it an id of its own")


def _object(rule: Rule) -> str:
    fields: dict[str, object] = {"id": rule.id, "rule": rule.text}
    if rule.tags:
        fields["tags"] = list(rule.tags)
    if not rule.enabled:
        fields["enabled"] = False
    return json.dumps(fields)


def track_rule(keyword: str) -> str:
    """Turns a tracking keyword of a social API into a rule.

    Such a keyword asks for all of its words, in any order; `#` and `@` are required
    where they are written. Source: the `track` parameter of Twitter's filtered stream,
    as in CrisisLex (Olteanu et al., 2014).

    Args:
        keyword: For example `boulder fire` or `#COfire`.

    Returns:
        The canonical rule text.

    Raises:
        MatchingError: The keyword holds no word.
    """
    terms: list[Node] = []
    for piece in keyword.split():
        sign, bare = piece[:1], piece[1:]
        if sign in ("#", "@", "$") and bare and has_word(bare[0]):
            # What follows the name is not part of it.
            end = next(
                (i for i, c in enumerate(bare) if not is_word_character(c)), len(bare)
            )
            terms.append(Term(Kind(sign), bare[:end]))
        elif has_word(piece) or has_symbol(piece):
            terms.append(Term(_kind_of(piece), piece))
    if not terms:
        raise MatchingError(f"the keyword {keyword!r} holds no word")
    return str(conjunction(terms))


def _kind_of(piece: str) -> Kind:
    """Says how a word is written in a rule: with quotation marks where it needs them."""
    if has_word(piece):
        plain = all(map(is_word_character, piece)) and piece not in RESERVED
        return Kind.KEYWORD if plain else Kind.PHRASE
    try:
        bare = cut(piece) == [piece] and leaf_of(piece) == Term(Kind.KEYWORD, piece)
    except (RuleSyntaxError, TermError):
        bare = False
    return Kind.KEYWORD if bare else Kind.PHRASE
