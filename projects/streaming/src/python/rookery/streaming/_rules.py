"""The rules that a match worker matches with: taken over as they change."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

from rookery.bus import Bus, Unavailable
from rookery.matching import Matcher, MatchingError, store
from rookery.service import Process
from rookery.streaming._metrics import MatchMetrics

_RETRY_SECONDS = 1.0
# How many former versions a worker looks at that begins while the rules in force cannot
# be read.
_FORMER = 5


class RulesInUse:
    """Follows the rules in force, and has them ready for matching.

    A set is read, parsed and compiled beside the matching, in another thread, and takes
    the place of the one before between two frames. Of sets that follow each other faster
    than that, only the newest is taken.

    A set that cannot be used is refused: it is named in the log and counted, and the one
    before stays in use. Where there is none, because the process has just begun, the
    newest former version that can be read is used.

    Args:
        process: The process.
        bus: The bus.
        metrics: Where it is counted.
    """

    def __init__(self, process: Process, bus: Bus, metrics: MatchMetrics) -> None:
        self._process = process
        self._bus = bus
        self._loader = store.Loader(bus)
        self._metrics = metrics
        self._matcher: Matcher | None = None
        self._there = asyncio.Event()
        self._complaint = ""
        process.health.set("rules", False, "no rule set yet")

    @property
    def matcher(self) -> Matcher | None:
        """What to match the next frame with; None before the first rule set."""
        return self._matcher

    async def first(self) -> None:
        """Waits until there are rules."""
        if not self._there.is_set():
            self._process.log.info("waiting for a rule set", action="wait-for-rules")
        await self._there.wait()

    async def follow(self) -> None:
        """Takes over each rule set as soon as it is in force, without end."""
        while True:
            try:
                async with aclosing(store.follow(self._bus)) as pointers:
                    async for pointer in pointers:
                        await self._take_over(pointer.version)
            except Unavailable as error:
                if self._complain(f"no new rules: {error}"):
                    self._process.log.warning(
                        self._complaint, action="wait", check="rules"
                    )
            except store.MissingRules:
                # A snapshot can be put in its place without a new pointer.
                pass
            await asyncio.sleep(_RETRY_SECONDS)

    async def _take_over(self, version: str) -> None:
        if self._matcher is not None and self._matcher.rules.version == version:
            self._is_well()
            return
        try:
            self._use(*await self._compiled(version))
        except Unavailable:
            raise
        except Exception as error:
            # Whatever it is, it would be the same after a restart, and in each worker:
            # the rules before are better than none.
            self._refuse(version, error)
            if self._matcher is None:
                await self._fall_back(version)
            if isinstance(error, store.MissingRules):
                raise
        else:
            self._is_well()

    async def _compiled(self, version: str) -> tuple[Matcher, float]:
        began = time.monotonic()
        rules = await self._loader.load(version)
        matcher = await asyncio.to_thread(Matcher, rules)
        return matcher, time.monotonic() - began

    def _use(self, matcher: Matcher, seconds: float) -> None:
        self._matcher = matcher
        rules = matcher.rules
        enabled = sum(rule.enabled for rule in rules.rules)
        self._metrics.rules.set(enabled)
        off = len(rules) - enabled
        self._process.log.info(
            f"rule set {rules.version} with {enabled:,} rules"
            + (f", and {off:,} disabled" if off else ""),
            action="rules",
            ruleset=rules.version,
            seconds=round(seconds, 3),
        )
        self._there.set()

    async def _fall_back(self, refused: str) -> None:
        """Takes the newest former rules that can be read, where there are no others."""
        entries = await store.history(self._bus)
        named = (one for entry in entries for one in (entry.version, entry.before))
        former = [one for one in dict.fromkeys(named) if one and one != refused]
        for version in former[:_FORMER]:
            try:
                self._use(*await self._compiled(version))
            except Unavailable:
                raise
            except Exception as error:
                self._process.log.warning(
                    f"rule set {version} cannot be used either: {error}",
                    action="refuse",
                    check="rules",
                    ruleset=version,
                )
                continue
            self._show(self._complaint)
            return

    def _is_well(self) -> None:
        self._complaint = ""
        if self._matcher is not None:
            self._process.health.set("rules", True, self._matcher.rules.version)

    def _refuse(self, version: str, error: Exception) -> None:
        expected = isinstance(error, MatchingError)
        told = str(error) if expected else f"{type(error).__name__}: {error}"
        if self._complain(f"rule set {version} is refused: {told}"):
            self._metrics.refused.inc()
            self._process.log.error(
                self._complaint,
                action="refuse",
                check="rules",
                ruleset=version,
                exc_info=None if expected else error,
            )

    def _complain(self, complaint: str) -> bool:
        """Shows what is wrong; returns whether that is something new."""
        if complaint == self._complaint:
            return False
        self._complaint = complaint
        self._show(complaint)
        return True

    def _show(self, complaint: str) -> None:
        matcher = self._matcher
        used = f"{matcher.rules.version}; " if matcher else ""
        # A worker that has rules works: to call it ill would have it restarted.
        self._process.health.set("rules", matcher is not None, used + complaint)
