"""Unavailable is not failure: what cannot be done now is done later, and said aloud."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rookery.service import Process
from rookery.streaming._errors import StreamingError

_T = TypeVar("_T")

_FIRST_SECONDS = 0.05
_MOST_SECONDS = 2.0
# An outage shorter than this is nobody's business.
_QUIET_SECONDS = 0.5


class Stopped(StreamingError):
    """The process was asked to end while it waited."""


class Patience:
    """Does again what fails for now, until it succeeds or the process is to end.

    Args:
        process: The process, to which is said what is waited for.
        check: Name of the health check that tells it.
        waits_for: Errors that mean "not now".
        seconds: The longest pause between two attempts.
    """

    def __init__(
        self,
        process: Process,
        *,
        check: str,
        waits_for: tuple[type[Exception], ...],
        seconds: float = _MOST_SECONDS,
    ) -> None:
        self._process = process
        self._check = check
        self._waits_for = waits_for
        self._most = seconds
        # Backing off must not go in step with others; nothing secret hangs on it.
        self._random = random.Random()  # nosec B311
        process.health.set(check, True)

    async def until_done(
        self,
        operation: Callable[[], Awaitable[_T]],
        *,
        what: str,
        through_stop: bool = False,
    ) -> _T:
        """Runs an operation until it succeeds.

        Args:
            operation: It must be safe to run again after it failed.
            what: What it does, for the log.
            through_stop: Whether to go on when the process is to end, as long as it may
                drain.

        Returns:
            What the operation returned.

        Raises:
            Stopped: If the process was asked to end meanwhile.
        """
        process, check, pause = self._process, self._check, _FIRST_SECONDS
        began, told = time.monotonic(), False
        while True:
            try:
                done = await operation()
            except self._waits_for as error:
                if not told and time.monotonic() - began > _QUIET_SECONDS:
                    told = True
                    reason = f"waiting to {what}: {error}"
                    process.log.warning(reason, action="wait", check=check)
                    process.health.set(check, False, reason)
            else:
                if told:
                    process.log.info(f"went on to {what}", action="go-on", check=check)
                    process.health.set(check, True)
                return done
            seconds = pause * self._random.uniform(0.5, 1.0)
            if await self._pause(seconds, through_stop):
                raise Stopped(f"asked to end while waiting to {what}")
            pause = min(2 * pause, self._most)

    async def _pause(self, seconds: float, through_stop: bool) -> bool:
        """Waits; returns whether to give up."""
        stop = self._process.stop
        if not stop.requested:
            return await stop.sleep(seconds) and not through_stop
        if not through_stop:
            return True
        await asyncio.sleep(min(seconds, stop.remaining()))
        return stop.remaining() <= seconds
