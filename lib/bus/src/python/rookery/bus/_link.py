"""The connection to the server: kept up for ever, and honest about when it is down.

nats-py reconnects by itself, but it lets a request that was under way wait out its
time-out, gives up for good when the server answers with an error line, and says nothing
about what happened to the streams meanwhile. A `Link` ends what was under way at once,
opens a new client when the old one gave up, and lets nobody use a new connection before
it was checked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import nats.errors
import structlog
from nats.aio.client import Client

from rookery.bus._errors import BusConfiguration, BusError, TooLarge, Unavailable

_log = structlog.get_logger("rookery.bus")
_T = TypeVar("_T")

RECONNECT_SECONDS = 0.2
RETRY_SECONDS = 0.02
ANSWER_SECONDS = 2.0
PING_SECONDS = 5
CLOSE_SECONDS = 2.0

# The connection was gone before the request was written, or the server had nobody to
# give it to: after a restart JetStream comes later than the connection.
_NOT_SENT = (
    nats.errors.OutboundBufferLimitError,
    nats.errors.ConnectionClosedError,
    nats.errors.NoRespondersError,
)


class Link:
    """One connection, by which everything of a `Bus` goes.

    Args:
        url: One or more servers, separated by commas, credentials included.
        name: What the server shows for this client.
        token: The token, where it is not in the URL.
    """

    def __init__(self, url: str, *, name: str, token: str | None = None) -> None:
        self._servers = [part.strip() for part in url.split(",") if part.strip()]
        self._name = name
        self._token = token
        self._client = Client()
        self._ready = asyncio.Event()
        self._closing = False
        self._failure: BusError | None = None
        self._refused = False
        self._limits: set[asyncio.Timeout] = set()
        self._listeners: set[Callable[[], None]] = set()
        self._restoring: asyncio.Task[None] | None = None
        self._check: Callable[[], Awaitable[None]] | None = None

    @property
    def where(self) -> str:
        """The servers as they may be shown: without credentials."""
        return ",".join(re.sub(r"//[^/@]*@", "//", part) for part in self._servers)

    @property
    def client(self) -> Client:
        """The client of the moment; it is replaced when it gives up."""
        return self._client

    @property
    def connected(self) -> bool:
        """Whether the server can be used right now."""
        usable = self._failure is None and not self._closing
        return usable and self._ready.is_set() and self._client.is_connected

    async def open(
        self, *, timeout: float, check: Callable[[], Awaitable[None]]
    ) -> None:
        """Connects, and checks what it is connected to.

        Refused credentials are a `BusConfiguration` error.

        Args:
            timeout: Seconds to wait for the server.
            check: Is run on each new connection, before anybody may use it. What it
                raises apart from `Unavailable` ends the link for good.

        Raises:
            Unavailable: If the server does not answer in time.
        """
        self._check = check
        limit = asyncio.timeout(timeout)
        self._limits.add(limit)
        try:
            async with limit:
                await self._dial()
                await self._checked()
            self._ready.set()
        except TimeoutError as error:
            raise Unavailable(
                f"no server answers at {self.where} within {timeout:g} s"
            ) from error
        finally:
            self._limits.discard(limit)
            if not self._ready.is_set():
                await self.close()

    async def close(self) -> None:
        """Closes the connection; what waits on it is told that it is unavailable."""
        self._closing = True
        self._lose()
        # A server that hangs must not keep a process from ending.
        with suppress(TimeoutError, OSError, nats.errors.Error):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._client.close()

    def fail(self, error: BusError) -> None:
        """Makes everything that uses the link raise, from now on.

        Args:
            error: What is raised.
        """
        if self._failure is None:
            self._failure = error
            _log.error("bus given up", action="fail", reason=str(error))
        self._lose()
        self._ready.set()

    async def ready(self) -> None:
        """Waits until the server can be used; raises if it never will be again."""
        while not self.connected:
            if self._ready.is_set() and not self._client.is_connected:
                # The client knows already, and will say so in a moment.
                self._lose()
            if self._failure is not None:
                raise self._failure
            if self._closing:
                raise Unavailable("the connection to the bus is closed")
            await self._ready.wait()

    @contextmanager
    def told(self, listener: Callable[[], None]) -> Iterator[None]:
        """Has a function called, while the block runs, when the connection is lost.

        Args:
            listener: What is called; it must not raise.

        Yields:
            Nothing.
        """
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)

    async def attempt(
        self, operation: Callable[[], Awaitable[_T]], *, timeout: float
    ) -> _T:
        """Runs one request as soon as there is a server that takes it.

        It is sent once; only what provably never reached anybody is sent again.

        Args:
            operation: The request.
            timeout: Seconds for all of it, waiting for the server included.

        Returns:
            What the operation returned.

        Raises:
            Unavailable: If there is no answer: in time, or because the connection was
                lost meanwhile. The outcome is unknown.
        """
        limit = asyncio.timeout(timeout)
        try:
            with _mapped(self.where):
                async with limit:
                    while True:
                        await self.ready()
                        self._limits.add(limit)
                        try:
                            return await operation()
                        except _NOT_SENT:
                            self._limits.discard(limit)
                            await asyncio.sleep(RETRY_SECONDS)
        except TimeoutError as error:
            raise Unavailable(
                f"no answer from {self.where} within {timeout:g} s"
                if self.connected
                else f"the connection to {self.where} is lost"
            ) from error
        finally:
            self._limits.discard(limit)

    async def _dial(self) -> None:
        """Connects a new client, trying for as long as it takes."""
        while True:
            self._client = Client()
            try:
                await self._connect(self._client)
                return
            except (OSError, nats.errors.Error) as error:
                # It leaves its socket open.
                await self._client.close()
                if "authorization" in str(error).lower():
                    raise BusConfiguration(
                        f"the server at {self.where} refuses the credentials: put them "
                        "into the URL in ROOKERY_BUS, or a token into ROOKERY_BUS_TOKEN"
                    ) from error
                _log.debug("bus error", action="dial", reason=repr(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _connect(self, client: Client) -> None:
        await client.connect(
            servers=self._servers,
            name=self._name,
            token=self._token,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_closed,
            max_reconnect_attempts=-1,
            # At first it must say why it failed; what comes later is its business.
            allow_reconnect=False,
            # Seconds may be fractions, whatever the annotation says.
            reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type]
            ping_interval=PING_SECONDS,
            # While the server is away, nothing is buffered: a publish whose caller has
            # given up must not be sent later behind its back.
            pending_size=0,
        )
        client.options["allow_reconnect"] = True

    async def _checked(self) -> None:
        """Runs the check until it has an answer."""
        delay = 0.02
        while self._check is not None:
            try:
                # A cluster without a leader does not answer at all.
                with _mapped(self.where):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await self._check()
                return
            except (Unavailable, TimeoutError) as error:
                _log.debug("bus not ready", action="check", reason=str(error))
                await asyncio.sleep(delay)
                delay = min(1.0, 2 * delay)

    async def _restore(self, *, dial: bool) -> None:
        """Makes the link usable again.

        Args:
            dial: Whether a new client is needed.
        """
        try:
            if dial:
                await self._dial()
            await self._checked()
        except BusError as error:
            self.fail(error)
            return
        except Exception as error:
            # Nobody awaits this task: what it cannot handle must not end in silence.
            _log.exception("bus check failed", action="check")
            self.fail(BusError(f"the check of {self.where} failed: {error!r}"))
            return
        _log.info("bus is back", action="reconnect", server=self.where)
        self._refused = False
        self._ready.set()

    def _start_restoring(self, *, dial: bool) -> None:
        if self._restoring is not None:
            self._restoring.cancel()
        if not self._closing and self._failure is None:
            self._restoring = asyncio.create_task(self._restore(dial=dial))

    def _lose(self) -> None:
        """Ends what is under way, and tells the listeners."""
        if self._restoring is not None:
            self._restoring.cancel()
            self._restoring = None
        if self._failure is None:
            self._ready.clear()
        if self._closing:
            self._ready.set()
        now = asyncio.get_running_loop().time()
        for limit in tuple(self._limits):
            with suppress(RuntimeError):  # already expired
                limit.reschedule(now)
        self._limits.clear()
        for listener in tuple(self._listeners):
            listener()

    async def _on_error(self, error: Exception) -> None:
        # Called for each attempt while the server is away, so no more than debug.
        _log.debug("bus error", action="error", reason=repr(error))
        if "authorization" in str(error).lower() and not self._refused:
            # It tries on: perhaps the right server comes back in the place of this one.
            self._refused = True
            _log.error("bus refuses the token", action="refused", server=self.where)

    async def _on_disconnected(self) -> None:
        if not self._closing:
            _log.warning("bus lost", action="disconnect", server=self.where)
        self._lose()

    async def _on_reconnected(self) -> None:
        self._start_restoring(dial=False)

    async def _on_closed(self) -> None:
        # The server sent an error line, after which nats-py never comes back.
        if not self._closing:
            reason = str(self._client.last_error)
            _log.warning("bus client gave up", action="reopen", reason=reason)
            self._start_restoring(dial=True)


@contextmanager
def _mapped(where: str) -> Iterator[None]:
    """Turns the errors of the client that mean "not now" into `Unavailable`."""
    try:
        yield
    except TimeoutError:
        raise
    except nats.errors.MaxPayloadError as error:
        raise TooLarge("the message is larger than the server takes") from error
    except (nats.errors.Error, OSError) as error:
        raise Unavailable(f"{where} is not ready: {error!r}") from error
