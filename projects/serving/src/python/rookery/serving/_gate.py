"""Who may ask: a token where other machines can reach us, and no foreign pages."""

import hashlib
import hmac
import html
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr
from starlette.exceptions import HTTPException

from rookery.service import is_authorised, is_loopback

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "rookery_session"
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
MAX_BODY = 16_000_000
_READING = ("GET", "HEAD", "OPTIONS")
_MAX_FORM = 8_192
_POLICY = (
    # NiceGUI and Vue compile templates in the browser; nothing comes from elsewhere.
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'"
    " data:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self';"
    " frame-ancestors 'none'; form-action 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # Not `no-referrer`: with it, browsers send our own forms with the origin `null`.
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]


class Gate:
    """Lets requests and websockets through to an application.

    With a token, a request carries it as bearer token, or the cookie that the form
    under /login sets. Without one only this machine can reach us, and then the `Host`
    header must name it, so that no page in a browser gets here under another name. What
    a page of another origin asks is refused in any case, and so is what it has a browser
    send without saying who asks, unless that only reads: such as a form, or a link.
    What is sent has a limit.

    Args:
        app: The application.
        token: The token; None: none is needed.
    """

    def __init__(self, app: AsgiApp, token: SecretStr | None) -> None:
        self.app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request or websocket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        path = scope["path"]
        own = _same_origin(headers) and _own_site(scope, headers)
        if not self._local(headers) or not own:
            await self._refuse(scope, receive, send, headers, 403)
            return
        if scope["type"] == "http":
            if _length(headers) > MAX_BODY:
                await self._refuse(scope, receive, send, headers, 413)
                return
            receive = _limited(receive)
        if path in OPEN_PATHS:
            await self.app(scope, receive, _guarded(send))
        elif self._token is not None and path == "/login" and scope["type"] == "http":
            await self._login(scope, receive, send, self._token)
        elif is_allowed(headers, self._token):
            await self.app(scope, receive, _guarded(send))
        else:
            await self._refuse(scope, receive, send, headers, 401)

    def _local(self, headers: dict[str, str]) -> bool:
        """Whether the name we are called by is ours: against DNS rebinding."""
        if self._token is not None:
            return True
        name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        return is_loopback(name) or name.endswith(".localhost")

    async def _login(
        self, scope: Scope, receive: Receive, send: Send, token: SecretStr
    ) -> None:
        if scope["method"] != "POST":
            await _answer(send, 200, _page(""))
            return
        form = parse_qs((await _body(receive)).decode("utf-8", "replace"))
        given = form.get("token", [""])[0].strip()
        if not is_authorised(f"Bearer {given}", token):
            await _answer(send, 401, _page("This is not the token."))
            return
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        cookie = (
            f"{COOKIE}={_session(token)}; Path=/; HttpOnly;" f" SameSite=Strict{secure}"
        )
        await _answer(send, 303, b"", ("location", "/"), ("set-cookie", cookie))

    async def _refuse(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[str, str],
        status: int,
    ) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4000 + status})
        elif status == 403:
            await _answer(
                send,
                403,
                _problem(
                    403,
                    "Forbidden",
                    "this server answers under the names of this machine only"
                    " (localhost, 127.0.0.1), and pages of its own; set ROOKERY_TOKEN"
                    " to use it under another name",
                ),
                kind="application/problem+json",
            )
        elif status == 413:
            await _answer(
                send,
                413,
                _problem(
                    413,
                    "Too large",
                    f"a request may have {MAX_BODY:,} bytes: send it in parts",
                ),
                kind="application/problem+json",
            )
        elif "text/html" in headers.get("accept", ""):
            await _answer(send, 303, b"", ("location", "/login"))
        else:
            await _answer(
                send,
                401,
                _problem(
                    401,
                    "Unauthorized",
                    "send the header `Authorization: Bearer <token>` with the value of"
                    " ROOKERY_TOKEN",
                ),
                ("www-authenticate", 'Bearer realm="rookery"'),
                kind="application/problem+json",
            )


def is_allowed(headers: Mapping[str, str], token: SecretStr | None) -> bool:
    """Checks who sends a request.

    Args:
        headers: Its headers, their names in small letters.
        token: The token; None: none is needed.

    Returns:
        True if it carries the token, or the cookie of somebody who gave it.
    """
    if token is None or is_authorised(headers.get("authorization", ""), token):
        return True
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return False
    return cookie is not None and hmac.compare_digest(
        cookie.value.encode(), _session(token).encode()
    )


def _same_origin(headers: dict[str, str]) -> bool:
    """Whether a page that asks is one of ours; programs send no origin."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def _own_site(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether what changes something does not come from a page of another site.

    A browser says where each request comes from, also where it names no origin; what
    is no browser says nothing. Whoever follows a link from elsewhere only reads.
    """
    # Websockets always name their origin.
    reads = scope["type"] == "websocket" or scope["method"] in _READING
    return reads or headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _length(headers: dict[str, str]) -> int:
    given = headers.get("content-length", "")
    return int(given) if given.isdecimal() else 0


def _limited(receive: Receive) -> Receive:
    """Has a request end that becomes longer than it may be, whatever it says."""
    taken = 0

    async def limited() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY:
            raise HTTPException(413, f"a request may have {MAX_BODY:,} bytes")
        return message

    return limited


def _session(token: SecretStr) -> str:
    """A value that proves that its owner knew the token, and does not tell it."""
    secret = token.get_secret_value().encode()
    return hmac.new(secret, b"rookery session", hashlib.sha256).hexdigest()


def _guarded(send: Send) -> Send:
    async def guarded(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    return guarded


async def _body(receive: Receive) -> bytes:
    body = b""
    while len(body) < _MAX_FORM:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    *headers: tuple[str, str],
    kind: str = "text/html; charset=utf-8",
) -> None:
    given = [("content-type", kind), ("content-length", str(len(body))), *headers]
    encoded = [(name.encode(), value.encode()) for name, value in given]
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*encoded, (b"cache-control", b"no-store"), *_HEADERS],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _problem(status: int, title: str, detail: str) -> bytes:
    kind = re.sub(r"\W+", "-", title.lower())
    return json.dumps(
        {"type": kind, "title": title, "status": status, "detail": detail}
    ).encode()


def _page(error: str) -> bytes:
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rookery</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; display: grid; place-items: center;
  min-height: 100vh; margin: 0 }}
form {{ width: 300px; display: grid; gap: 12px }}
h1 {{ font-size: 22px; margin: 0 }}
p {{ margin: 0 }}
input, button {{ font: inherit; padding: 9px 12px; border-radius: 8px;
  border: 1px solid #8886 }}
button {{ background: #4f46e5; color: #fff; border: 0; cursor: pointer }}
[role=alert] {{ color: #dc2626 }}
</style><form method="post"><h1>Rookery</h1>
<p>This server asks for the token in ROOKERY_TOKEN.</p>
<input type="password" name="token" aria-label="Token" autofocus required>
<p role="alert">{html.escape(error)}</p><button>Open</button></form></html>
""".encode()
