"""Runs the main coroutine of a process, from its first log line to its exit code."""

import asyncio
import contextlib
import faulthandler
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType

import structlog
from prometheus_client import CollectorRegistry, Gauge, GCCollector, ProcessCollector
from structlog.typing import FilteringBoundLogger

from rookery.service import _sentry
from rookery.service._build import Build, build
from rookery.service._errors import (
    DrainTimeout,
    Forced,
    describe,
    exit_code_of,
    is_expected,
    reader_is_gone,
)
from rookery.service._health import Health
from rookery.service._http import for_bearer_of, health_app, listen, serve_http
from rookery.service._logging import Redactor, configure_logging
from rookery.service._parent import watch_parent, watched_parent
from rookery.service._settings import Settings, require_token
from rookery.service._stop import Stop
from rookery.service._threads import configure_threads

_BROKEN_PIPE = 141  # 128 + SIGPIPE, as of any program in a shell's pipe
_THREADS_PREFIX = "rookery-worker"
_CANCEL_SECONDS = 1.0
_ORPHAN_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Process:
    """What `run` hands to the main coroutine.

    Attributes:
        name: Name of the process.
        settings: What it was told from outside.
        stop: The request to end; the main coroutine returns soon after it is made.
        health: Named checks behind /readyz. Set them before the first await.
        registry: Metrics behind /metrics.
        log: A structured logger.
    """

    name: str
    settings: Settings
    stop: Stop
    health: Health
    registry: CollectorRegistry
    log: FilteringBoundLogger


def run(
    main: Callable[[Process], Awaitable[None]], *, name: str, settings: Settings
) -> int:
    """Runs a process until its work is done, it fails, or it is asked to end.

    SIGTERM, SIGINT and SIGHUP (unless ignored, as under nohup), and the death of the
    parent named by `ROOKERY_PARENT`, request a stop; the main coroutine then has
    `settings.drain_seconds` to return. A second signal ends it without waiting. With
    `settings.metrics_port` /healthz, /readyz and /metrics are served in the same
    loop. Errors are told in one line `error: …` on stderr; one without an exit code
    of its own is a bug and logged with its traceback.

    Args:
        main: The work. It returns when it is done or soon after `process.stop`.
        name: Name of the process in logs.
        settings: What the process was told from outside.

    Returns:
        The exit code, for `sys.exit`: 0 if the work is done or was drained.
    """
    configure_logging(settings, process=name)
    configure_threads(settings.threads)
    try:
        running = build(f"rookery-{name}")
        _sentry.start(settings, process=name, build=running)
        with asyncio.Runner() as runner, _Signals(runner.get_loop()) as signals:
            return runner.run(_Runner(main, name, settings, running, signals).run())
    except Exception as error:
        return report(error, settings)


def report(error: BaseException, settings: Settings | None = None) -> int:
    """Tells on stderr why the process ends.

    Args:
        error: What ended it.
        settings: Whose secrets must not appear.

    Returns:
        The exit code.
    """
    if isinstance(error, BrokenPipeError) and reader_is_gone():
        return _BROKEN_PIPE
    code = exit_code_of(error)
    if not is_expected(error):
        _sentry.capture(error, settings)
        structlog.get_logger().critical(
            "unexpected error", action="fail", exc_info=error
        )
    hide = Redactor(settings.secrets() if settings else ())
    print(f"error: {hide(describe(error))}", file=sys.stderr, flush=True)
    return code


class _Signals:
    """Turns signals into calls on the loop, even while the loop is busy.

    `loop.add_signal_handler` would only be heard between two callbacks; these handlers
    run between two instructions, so that a loop that hangs can still be ended.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._seen = 0
        self._watchdog: threading.Timer | None = None
        self.first: Callable[[str], None] = lambda reason: None
        self.second: Callable[[int], None] = lambda signum: None
        self.drain_seconds = math.inf

    def __enter__(self) -> "_Signals":
        signums = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signums.append(signal.SIGHUP)
        self._before = {s: signal.signal(s, self._handle) for s in signums}
        return self

    def __exit__(self, *details: object) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        del frame
        self._seen += 1
        reason = signal.Signals(signum).name
        if self._seen == 1:
            self.arm(self.drain_seconds + 2 * _CANCEL_SECONDS, DrainTimeout.exit_code)
            self._loop.call_soon_threadsafe(self.first, reason)
        else:
            self.arm(_CANCEL_SECONDS, 128 + signum)
            self._loop.call_soon_threadsafe(self.second, signum)

    def arm(self, seconds: float, exit_code: int) -> None:
        """Ends the process from a thread if it is still there after some seconds."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._watchdog = threading.Timer(min(seconds, 86400), _abandon, [exit_code])
        self._watchdog.daemon = True
        self._watchdog.start()


def _abandon(exit_code: int) -> None:
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    _leave(
        "error: the process did not end by itself; above is where it hangs", exit_code
    )


def _leave(message: str, exit_code: int) -> None:
    print(message, file=sys.stderr, flush=True)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(exit_code)


class _Runner:
    def __init__(
        self,
        main: Callable[[Process], Awaitable[None]],
        name: str,
        settings: Settings,
        running: Build,
        signals: _Signals,
    ) -> None:
        self._main = main
        self._name = name
        self._settings = settings
        self._build = running
        self._signals = signals

    async def run(self) -> int:
        executor = ThreadPoolExecutor(thread_name_prefix=_THREADS_PREFIX)
        asyncio.get_running_loop().set_default_executor(executor)
        code = 0
        try:
            await self._run()
        except (Exception, asyncio.CancelledError) as error:
            code = report(error, self._settings)
        executor.shutdown(wait=False, cancel_futures=True)
        await _leave_busy_threads(code)
        return code

    async def _run(self) -> None:
        settings = self._settings
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        _register(self._build, registry)
        process = Process(
            name=self._name,
            settings=settings,
            stop=Stop(drain_seconds=settings.drain_seconds),
            health=Health(),
            registry=registry,
            log=structlog.get_logger(),
        )
        process.health.set("running", True)
        _log_start(process.log, self._build)
        with _health_socket(settings) as opened:
            await self._serve(process, opened)

    async def _serve(self, process: Process, opened: socket.socket | None) -> None:
        stop, log = process.stop, process.log
        forced: list[int] = []
        work = asyncio.ensure_future(_as_coroutine(self._main, process))

        def force(signum: int) -> None:
            forced.append(signum)
            work.cancel()

        self._signals.drain_seconds = process.settings.drain_seconds
        self._signals.first = stop.request
        self._signals.second = force
        self._watch_parent(stop)
        served = Stop()
        endpoint = asyncio.create_task(_serve_health(process, opened, served))
        draining = asyncio.create_task(_drain(process, work))
        try:
            await asyncio.wait({work})
            if forced:
                error = Forced()
                error.signum = forced[0]
                raise error
            if work.cancelled() and stop.requested:
                raise DrainTimeout(
                    "the work in hand was not finished within "
                    f"{process.settings.drain_seconds:g} s (ROOKERY_DRAIN_SECONDS); "
                    "what was not confirmed will be done again"
                )
            await work
            log.debug("process ended", action="end", reason=stop.reason)
        finally:
            draining.cancel()
            work.cancel()
            served.request("process ended")
            await endpoint

    def _watch_parent(self, stop: Stop) -> None:
        parent = watched_parent()
        if parent is None:
            return
        loop = asyncio.get_running_loop()

        def orphaned() -> None:
            self._signals.arm(_ORPHAN_SECONDS + 2 * _CANCEL_SECONDS, os.EX_TEMPFAIL)
            with contextlib.suppress(RuntimeError):  # the loop is closed: it ended
                loop.call_soon_threadsafe(
                    lambda: stop.request("parent died", within=_ORPHAN_SECONDS)
                )

        watch_parent(parent, orphaned)


def _register(running: Build, registry: CollectorRegistry) -> None:
    info = Gauge(
        "rookery_build_info",
        "Always 1; the labels say which build is running.",
        ["version", "commit"],
        registry=registry,
    )
    info.labels(running.version, running.commit or "").set(1)


def _log_start(log: FilteringBoundLogger, running: Build) -> None:
    told = {"version": running.version}
    if running.commit:
        told["commit"] = running.commit
    # From a checkout nothing is known that is worth a line.
    say = log.info if running.is_known else log.debug
    say("process started", action="start", **told)


async def _as_coroutine(
    main: Callable[[Process], Awaitable[None]], process: Process
) -> None:
    await main(process)


async def _drain(process: Process, work: "asyncio.Future[None]") -> None:
    stop = process.stop
    await stop.wait()
    process.health.set("running", False, f"ending: {stop.reason}")
    process.log.info("stop requested", action="stop", reason=stop.reason)
    # The deadline may come nearer while waiting: when the parent dies, for example.
    while stop.remaining() > 0 and not work.done():
        await asyncio.wait({work}, timeout=min(stop.remaining(), 0.25))
    work.cancel()


@contextlib.contextmanager
def _health_socket(settings: Settings) -> Iterator[socket.socket | None]:
    if settings.metrics_port is None:
        yield None
        return
    require_token(settings)
    with listen(settings.host, settings.metrics_port) as opened:
        yield opened


async def _serve_health(
    process: Process, opened: socket.socket | None, served: Stop
) -> None:
    if opened is None:
        return
    host, port = opened.getsockname()[:2]

    def announce() -> None:
        process.log.info("health endpoint", action="listen", host=host, port=port)

    allows = for_bearer_of(process.settings.token)
    app = health_app(process.health, process.registry, allows)
    await serve_http(app, opened, stop=served, on_ready=announce)


async def _leave_busy_threads(code: int) -> None:
    """Ends the process if a thread cannot be ended, such as one that reads stdin.

    The interpreter would otherwise wait for it for ever.
    """
    deadline = time.monotonic() + _CANCEL_SECONDS
    while busy := [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith(_THREADS_PREFIX)
    ]:
        if time.monotonic() > deadline:
            structlog.get_logger().debug("threads left", action="end", count=len(busy))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        await asyncio.sleep(0.005)
