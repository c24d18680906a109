"""A rule set: parsed, immutable, printable, named by its content."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from typing_extensions import override

from rookery.matching._errors import MatchingError, RuleFileError, RuleSyntaxError
from rookery.matching._expression import Node, conjunction
from rookery.matching._leaves import Kind, Term
from rookery.matching._parser import Expression, parse_expression
from rookery.matching._words import has_symbol, has_word, is_word_character

_NAMED: Final = re.compile(r"(?P<name>[\w.-]+)\s*=\s*")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: Its name; the canonical expression where none was given.
        expression: What it asks of a post.
        tags: What people sort rules by, in alphabetical order, each once.
        enabled: Whether it matches anything at all.
    """

    id: str
    expression: Expression
    tags: tuple[str, ...] = ()
    enabled: bool = True

    @property
    def text(self) -> str:
        """The canonical expression."""
        return self.expression.text

    @override
    def __str__(self) -> str:
        """Returns the rule as a line of a rule file."""
        text = self.text
        return text if self.id == text else f"{self.id} = {text}"


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
        lines = sorted(f"{rule.id}\t{rule.text}" for rule in self.rules)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    @classmethod
    def parse(cls, lines: Iterable[str], *, where: str = "<rules>") -> "RuleSet":
        """Reads rules, one a line: `expression` or `name = expression`.

        Blank lines are passed over, and so are comments: lines that are `#` or begin
        with `# `.

        Args:
            lines: The lines, with or without their ends.
            where: The name of the file, for errors.

        Returns:
            The rule set.

        Raises:
            RuleFileError: Rules cannot be read or have the same name: all of them.
        """
        rules: list[Rule] = []
        lines_of: dict[str, int] = {}
        errors: list[RuleSyntaxError] = []
        for number, raw in enumerate(lines, 1):
            line = raw.rstrip("\r\n").removeprefix("\ufeff")
            content = line.strip()
            if not content or content == "#" or content.startswith("# "):
                continue
            begin = len(line) - len(line.lstrip())
            try:
                rule = parse_rule(content)
            except RuleSyntaxError as error:
                errors.append(error.at(where, number, line, begin))
                continue
            if rule.id in lines_of:
                taken = (
                    f"the rule {rule.id!r} stands in line {lines_of[rule.id]} already"
                )
                errors.append(
                    RuleSyntaxError(
                        taken,
                        line,
                        begin + 1,
                        hint="give it another name: name = expression",
                        where=where,
                        line=number,
                    )
                )
                continue
            lines_of[rule.id] = number
            rules.append(rule)
        if errors:
            raise RuleFileError(tuple(errors))
        return cls(tuple(rules))

    @classmethod
    def load(cls, path: Path) -> "RuleSet":
        """Reads a rule file.

        Args:
            path: A text file, UTF-8, as `parse` reads it.

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
        return cls.parse(text.split("\n"), where=str(path))

    @override
    def __str__(self) -> str:
        """Returns a rule file that reads as this set."""
        return "".join(f"{rule}\n" for rule in self.rules)

    def __len__(self) -> int:
        """Returns the number of rules."""
        return len(self.rules)


def parse_rule(line: str) -> Rule:
    """Reads one rule: `expression` or `name = expression`.

    Args:
        line: The rule.

    Returns:
        The rule.

    Raises:
        RuleSyntaxError: It is none; the column is that of the line.
    """
    named = _NAMED.match(line)
    shift = named.end() if named else 0
    try:
        expression = parse_expression(line[shift:])
    except RuleSyntaxError as error:
        column = error.column + shift
        raise RuleSyntaxError(error.reason, line, column, error.hint) from None
    return Rule(named["name"] if named else expression.text, expression)


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
        elif has_word(piece):
            plain = all(is_word_character(character) for character in piece)
            reserved = piece in ("OR", "AND")
            kind = Kind.KEYWORD if plain and not reserved else Kind.PHRASE
            terms.append(Term(kind, piece))
        elif has_symbol(piece):
            terms.append(Term(Kind.KEYWORD, piece))
    if not terms:
        raise MatchingError(f"the keyword {keyword!r} holds no word")
    return str(conjunction(terms))
