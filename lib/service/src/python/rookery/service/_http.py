"""Sockets to listen on, and an HTTP server that leaves signals to the process."""

import asyncio
import contextlib
import hmac
import json
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, exposition
from pydantic import SecretStr

from rookery.service._errors import PortTaken
from rookery.service._health import Health
from rookery.service._stop import Stop

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})

_SEARCHED_PORTS = 100


def listen(host: str, port: int | None, *, first: int = 8080) -> socket.socket:
    """Opens a socket to listen on.

    Args:
        host: Address to listen on.
        port: The port; 0 for any free one; none for the first free one from `first`.
        first: Where the search for a free port begins.

    Returns:
        A bound, listening, non-blocking socket.

    Raises:
        PortTaken: The port, or every port that was searched, is used.
    """
    searched = range(first, first + _SEARCHED_PORTS) if port is None else [port]
    for candidate in searched:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((host, candidate))
            opened.listen(128)
        except OSError as error:
            opened.close()
            if port is not None:
                raise PortTaken(
                    f"cannot listen on {host} port {port}: {error.strerror}; "
                    "give another port, or none to take the first free one"
                ) from error
        else:
            opened.setblocking(False)
            return opened
    raise PortTaken(
        f"no free port on {host} from {first} to {first + _SEARCHED_PORTS - 1}"
    )


async def serve_http(
    app: AsgiApp | Callable[..., Any],
    opened: socket.socket,
    *,
    stop: Stop,
    on_ready: Callable[[], None] | None = None,
    grace: float = 1.0,
) -> None:
    """Serves an ASGI application until a stop is requested.

    Args:
        app: The application.
        opened: The socket to listen on, as `listen` returns it. It is closed.
        stop: Whose request ends the server.
        on_ready: Called once requests are answered.
        grace: Seconds that open requests get to finish after the stop.
    """
    # Imported late: most processes serve nothing, and it costs memory and time to start.
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(grace)),
        )
    )
    # Signals belong to the process: uvicorn would take them over while it serves, and
    # raise them again when it ends.
    setattr(server, "capture_signals", contextlib.nullcontext)  # noqa: B010
    serving = asyncio.create_task(server.serve(sockets=[opened]), name="http")
    stopping = asyncio.create_task(stop.wait(), name="http-stop")
    try:
        while not server.started and not serving.done():
            await asyncio.wait({serving}, timeout=0.01)
        if on_ready is not None and not serving.done():
            on_ready()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        stopping.cancel()
        serving.cancel()
        opened.close()


def health_app(
    health: Health,
    registry: CollectorRegistry,
    allows: Callable[[Mapping[str, str]], bool],
) -> AsgiApp:
    """Answers /healthz, /readyz and /metrics.

    Probes of an orchestrator carry no token, so the two states are open; what stands
    behind them, and the metrics, are for those who may see them.

    Args:
        health: The checks of the process.
        registry: The metrics of the process.
        allows: Tells from the headers of a request, their names in small letters,
            whether whoever asks may see everything.

    Returns:
        An ASGI application, to be served by itself or for `HEALTH_PATHS` of another.
    """

    def answer(path: str, authorised: bool, accept: str) -> tuple[int, str, bytes]:
        match path:
            case "/healthz":
                # That this is answered is the answer: the event loop is alive.
                return 200, "application/json", b'{"alive": true}'
            case "/readyz":
                full: dict[str, object] = health.report()
                shown = full if authorised else {"ready": health.ready}
                body = json.dumps(shown).encode()
                return 200 if health.ready else 503, "application/json", body
            case "/metrics" if authorised:
                encode, content_type = exposition.choose_encoder(accept)
                return 200, content_type, encode(registry)
            case "/metrics":
                return 401, "text/plain", b"a bearer token is required\n"
        return 404, "text/plain", b"try /healthz, /readyz or /metrics\n"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["type"] != "http":
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        allowed, accept = allows(headers), headers.get("accept", "")
        if scope["method"] in {"GET", "HEAD"}:
            status, content_type, body = answer(scope["path"], allowed, accept)
        else:
            status, content_type, body = 405, "text/plain", b"only GET\n"
        length = str(len(body)).encode()
        answered = [(b"content-type", content_type.encode())]
        answered.append((b"content-length", length))
        await send(
            {"type": "http.response.start", "status": status, "headers": answered}
        )
        sent = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": sent})

    return app


def for_bearer_of(token: SecretStr | None) -> Callable[[Mapping[str, str]], bool]:
    """Makes what `health_app` asks, for clients that present a token.

    Args:
        token: The token; None: everybody may see everything.

    Returns:
        Whether a request with these headers presents it.
    """
    if token is None:
        return lambda headers: True
    return lambda headers: is_authorised(headers.get("authorization", ""), token)


def is_authorised(authorization: str, token: SecretStr) -> bool:
    """Checks an `Authorization` header in a time that tells nothing about the token.

    Args:
        authorization: The header's value.
        token: The token that is expected as `Bearer <token>`.

    Returns:
        True if the header presents the token.
    """
    scheme, _, presented = authorization.partition(" ")
    expected = token.get_secret_value().encode()
    same = hmac.compare_digest(presented.strip().encode(), expected)
    return same and scheme.lower() == "bearer"
