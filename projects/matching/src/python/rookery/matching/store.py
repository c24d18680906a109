"""The rules that are live: immutable snapshots, a pointer to the current one, its trail.

A rule set is an object named by its version; the value `current` names the version that
workers match with. Because a snapshot never changes, a frame is matched by exactly one.

**The audit trail is the history of the pointer.** The value is the name of a version, as
it always was, so that workers of any release read it; who has changed what, and why, is
a header of the same message, and the server adds when. One message is one write: there
is no moment, and no crash, between which the pointer has moved and the trail not, or the
other way round. The server stores it only if the pointer is still the one that the
change was made from, so each entry's `before` is the version of the entry before it.

**Order of writes.** The snapshot is stored first. A crash behind that leaves a snapshot
that nobody is led to, which is used when the same rules are put again, and else goes when
room is needed. A pointer that was stored although the answer got lost is recognised by
the token of its entry, so that nothing is done twice.

**What is kept.** The newest `HISTORY` changes, fewer where they fill the bucket `RULES`
(then the older half goes). All snapshots, until they take three quarters of the bucket
`RULESETS`: then those that were last in force longest ago go, those the trail does not
name first, and never the current one or the one before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from rookery.bus import Bus
from rookery.matching._rules import RuleSet
from rookery.matching._store._changes import (
    Action,
    Entry,
    RuleChange,
    Signature,
    compare,
)
from rookery.matching._store._changing import Changing, Conflict, Done
from rookery.matching._store._edits import (
    Add,
    Change,
    Edit,
    NameTaken,
    NoRules,
    Put,
    Remove,
    Switch,
    UnknownRule,
    tidy,
    unknown,
)
from rookery.matching._store._listing import Listed, Listing
from rookery.matching._store._stored import (
    CURRENT,
    HISTORY,
    POINTERS,
    SNAPSHOTS,
    Loader,
    MissingRules,
    Pointer,
    history,
    listing,
    load,
    parsed,
    pointer,
    pointer_of,
    pointers,
)

__all__ = [
    "CURRENT",
    "HISTORY",
    "POINTERS",
    "SNAPSHOTS",
    "Action",
    "Add",
    "Change",
    "Conflict",
    "Done",
    "Edit",
    "Entry",
    "Listed",
    "Listing",
    "Loader",
    "MissingRules",
    "NameTaken",
    "NoRules",
    "Pointer",
    "Put",
    "Remove",
    "RuleChange",
    "Signature",
    "Switch",
    "UnknownRule",
    "compare",
    "current",
    "edit",
    "find_version",
    "follow",
    "history",
    "listing",
    "load",
    "pointer",
    "publish",
    "restore",
    "tidy",
    "unknown",
    "watch",
]

_UNSIGNED: Final = Signature()


async def publish(
    bus: Bus,
    rules: RuleSet,
    *,
    if_none: bool = False,
    signature: Signature = _UNSIGNED,
    expect: str | None = None,
) -> str:
    """Makes a rule set the current one, in place of whatever there is.

    Two writers at once: the one whose pointer is stored last wins whole.

    Args:
        bus: The bus.
        rules: The rules.
        if_none: Whether rules that are current already are to stay.
        signature: Who does it, and why.
        expect: The version that has to be current; None: any.

    Returns:
        The version that is current now.
    """
    if if_none and (found := await pointer(bus)) is not None:
        return found.version
    listed = await asyncio.to_thread(Listing.of, rules)
    changing = Changing(bus, Put(listed), signature, expect, if_none=if_none)
    return (await changing.run()).version


async def edit(
    bus: Bus,
    change: Edit,
    *,
    signature: Signature = _UNSIGNED,
    expect: str | None = None,
) -> Done:
    """Changes the rules in force.

    It is made from the rules that are in force when it is stored. If somebody else was
    faster it is made again from the new ones; if he has changed the same rules, it is
    refused. What would leave a set that cannot be used is refused whole.

    Args:
        bus: The bus.
        change: What to change.
        signature: Who does it, and why.
        expect: The version that has to be current; None: any.

    Returns:
        What became of it. `Conflict` is raised if another version is current than
        expected, or the same rules were changed at the same time; `UnknownRule`,
        `NameTaken`, `NoRules` say what cannot be done.
    """
    return await Changing(bus, change, signature, expect).run()


async def restore(
    bus: Bus,
    version: str,
    *,
    signature: Signature = _UNSIGNED,
    expect: str | None = None,
) -> Done:
    """Puts rules in force again.

    Args:
        bus: The bus.
        version: Their version.
        signature: Who does it, and why.
        expect: The version that has to be current; None: any.

    Returns:
        What became of it. `MissingRules` is raised if they are not kept any more.
    """
    listed = await listing(bus, version)
    # Parsed, because another release may have written them.
    await asyncio.to_thread(parsed, str(listed), version)
    change = Put(listed, Action.RESTORED)
    return await Changing(bus, change, signature, expect).run()


async def current(bus: Bus) -> RuleSet | None:
    """Reads the current rules.

    Args:
        bus: The bus.

    Returns:
        The rule set, or None where none was published yet.
    """
    found = await pointer(bus)
    return None if found is None else await load(bus, found.version)


async def find_version(bus: Bus, beginning: str) -> str:
    """Completes the name of a version.

    Args:
        bus: The bus.
        beginning: Its first characters, at least 4.

    Returns:
        The one version of the audit trail that begins so; what is a whole version
        already comes back as it is.

    Raises:
        MissingRules: There is none, or more than one.
    """
    if len(beginning) == 16:
        return beginning
    entries = await history(bus)
    known = {one for entry in entries for one in (entry.version, entry.before) if one}
    found = sorted(one for one in known if one.startswith(beginning))
    if len(beginning) >= 4 and len(found) == 1:
        return found[0]
    if not found:
        why = "no version begins so; match rules history names them"
    elif len(beginning) < 4:
        why = "too short: give 4 characters of a version or more"
    else:
        why = f"several versions begin so: {', '.join(found[:5])}"
    raise MissingRules(f"version {beginning!r}: {why}")


async def follow(bus: Bus) -> AsyncGenerator[Pointer, None]:
    """Follows the pointer: what it is, then each change.

    Where it changes faster than it is read, only the newest comes.

    Args:
        bus: The bus.

    Yields:
        Pointers, without end; one may name the same version as the one before it.
    """
    values = pointers(bus)
    async with aclosing(values.watch(CURRENT)) as watched:
        async for value in watched:
            newest = await values.get(CURRENT)
            if newest is not None and newest.revision > value.revision:
                # It comes next.
                continue
            yield pointer_of(value)


async def watch(bus: Bus) -> AsyncGenerator[RuleSet, None]:
    """Follows the current rules: what they are, then each change.

    Args:
        bus: The bus.

    Yields:
        Rule sets, without end. A version that is published again is left out.
    """
    last: str | None = None
    loader = Loader(bus)
    async with aclosing(follow(bus)) as pointers:
        async for found in pointers:
            if found.version != last:
                yield await loader.load(found.version)
                last = found.version
