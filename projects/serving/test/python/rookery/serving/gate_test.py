"""Who is let through."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr

from rookery.serving._gate import Gate, Receive, Scope, Send

TOKEN = SecretStr("open sesame")


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


def ask(
    token: SecretStr | None,
    path: str = "/api/status",
    *,
    kind: str = "http",
    method: str = "GET",
    body: bytes = b"",
    **headers: str,
) -> list[dict[str, Any]]:
    headers.setdefault("host", "localhost:8080")
    scope: Scope = {
        "type": kind,
        "path": path,
        "method": method,
        "scheme": "http",
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in headers.items()
        ],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(Gate(inside, token)(scope, receive, send))
    return sent


def status(sent: list[dict[str, Any]]) -> object:
    return sent[0].get("status", sent[0]["type"])


@pytest.mark.parametrize("host", ["localhost:80", "127.0.0.1:8080", "[::1]:8080"])
def test_this_machine_needs_no_token(host: str) -> None:
    assert status(ask(None, host=host)) == 200


def test_another_name_for_this_machine_is_refused_without_a_token() -> None:
    sent = ask(None, host="evil.example:8080")
    assert status(sent) == 403
    assert b"ROOKERY_TOKEN" in sent[1]["body"]


def test_a_page_of_another_origin_gets_nothing() -> None:
    assert status(ask(None, origin="http://evil.example")) == 403
    socket = ask(None, kind="websocket", origin="http://evil.example")
    assert socket == [{"type": "websocket.close", "code": 4403}]
    assert status(ask(None, origin="http://localhost:8080")) == 200


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY"])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8080"}, 200),
        ({"origin": "http://localhost:8080", "sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://localhost:8081"}, 403),
        ({"origin": "http://localhost"}, 403),
        ({"origin": "http://localhost:8080.evil.example"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
    ],
)
def test_what_changes_something_comes_from_our_own_pages_or_no_browser(
    token: SecretStr | None, method: str, headers: dict[str, str], expected: int
) -> None:
    # The token is not asked for first: a cookie would carry it.
    if token:
        headers = {**headers, "authorization": "Bearer open sesame"}
    sent = ask(token, "/api/rules", kind="http", method=method, body=b"", **headers)
    assert status(sent) == expected


def test_a_link_from_elsewhere_may_be_followed() -> None:
    assert status(ask(None, "/", sec_fetch_site="cross-site")) == 200


def test_our_own_forms_say_where_they_come_from() -> None:
    # With `no-referrer` a browser would send them with the origin `null`.
    headers = dict(ask(TOKEN, "/login")[0]["headers"])
    assert headers[b"referrer-policy"] == b"same-origin"


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_token_is_asked_for(kind: str) -> None:
    refused = ask(TOKEN, kind=kind, host="rookery.example")
    assert status(refused) in (401, "websocket.close")
    allowed = ask(
        TOKEN, kind=kind, host="rookery.example", authorization="Bearer open sesame"
    )
    assert status(allowed) in (200, "websocket.accept")


@pytest.mark.parametrize("given", ["Bearer wrong", "Basic open sesame", "Bearer "])
def test_another_token_is_refused(given: str) -> None:
    assert status(ask(TOKEN, authorization=given)) == 401


def test_a_browser_is_led_to_the_form_and_gets_in_with_its_cookie() -> None:
    led = ask(TOKEN, "/", accept="text/html")
    assert status(led) == 303
    assert (b"location", b"/login") in led[0]["headers"]
    assert b"password" in ask(TOKEN, "/login")[1]["body"]
    wrong = ask(TOKEN, "/login", method="POST", body=b"token=guess")
    assert status(wrong) == 401
    right = ask(TOKEN, "/login", method="POST", body=b"token=open+sesame")
    assert status(right) == 303
    cookie = dict(right[0]["headers"])[b"set-cookie"].decode()
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert "sesame" not in cookie
    assert status(ask(TOKEN, "/", cookie=cookie.partition(";")[0])) == 200
    assert status(ask(TOKEN, "/", cookie="rookery_session=made-up")) == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_need_no_token(path: str) -> None:
    assert status(ask(TOKEN, path)) == 200


def test_answers_may_not_be_framed_or_run_foreign_code() -> None:
    headers = dict(ask(None)[0]["headers"])
    policy = headers[b"content-security-policy"].decode()
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert headers[b"x-content-type-options"] == b"nosniff"
