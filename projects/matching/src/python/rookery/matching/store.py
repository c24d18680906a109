"""The rules that are live: immutable snapshots, and a pointer to the current one.

A rule set is an object named by its version; the value `current` names the version that
workers match with. Because a snapshot never changes, a frame is matched by exactly one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from rookery.bus import AlreadyStored, Bus, Value, WrongLast
from rookery.matching._errors import MatchingError
from rookery.matching._rules import RuleSet

POINTERS: Final = "RULES"
SNAPSHOTS: Final = "RULESETS"
CURRENT: Final = "current"


async def publish(bus: Bus, rules: RuleSet, *, if_none: bool = False) -> str:
    """Makes a rule set the current one.

    The snapshot is stored before the pointer moves, so nobody is ever led to rules that
    are not there. Two writers at once: the one whose pointer is stored last wins whole.

    Args:
        bus: The bus.
        rules: The rules.
        if_none: Whether rules that are current already are to stay.

    Returns:
        The version that is current now.
    """
    version = rules.version
    snapshots = bus.objects(SNAPSHOTS)
    if await snapshots.get(version) is None:
        await snapshots.put(version, str(rules).encode())
    pointers = bus.values(POINTERS)
    while True:
        pointer = await pointers.get(CURRENT)
        if pointer is not None and (if_none or pointer.data == version.encode()):
            return pointer.data.decode("ascii", "replace")
        try:
            await pointers.put(
                CURRENT, version.encode(), expect=pointer.revision if pointer else 0
            )
        except (AlreadyStored, WrongLast):
            continue
        return version


async def current(bus: Bus) -> RuleSet | None:
    """Reads the current rules.

    Args:
        bus: The bus.

    Returns:
        The rule set, or None where none was published yet.
    """
    pointer = await bus.values(POINTERS).get(CURRENT)
    return None if pointer is None else await _load(bus, pointer)


async def watch(bus: Bus) -> AsyncGenerator[RuleSet, None]:
    """Follows the current rules: what they are, then each change.

    Args:
        bus: The bus.

    Yields:
        Rule sets, without end. A version that is published again is left out.
    """
    last: bytes | None = None
    async with aclosing(bus.values(POINTERS).watch(CURRENT)) as pointers:
        async for pointer in pointers:
            if pointer.data != last:
                yield await _load(bus, pointer)
                last = pointer.data


async def _load(bus: Bus, pointer: Value) -> RuleSet:
    version = pointer.data.decode("ascii", "replace")
    data = await bus.objects(SNAPSHOTS).get(version)
    if data is None:
        raise MatchingError(
            f"the current rules are version {version}, and the bucket {SNAPSHOTS} does "
            "not hold it; publish the rules again"
        )
    rules = RuleSet.parse(data.decode().split("\n"), where=f"rules {version}")
    if rules.version != version:
        raise MatchingError(
            f"the rules stored as version {version} are version {rules.version}: "
            "another release wrote them; publish the rules again"
        )
    return rules
