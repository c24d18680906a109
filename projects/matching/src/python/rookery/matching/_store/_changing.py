"""One change of the rules in force: made, stored, and made again if need be."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from typing import ClassVar, NamedTuple

from rookery.bus import AlreadyStored, Bus, Unavailable, Value, WrongLast
from rookery.matching._errors import MatchingError
from rookery.matching._store._changes import (
    Entry,
    Signature,
    compare,
    read_entry,
    write_entry,
)
from rookery.matching._store._edits import Edit
from rookery.matching._store._listing import Listed, Listing
from rookery.matching._store._stored import (
    CHANGE,
    CURRENT,
    SNAPSHOTS,
    entries_of,
    listing,
    make_room,
    pointer_of,
    pointers,
)


class Conflict(MatchingError):
    """Somebody else has changed the rules at the same time, so nothing was changed."""

    exit_code: ClassVar[int] = 75


class Done(NamedTuple):
    """What became of a change.

    Attributes:
        version: The version that is in force now.
        rules: How many rules that are.
        entry: The entry of the audit trail; None if there was nothing to change.
    """

    version: str
    rules: int
    entry: Entry | None


class Changing:
    """One change, tried until it is stored or refused.

    Args:
        bus: The bus.
        change: What to change.
        signature: Who does it, and why.
        expect: The version that has to be current; None: any.
        if_none: Whether rules that are current already are to stay.
    """

    def __init__(
        self,
        bus: Bus,
        change: Edit,
        signature: Signature,
        expect: str | None,
        *,
        if_none: bool = False,
    ) -> None:
        self._bus = bus
        self._pointers = pointers(bus)
        self._snapshots = bus.objects(SNAPSHOTS)
        self._change = change
        self._signature = signature
        self._expect = expect
        self._if_none = if_none
        self._token = secrets.token_hex(8)
        # What this change was first made from, of the rules that it concerns.
        self._seen: dict[str, Listed | None] = {}
        # Whether the snapshot in force is missing or damaged.
        self._mends = False

    async def run(self) -> Done:
        """Makes the change.

        Returns:
            What became of it.
        """
        value = await self._pointers.get(CURRENT)
        while True:
            if self._if_none and value is not None:
                return Done(pointer_of(value).version, 0, None)
            done = await self._attempt(value)
            if done is not None:
                return done
            # Somebody was faster, or our own was stored and its answer lost.
            before = value.revision if value else 0
            newer = await self._pointers.history(CURRENT, after=before)
            for entry in entries_of(newer):
                if entry.token == self._token:
                    return Done(entry.version, entry.rules or 0, entry)
            value = await self._pointers.get(CURRENT)

    async def _attempt(self, value: Value | None) -> Done | None:
        version = None if value is None else pointer_of(value).version
        if self._expect is not None and self._expect != (version or ""):
            raise Conflict(
                f"version {version or '(none)'} is in force, not {self._expect}: "
                "nothing was changed; look at the rules as they are now"
            )
        self._mends = False
        base = await self._base(version)
        self._check_untouched(base, value)
        after = await asyncio.to_thread(self._made, base)
        if after.version == version and not self._mends:
            return Done(version, len(after), None)
        changes = await asyncio.to_thread(compare, base, after)
        if not self._change.whole:
            self._seen = {one.id: base.rules.get(one.id) for one in changes}
        text = write_entry(
            changes,
            action=self._change.action,
            before=version,
            rules=len(after),
            signature=self._signature,
            token=self._token,
        )
        await self._keep(after)
        try:
            revision = await self._pointers.put(
                CURRENT,
                after.version.encode(),
                expect=value.revision if value else 0,
                headers={CHANGE: text},
            )
        except (AlreadyStored, WrongLast):
            return None
        # Whoever made room meanwhile may have taken it for one that nobody needs.
        self._mends = False
        await self._keep(after)
        entry = read_entry(
            text,
            revision=revision,
            at=await self._stored_at(revision),
            version=after.version,
            before=version,
        )
        return Done(after.version, len(after), entry)

    async def _stored_at(self, revision: int) -> datetime:
        with suppress(Unavailable):
            for value in await self._pointers.history(CURRENT, after=revision - 1):
                if value.revision == revision:
                    return value.time
        # It is done, whoever may say when.
        return datetime.now(UTC)

    def _made(self, base: Listing) -> Listing:
        after = self._change.apply(base)
        # Computed here, where nobody waits, and kept.
        _ = after.version
        return after

    async def _base(self, version: str | None) -> Listing:
        if version is None:
            return Listing({})
        try:
            return await listing(self._bus, version)
        except MatchingError:
            # What cannot be read can still be replaced as a whole.
            if not self._change.whole:
                raise
            self._mends = True
            return Listing({})

    def _check_untouched(self, base: Listing, value: Value | None) -> None:
        """Refuses to change what is not what it was when the change was asked for."""
        for name, former in self._seen.items():
            now = base.rules.get(name)
            if now == former:
                continue
            by = entries_of([value])[0].by if value else ""
            became = "added" if former is None else "changed" if now else "removed"
            raise Conflict(
                f"the rule {name!r} was {became} at the same time"
                + (f" by {by}" if by else "")
                + ": nothing was changed; look at it and say it again"
            )

    async def _keep(self, rules: Listing) -> None:
        if not self._mends and await self._snapshots.has(rules.version):
            return
        data = str(rules).encode()
        await make_room(self._bus, self._snapshots, len(data))
        await self._snapshots.put(rules.version, data)
