from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from dockerfiles.base.probe import main
from typing_extensions import override


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ready = self.path == "/readyz"
        self.send_response(200 if ready else 503)
        self.end_headers()
        self.wfile.write(b"ok" if ready else b"bus: not\nconnected")

    @override
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_200_is_ready(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(port)]) == 0
    assert capsys.readouterr().out == ""


def test_the_port_of_the_environment_is_asked(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_METRICS_PORT", str(port))
    assert main([]) == 0


def test_503_is_not_ready_and_its_text_is_shown_on_one_line(
    port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(port), "/healthz"]) == 1
    out = capsys.readouterr().out
    assert (
        out
        == f"127.0.0.1:{port}/healthz: HTTP/1.0 503 Service Unavailable bus: not connected\n"
    )


@pytest.mark.parametrize("port", ["1", "no-port"])
def test_where_nobody_listens_nothing_is_ready(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([port]) == 1
    assert capsys.readouterr().out.count("\n") == 1
