"""The rules in force, for the REST interface: read, changed, explained."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from rookery.matching import (
    Explanation,
    MatchingError,
    Rule,
    RuleSet,
    RuleSyntaxError,
    explain,
    parse_rule,
    store,
)
from rookery.serving._backtests import Backtester, Tested
from rookery.serving._errors import RuleRefused
from rookery.serving._live import Live
from rookery.serving._rule_models import (
    BacktestGiven,
    ExplainGiven,
    NewRuleGiven,
    RuleGiven,
)

_DEFAULT_BY: Final = "rest"


class Rulebook:
    """Reads and changes the rules in force.

    Args:
        live: Where the bus is.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._listing: store.Listing | None = None
        self._backtester = Backtester(live.lake)

    async def rule(self, name: str) -> tuple[store.Listed, str]:
        """Looks a rule up.

        Args:
            name: Its name.

        Returns:
            The rule, and the version in force.

        Raises:
            RuleRefused: There is none of this name.
        """
        listing = await self._current()
        found = listing.rules.get(name)
        if found is None:
            raise RuleRefused(404, "rule-unknown", store.unknown([name], listing))
        return found, listing.version

    async def version(self) -> str:
        """Asks which version is in force.

        Returns:
            The version; empty where there is none yet.
        """
        pointer = await store.pointer(self._live.bus)
        return "" if pointer is None else pointer.version

    async def history(self, rule: str | None, limit: int) -> list[store.Entry]:
        """Reads the audit trail.

        Args:
            rule: Only what concerns this rule; None: everything.
            limit: At most so many.

        Returns:
            The entries, newest first.
        """
        return await store.history(self._live.bus, rule=rule, limit=limit)

    async def change(
        self,
        change: store.Edit,
        *,
        by: str | None,
        note: str,
        expect: Sequence[str] | None,
    ) -> store.Done:
        """Changes the rules in force.

        Args:
            change: What to change.
            by: Who.
            note: Why.
            expect: The versions of which one has to be in force; None: any.

        Returns:
            What became of it.

        Raises:
            RuleRefused: It cannot be done.
        """
        expected: str | None = None
        if expect is not None:
            version = await self.version()
            expected = version if version in expect else next(iter(expect), "?")
        try:
            signature = store.Signature(by or _DEFAULT_BY, note)
            return await store.edit(
                self._live.bus, change, signature=signature, expect=expected
            )
        except MatchingError as error:
            refused = _refusal(error, precondition=expect is not None)
            raise RuleRefused(*refused.args) from error

    async def explain(self, given: ExplainGiven) -> Explanation:
        """Explains a rule on a post.

        Args:
            given: Both of them.

        Returns:
            The tree of clauses.
        """
        rule = _expression(given.rule, "rule")
        post = given.post.model_dump()
        return await asyncio.to_thread(explain, rule, post)

    async def backtest(self, given: BacktestGiven) -> Tested:
        """Tries a rule on the lake.

        Args:
            given: The rule, and what to try it on.

        Returns:
            What it would have matched.
        """
        rule = _expression(given.rule, "rule")
        if given.id is not None:
            rule = Rule(given.id, rule.expression)
        return await self._backtester.run(
            rule,
            existing=self._live.rules if given.compare else None,
            start=given.start,
            end=given.end,
            samples=given.samples,
        )

    async def _current(self) -> store.Listing:
        version = await self.version()
        if not version:
            return store.Listing({})
        listing = self._listing
        if listing is None or listing.version != version:
            try:
                listing = await store.listing(self._live.bus, version)
            except MatchingError as error:
                raise _refusal(error) from error
            self._listing = listing
        return listing


async def read_rules(given: Iterable[NewRuleGiven]) -> RuleSet:
    """Parses new rules.

    Args:
        given: The rules.

    Returns:
        All of them; an error in one of them is raised with its place.
    """

    def read() -> RuleSet:
        rules: dict[str, Rule] = {}
        for number, one in enumerate(given):
            rule = _rule(one, one.id, f"rules.{number}.rule")
            if rule.id in rules:
                raise RuleRefused(
                    409,
                    "rule-taken",
                    f"the rule {rule.id!r} is given twice: give each its own id",
                    where=f"rules.{number}.id",
                )
            rules[rule.id] = rule
        return RuleSet(tuple(rules.values()))

    return await asyncio.to_thread(read)


def read_rule(text: str) -> RuleSet:
    """Parses the expression of one rule.

    Args:
        text: The expression.

    Returns:
        The one rule; an error is raised with its place.
    """
    return RuleSet((_expression(text, "rule"),))


def _rule(given: RuleGiven, name: str | None, where: str) -> Rule:
    rule = _expression(given.rule, where)
    try:
        tags = store.tidy(given.tags)
    except MatchingError as error:
        raise _refusal(error) from error
    return Rule(name or rule.id, rule.expression, tags, given.enabled)


def _expression(text: str, where: str) -> Rule:
    try:
        rule = parse_rule(text)
    except RuleSyntaxError as error:
        raise RuleRefused(
            422,
            "rule-invalid",
            error.reason,
            where=where,
            line=error.line,
            column=error.column,
            hint=error.hint or None,
        ) from error
    if rule.id != rule.text:
        raise RuleRefused(
            422,
            "rule-invalid",
            f"this names the rule {rule.id!r} too: only its expression belongs here",
            where=where,
            line=1,
            column=1,
            hint=f"give {rule.id!r} as its id",
        )
    return rule


def _refusal(error: MatchingError, *, precondition: bool = False) -> RuleRefused:
    """Says in the terms of HTTP why the store refuses something."""
    text = str(error)
    match error:
        case store.UnknownRule():
            return RuleRefused(404, "rule-unknown", text)
        case store.NameTaken():
            return RuleRefused(409, "rule-taken", text)
        case store.Conflict() if precondition:
            return RuleRefused(412, "rules-changed", text)
        case store.Conflict():
            return RuleRefused(409, "rules-changed", text)
        case store.NoRules():
            text = "no rule would be left, so nothing would be matched any more"
            hint = "repeat it with allow_empty=true if that is meant"
            return RuleRefused(409, "rules-empty", text, hint=hint)
        case store.MissingRules():
            return RuleRefused(503, "rules-away", text)
    return RuleRefused(422, "rule-invalid", text)
