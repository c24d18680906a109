"""What is stored on the bus: the pointer with its trail, and the snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from rookery.bus import Bus, Corrupt, Objects, Value, Values
from rookery.matching._collector import uncollected
from rookery.matching._errors import MatchingError
from rookery.matching._rules import Rule, RuleSet
from rookery.matching._store._changes import Entry, read_entry
from rookery.matching._store._listing import Listing

POINTERS: Final = "RULES"
SNAPSHOTS: Final = "RULESETS"
CURRENT: Final = "current"
HISTORY: Final = 10_000
# The header of the pointer that says how it came to be.
CHANGE: Final = "Rookery-Change"
# The part of the bucket that snapshots may fill.
_FILLED: Final = 0.75


class MissingRules(MatchingError):
    """The rules of a version are not kept, or no longer."""


class Pointer(NamedTuple):
    """Which rules are in force.

    Attributes:
        version: Their version.
        revision: Rises with each change.
    """

    version: str
    revision: int


def pointers(bus: Bus) -> Values:
    """The bucket of the pointer, with its history.

    Args:
        bus: The bus.

    Returns:
        Access to it.
    """
    return bus.values(POINTERS, history=HISTORY)


def pointer_of(value: Value) -> Pointer:
    """Reads the pointer.

    Args:
        value: The value that is stored.

    Returns:
        What it says.
    """
    return Pointer(value.data.decode("ascii", "replace"), value.revision)


def entries_of(values: Sequence[Value], before: str | None = None) -> list[Entry]:
    """Reads entries of the audit trail.

    Args:
        values: The pointer as it was, oldest first.
        before: The version before the first of them.

    Returns:
        One entry for each.
    """
    entries = []
    for value in values:
        version, revision = pointer_of(value)
        entry = read_entry(
            value.headers.get(CHANGE),
            revision=revision,
            at=value.time,
            version=version,
            before=before,
        )
        entries.append(entry)
        before = version
    return entries


async def read_text(bus: Bus, version: str) -> str:
    """Reads a snapshot.

    Args:
        bus: The bus.
        version: The version of the rules.

    Returns:
        The rules, one a line.

    Raises:
        MissingRules: It is not there, or not all of it.
        MatchingError: It is no text.
    """
    try:
        data = await bus.objects(SNAPSHOTS).get(version)
    except Corrupt as error:
        raise MissingRules(f"the rules of version {version}: {error}") from error
    if data is None:
        raise MissingRules(
            f"the bucket {SNAPSHOTS} does not hold the rules of version {version}, or "
            "no longer; if they are those in force, put rules in force again"
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MatchingError(
            f"the rules stored as version {version} are damaged: {error}"
        ) from error


def parsed(text: str, version: str) -> RuleSet:
    """Parses a snapshot.

    Args:
        text: The rules, one a line.
        version: The version it is stored as.

    Returns:
        The rules.

    Raises:
        MatchingError: This release cannot read them, or as other rules.
    """
    rules = RuleSet.parse(text.split("\n"), where=f"rules {version}")
    if rules.version != version:
        raise MatchingError(
            f"the rules stored as version {version} are version {rules.version}: "
            "another release wrote them; put the rules in force again"
        )
    return rules


async def pointer(bus: Bus) -> Pointer | None:
    """Asks which rules are in force.

    Args:
        bus: The bus.

    Returns:
        The pointer, or None where no rules were ever published.
    """
    value = await pointers(bus).get(CURRENT)
    return None if value is None else pointer_of(value)


async def load(bus: Bus, version: str) -> RuleSet:
    """Reads and parses a rule set, off the event loop.

    Args:
        bus: The bus.
        version: Its version.

    Returns:
        The rule set. `MissingRules` is raised if it is not there, and another
        `MatchingError` if this release cannot read it.
    """
    return await Loader(bus).load(version)


class Loader:
    """Reads one rule set after the other, for those who follow the rules in force.

    A rule that was in the set before is not parsed again: of 100,000 rules of which one
    was changed, one is.

    Args:
        bus: The bus.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        # The rules of the last set by their lines, as they are stored.
        self._known: dict[str, Rule] = {}

    async def load(self, version: str) -> RuleSet:
        """Reads and parses a rule set, off the event loop.

        Args:
            version: Its version.

        Returns:
            The rule set. `MissingRules` is raised if it is not there, and another
            `MatchingError` if this release cannot read it.
        """
        text = await read_text(self._bus, version)
        return await asyncio.to_thread(self._parsed, text, version)

    def _parsed(self, text: str, version: str) -> RuleSet:
        lines = [line for line in text.split("\n") if line]
        with uncollected():
            rules = self._joined(lines, version) or parsed(text, version)
            # A line that was written by hand may be none.
            whole = len(lines) == len(rules)
            self._known = dict(zip(lines, rules.rules, strict=True)) if whole else {}
        return rules

    def _joined(self, lines: list[str], version: str) -> RuleSet | None:
        """Parses what is new and joins it with what is known; None if that fails."""
        known = self._known
        new = [line for line in lines if line not in known]
        if not known or len(new) == len(lines):
            return None
        try:
            parsed = dict(zip(new, RuleSet.parse(new).rules, strict=True))
        except ValueError:  # a line that is no rule
            return None
        except MatchingError:
            # The whole set is parsed for the sake of the line numbers.
            return None
        rules = RuleSet(tuple([known.get(line) or parsed[line] for line in lines]))
        names = {rule.id for rule in rules.rules}
        same = rules.version == version and len(names) == len(rules)
        return rules if same else None


async def listing(bus: Bus, version: str) -> Listing:
    """Reads a rule set without parsing it.

    Args:
        bus: The bus.
        version: Its version.

    Returns:
        Its rules. `MissingRules` is raised if they are not there.
    """
    text = await read_text(bus, version)
    return await asyncio.to_thread(Listing.read, text, version)


async def history(
    bus: Bus, *, rule: str | None = None, limit: int | None = None
) -> list[Entry]:
    """Reads the audit trail.

    Args:
        bus: The bus.
        rule: Only what is known to concern this rule; None: everything.
        limit: At most so many; None: all.

    Returns:
        The entries, newest first.
    """
    found = entries_of(await pointers(bus).history(CURRENT))
    if rule is not None:
        found = [one for one in found if any(rule == each.id for each in one.changes)]
    found.reverse()
    return found if limit is None else found[:limit]


async def make_room(bus: Bus, snapshots: Objects, size: int) -> None:
    """Removes the snapshots that were last in force longest ago, if it is needed.

    Args:
        bus: The bus.
        snapshots: The bucket.
        size: How many bytes there has to be room for.
    """
    state = await snapshots.state()
    limit = int(state.max_bytes * _FILLED)
    if state.max_bytes <= 0 or state.bytes + size <= limit:
        return
    trail = await history(bus)
    # By when they were last named; those never named come first.
    kept = list(dict.fromkeys(one for e in trail for one in (e.version, e.before)))
    names = set(await snapshots.names())
    oldest = [*sorted(names.difference(filter(None, kept))), *reversed(kept[2:])]
    for version in oldest:
        if version is None or version not in names:
            continue
        await snapshots.delete(version)
        state = await snapshots.state()
        if state.bytes + size <= limit:
            return
