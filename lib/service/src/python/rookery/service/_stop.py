"""The one way a process is asked to end."""

import asyncio
import math
import time
from collections.abc import Callable


class Stop:
    """A request to end, and the time that is left to finish the work in hand.

    It belongs to one event loop: only that loop's thread may call it.

    Args:
        drain_seconds: How long the work in hand may take once a stop is requested.
        clock: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        *,
        drain_seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._event = asyncio.Event()
        self._drain_seconds = drain_seconds
        self._clock = clock
        self._deadline = math.inf
        self._reason: str | None = None

    @property
    def requested(self) -> bool:
        """Whether the process has been asked to end."""
        return self._event.is_set()

    @property
    def reason(self) -> str | None:
        """Why, or none as long as nobody asked."""
        return self._reason

    def request(self, reason: str, *, within: float | None = None) -> None:
        """Asks the process to end. The first reason stands, the nearest deadline too.

        Args:
            reason: What a person reads in the log, such as `SIGTERM`.
            within: Seconds that are left; none: the process's own drain time.
        """
        seconds = self._drain_seconds if within is None else within
        self._deadline = min(self._deadline, self._clock() + seconds)
        if self._reason is None:
            self._reason = reason
        self._event.set()

    async def wait(self) -> None:
        """Returns once a stop is requested."""
        await self._event.wait()

    async def sleep(self, seconds: float) -> bool:
        """Sleeps, but not longer than until a stop is requested.

        Args:
            seconds: How long to sleep.

        Returns:
            True if a stop is requested, so that `while not await stop.sleep(1)` is a
            periodic task.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True

    def remaining(self) -> float:
        """Seconds until the drain deadline: infinite before a stop, never negative."""
        return max(0.0, self._deadline - self._clock())
