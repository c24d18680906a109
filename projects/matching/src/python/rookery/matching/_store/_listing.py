"""A rule set as it is stored: read line by line, without parsing any expression.

What is stored is canonical, so 100,000 rules are listed, changed and named by their
version in a fraction of the time that parsing them takes. A set of which this release
cannot read a rule can still be listed, and that rule removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from typing_extensions import override

from rookery.matching._collector import uncollected
from rookery.matching._errors import MatchingError
from rookery.matching._files._formats import is_object, named
from rookery.matching._rules import Rule, RuleSet, version_of


class Listed(NamedTuple):
    """One rule, as it is stored.

    Attributes:
        id: Its name; the expression where it has none.
        text: Its canonical expression.
        tags: Its tags, in alphabetical order.
        enabled: Whether it matches anything.
        line: All of it as a line of a rule file.
    """

    id: str
    text: str
    tags: tuple[str, ...]
    enabled: bool
    line: str

    @classmethod
    def of(cls, rule: Rule) -> Listed:
        """Lists a rule.

        Args:
            rule: The rule.

        Returns:
            What is stored of it.
        """
        return cls(rule.id, rule.text, rule.tags, rule.enabled, str(rule))

    @classmethod
    def read(cls, line: str) -> Listed:
        """Reads a line that was stored.

        Args:
            line: The line.

        Returns:
            The rule. Another line is a `ValueError`.
        """
        if is_object(line):
            found = json.loads(line)
            text = str(found["rule"])
            name = str(found.get("id", text))
            tags = tuple(map(str, found.get("tags") or ()))
            return cls(name, text, tags, found.get("enabled") is not False, line)
        name_of, shift = named(line)
        text = line[shift:]
        return cls(text if name_of is None else name_of, text, (), True, line)

    def parsed(self) -> Rule:
        """Parses the rule; where that fails, its syntax error is raised.

        Returns:
            The rule.
        """
        (rule,) = RuleSet.parse([self.line], where=f"<the rule {self.id}>").rules
        return rule

    def altered(
        self, *, tags: Iterable[str] | None = None, enabled: bool | None = None
    ) -> Listed:
        """Changes what is not the expression.

        Args:
            tags: Its tags from now on; None: those it has.
            enabled: Whether it matches anything from now on; None: as it is.

        Returns:
            The changed rule.
        """
        rule = self.parsed()
        if tags is not None:
            rule = replace(rule, tags=tuple(sorted(set(tags))))
        if enabled is not None:
            rule = replace(rule, enabled=enabled)
        return Listed.of(rule)


@dataclass(frozen=True)
class Listing:
    """A rule set as it is stored.

    Attributes:
        rules: The rules by id, in the order they were written.
    """

    rules: Mapping[str, Listed]

    @classmethod
    def of(cls, rules: RuleSet) -> Listing:
        """Lists a rule set.

        Args:
            rules: The rules.

        Returns:
            What is stored of them.
        """
        with uncollected():
            return cls({rule.id: Listed.of(rule) for rule in rules.rules})

    @classmethod
    def read(cls, text: str, version: str) -> Listing:
        """Reads what was stored.

        Args:
            text: The lines.
            version: The version it was stored as.

        Returns:
            The rules.

        Raises:
            MatchingError: It is not what was stored under this version.
        """
        try:
            with uncollected():
                listed = [Listed.read(line) for line in text.split("\n") if line]
        except (KeyError, ValueError, RecursionError) as error:
            raise MatchingError(
                f"the rules stored as version {version} are damaged: {error}"
            ) from error
        found = cls({rule.id: rule for rule in listed})
        if found.version != version or len(found) != len(listed):
            raise MatchingError(
                f"the rules stored as version {version} are damaged: their content is "
                f"that of version {found.version}; put the rules in force again"
            )
        return found

    @cached_property
    def version(self) -> str:
        """The version of the rule set, as `RuleSet.version` computes it."""
        return version_of(self.rules.values())

    @override
    def __str__(self) -> str:
        """Returns a rule file that reads as this set."""
        return "".join(f"{rule.line}\n" for rule in self.rules.values())

    def __len__(self) -> int:
        """Returns the number of rules."""
        return len(self.rules)
