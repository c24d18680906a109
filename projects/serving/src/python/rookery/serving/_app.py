"""Puts page, REST interface and health on one port."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from nicegui import ui

from rookery.bus import connect
from rookery.lake import Lake
from rookery.service import HEALTH_PATHS, Process, build, health_app, serve_http
from rookery.serving._answers import Answers
from rookery.serving._api import api
from rookery.serving._docs import docs_page
from rookery.serving._gate import AsgiApp, Gate, Receive, Scope, Send, is_allowed
from rookery.serving._live import Live
from rookery.serving._page import add_page
from rookery.serving._problems import handle_problems

_DESCRIPTION = (
    "Counts of matched posts, the posts themselves, and how the platform is doing."
    " Every answer is computed from one view: the lake up to a watermark, and the log"
    " behind it, so each post is counted exactly once. Errors are problem documents"
    " (RFC 9457)."
)


def application(process: Process, answers: Answers) -> Gate:
    """Makes the application. There can be one in a process, because of NiceGUI.

    Args:
        process: Settings, health and metrics.
        answers: What answers.

    Returns:
        An ASGI application.
    """
    app = FastAPI(
        title="Rookery",
        version=build("rookery-serving").version,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    handle_problems(app)
    app.include_router(api(answers))
    documented = docs_page(app.openapi())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(documented)

    add_page(answers)
    ui.run_with(app, title="Rookery", show_welcome_message=False, dark=None)
    return Gate(_with_health(app, process), process.settings.token)


def _with_health(app: AsgiApp, process: Process) -> AsgiApp:
    """Puts what every process answers in front of an application."""
    token = process.settings.token
    health = health_app(
        process.health, process.registry, lambda headers: is_allowed(headers, token)
    )

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and scope["path"] in HEALTH_PATHS
        await (health if asked else app)(scope, receive, send)

    return answer


async def serve(
    process: Process,
    opened: socket.socket,
    on_ready: Callable[[str], None],
) -> None:
    """Serves until the process is asked to stop.

    Args:
        process: Settings, stop, health and metrics.
        opened: The socket to listen on.
        on_ready: Called with the address once requests are answered.
    """
    settings = process.settings
    lake = await asyncio.to_thread(Lake.open, settings.lake_url, read_only=True)
    async with connect(settings.bus, name=process.name, state=settings.state) as bus:
        live = Live(process, bus, lake)
        app = application(process, Answers(live))
        host, port = opened.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        async with contextlib.AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(_Following(live))
            served = asyncio.create_task(
                serve_http(
                    app,
                    opened,
                    stop=process.stop,
                    on_ready=lambda: on_ready(address),
                )
            )
            await asyncio.wait({served, tasks}, return_when=asyncio.FIRST_COMPLETED)
            if not served.done():
                process.stop.request("an error")
            await served
            if tasks.done():
                await tasks


class _Following:
    """Runs the background work of `Live` while a block runs."""

    def __init__(self, live: Live) -> None:
        self._task = asyncio.ensure_future(live.run())

    async def __aenter__(self) -> "asyncio.Future[None]":
        return self._task

    async def __aexit__(self, *details: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
