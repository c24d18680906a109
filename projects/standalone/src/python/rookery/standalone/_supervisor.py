"""Keeps components running, and stops them in order."""

import asyncio
import time
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter

from rookery.service import describe, exit_code_of
from rookery.standalone._component import Component
from rookery.standalone._errors import ComponentFailed, final_error, meaning

FIRST_DELAY = 0.2
LONGEST_DELAY = 15.0
# Whatever ran for as long as this has been up; a later end is a new misfortune.
STEADY_SECONDS = 10.0
START_ATTEMPTS = 6


class Backoff:
    """How long to wait before a component is started again.

    The delay doubles with every end that comes soon after a start, up to a limit.

    Args:
        first: The shortest delay, seconds.
    """

    def __init__(self, first: float = FIRST_DELAY) -> None:
        self._first = first
        self.failures = 0
        self.was_steady = False

    def after(self, ran: float) -> float:
        """Returns the seconds to wait.

        Args:
            ran: For how many seconds the component ran this time.

        Returns:
            The delay.
        """
        if ran >= STEADY_SECONDS:
            self.failures, self.was_steady = 0, True
        self.failures += 1
        return min(self._first * 2.0 ** (self.failures - 1), LONGEST_DELAY)

    @property
    def is_hopeless(self) -> bool:
        """Whether it has failed again and again without ever having been up."""
        return not self.was_steady and self.failures >= START_ATTEMPTS


class Supervisor:
    """Starts components, restarts what dies, and stops everything in order.

    A component that ends with a code which says that another start is in vain (wrong
    usage, bad data, wrong configuration), or that never stays up, is a failure of
    all: `failure` ends with its error.

    Args:
        say: Called with what a person should know.
        first_delay: Seconds before the first new start.
        clock: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        *,
        say: Callable[[str], None],
        first_delay: float = FIRST_DELAY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._first_delay = first_delay
        self._clock = clock
        self._components: list[Component] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._failure: asyncio.Future[None] = asyncio.Future()
        self._done: dict[str, asyncio.Event] = {}
        self._stopping = False

    @property
    def components(self) -> tuple[Component, ...]:
        """Everything that was started."""
        return tuple(self._components)

    async def start(self, component: Component) -> None:
        """Starts a component and keeps it running from then on.

        Args:
            component: What to run. An error of its first start is raised.
        """
        self._components.append(component)
        self._done[component.name] = asyncio.Event()
        started = self._clock()
        await component.start()
        self._keepers.append(
            asyncio.create_task(self._guard(component, started), name=component.name)
        )

    async def failure(self) -> None:
        """Waits for ever, or raises the error that ends everything."""
        await asyncio.shield(self._failure)

    async def done(self, name: str) -> None:
        """Waits until a finite component has ended well.

        Args:
            name: Its name.
        """
        await self._done[name].wait()

    async def stop(self, within: float) -> None:
        """Stops everything, stage after stage.

        Each stage gets its share of the time that is left, and is killed after it.

        Args:
            within: Seconds for everything together.
        """
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        if self._failure.done():
            self._failure.exception()  # looked at, so that nobody warns about it
        deadline = self._clock() + within
        ordered = sorted(self._components, key=attrgetter("stage"))
        stages = [list(group) for _, group in groupby(ordered, attrgetter("stage"))]
        shares = [max(component.share for component in stage) for stage in stages]
        for index, stage in enumerate(stages):
            left = max(0.05, deadline - self._clock())
            timeout = left * shares[index] / sum(shares[index:])
            await asyncio.gather(*(component.stop(timeout) for component in stage))

    def kill(self) -> None:
        """Ends everything at once."""
        self._stopping = True
        for component in self._components:
            component.kill()

    async def _guard(self, component: Component, started: float) -> None:
        try:
            await self._keep(component, started)
        except Exception as error:
            if not self._failure.done():
                self._failure.set_exception(error)

    async def _keep(self, component: Component, started: float) -> None:
        backoff = Backoff(self._first_delay)
        code, why = await component.wait(), component.last_words
        while not self._stopping:
            if code == 0 and component.finite:
                self._done[component.name].set()
                return
            told = f"{component.name} {meaning(code)}" + (f": {why}" if why else "")
            if final := final_error(code):
                raise final(told)
            delay = backoff.after(self._clock() - started)
            if backoff.is_hopeless:
                raise ComponentFailed(f"{told}; it does not stay up")
            self._say(f"{told}; starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            started = self._clock()
            try:
                await component.start()
            except Exception as error:
                code, why = exit_code_of(error), describe(error)
            else:
                code, why = await component.wait(), component.last_words
