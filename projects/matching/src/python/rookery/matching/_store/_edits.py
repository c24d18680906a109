"""Changes of a rule set, as values: each makes another set of the one there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from rookery.matching._errors import MatchingError
from rookery.matching._rules import RuleSet
from rookery.matching._store._changes import Action
from rookery.matching._store._listing import Listed, Listing

# How many names are told in one error.
_SHOWN = 5


class UnknownRule(MatchingError):
    """There is no rule of this name."""


class NameTaken(MatchingError):
    """There is a rule of this name already."""


class NoRules(MatchingError):
    """There are no rules where some were expected."""


class Edit(Protocol):
    """A change of a rule set.

    Attributes:
        action: What it is called in the audit trail.
        whole: Whether it replaces all rules, whatever they are, so that it does not
            matter who has changed them meanwhile.
    """

    @property
    def action(self) -> Action:
        """What it is called in the audit trail."""

    @property
    def whole(self) -> bool:
        """Whether it replaces all rules, whatever they are."""

    def apply(self, listing: Listing) -> Listing:
        """Makes another set; one that cannot be made is a `MatchingError`.

        Args:
            listing: The set there is.

        Returns:
            The set as it is to be.
        """


@dataclass(frozen=True)
class Put:
    """Replaces all rules.

    Attributes:
        rules: The rules from now on.
        action: `put`, or `restored`.
    """

    rules: Listing
    action: Action = Action.PUT
    whole = True

    def apply(self, listing: Listing) -> Listing:
        """Takes the given rules, whatever there was."""
        del listing
        return self.rules


@dataclass(frozen=True)
class Add:
    """Adds rules, behind those there are.

    Attributes:
        rules: The new rules.
    """

    rules: RuleSet
    action = Action.ADDED
    whole = False

    def apply(self, listing: Listing) -> Listing:
        """Adds them all, or none."""
        new = Listing.of(self.rules)
        taken = [name for name in new.rules if name in listing.rules]
        if taken:
            there, given = listing.rules[taken[0]], new.rules[taken[0]]
            raise NameTaken(
                f"{_these(taken)} in force already"
                + (", just as given" if there == given else f": {there.line}")
                + "; change it, or give the new one another name"
            )
        return Listing({**listing.rules, **new.rules})


@dataclass(frozen=True)
class Change:
    """Changes one rule; what is None stays.

    Attributes:
        name: Its name, which it keeps.
        expression: Its expression from now on.
        tags: Its tags.
        enabled: Whether it matches anything.
        create: Whether to add it where there is none of this name.
    """

    name: str
    expression: RuleSet | None = None
    tags: tuple[str, ...] | None = None
    enabled: bool | None = None
    create: bool = False
    whole = False

    @property
    def action(self) -> Action:
        """What it is called in the audit trail."""
        return Action.CHANGED

    def apply(self, listing: Listing) -> Listing:
        """Changes it in its place."""
        found = listing.rules.get(self.name)
        if found is None and not (self.create and self.expression):
            raise UnknownRule(unknown([self.name], listing))
        if self.expression is None:
            rule = listing.rules[self.name]
            tags = None if self.tags is None else tidy(self.tags)
            changed = rule.altered(tags=tags, enabled=self.enabled)
        else:
            changed = self._rewritten(found, self.expression)
        return Listing({**listing.rules, self.name: changed})

    def _rewritten(self, found: Listed | None, expression: RuleSet) -> Listed:
        (rule,) = expression.rules
        if found is not None:
            unnamed = found.id == found.text != rule.text
            if unnamed:
                raise MatchingError(
                    f"the rule {found.id!r} has no name of its own, its expression is "
                    "its name: remove it, and add the other one"
                )
            rule = replace(rule, tags=found.tags, enabled=found.enabled)
        if self.tags is not None:
            rule = replace(rule, tags=tidy(self.tags))
        if self.enabled is not None:
            rule = replace(rule, enabled=self.enabled)
        return Listed.of(replace(rule, id=self.name))


@dataclass(frozen=True)
class Switch:
    """Enables or disables rules.

    Attributes:
        names: Their names.
        enabled: Whether they match anything from now on.
    """

    names: tuple[str, ...]
    enabled: bool
    whole = False

    @property
    def action(self) -> Action:
        """What it is called in the audit trail."""
        return Action.ENABLED if self.enabled else Action.DISABLED

    def apply(self, listing: Listing) -> Listing:
        """Switches them all, or none."""
        check_known(self.names, listing)
        switched = {
            name: listing.rules[name].altered(enabled=self.enabled)
            for name in self.names
            if listing.rules[name].enabled != self.enabled
        }
        return Listing({**listing.rules, **switched})


@dataclass(frozen=True)
class Remove:
    """Removes rules.

    Attributes:
        names: Their names.
        allow_empty: Whether the last one may go too.
    """

    names: tuple[str, ...]
    allow_empty: bool = False
    action = Action.REMOVED
    whole = False

    def apply(self, listing: Listing) -> Listing:
        """Removes them all, or none."""
        check_known(self.names, listing)
        gone = set(self.names)
        left = {name: one for name, one in listing.rules.items() if name not in gone}
        if not left and not self.allow_empty:
            raise NoRules(
                "no rule would be left, so nothing would be matched any more; "
                "say --allow-empty if that is meant"
            )
        return Listing(left)


def tidy(tags: Iterable[str]) -> tuple[str, ...]:
    """Sorts tags, and keeps each once.

    Args:
        tags: The tags as they were given.

    Returns:
        The tags without space around them, in alphabetical order.

    Raises:
        MatchingError: There is nothing in one of them.
    """
    found = tuple(sorted({tag.strip() for tag in tags}))
    if "" in found:
        raise MatchingError("a tag has to have at least one character")
    return found


def check_known(names: Iterable[str], listing: Listing) -> None:
    """Looks whether there are rules of all these names.

    Args:
        names: The names.
        listing: The rules.

    Raises:
        UnknownRule: There is none of one of them; it tells the closest one.
    """
    missing = [name for name in names if name not in listing.rules]
    if missing:
        raise UnknownRule(unknown(missing, listing))


def unknown(missing: list[str], listing: Listing) -> str:
    """Says that there are no rules of some names, and which might have been meant.

    Args:
        missing: The names.
        listing: The rules.

    Returns:
        The text of the error.
    """
    if not listing:
        return f"there is no rule {missing[0]!r}: no rules are in force"
    several = len(missing) > 1
    told = (
        f"there {'are' if several else 'is'} no rule{'s' * several} {_names(missing)}"
    )
    close = _closest(missing[0], listing.rules)
    hint = f": did you mean {close!r}?" if close and not several else ""
    return told + hint


def _closest(name: str, rules: Mapping[str, Listed]) -> str | None:
    folded = {one.casefold(): one for one in rules}
    exact = folded.get(name.casefold())
    if exact is not None:
        return exact
    # Comparing is slow, and names that differ much in length are not close.
    near = [one for one in folded if abs(len(one) - len(name)) <= 3]
    found = difflib.get_close_matches(name.casefold(), near[:50_000], n=1)
    return folded[found[0]] if found else None


def _these(names: list[str]) -> str:
    if len(names) == 1:
        return f"the rule {names[0]!r} is"
    return f"the rules {_names(names)} are"


def _names(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    more = len(names) - _SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown
