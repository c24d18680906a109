import asyncio
import gzip
import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from rookery.service import Health, PortTaken, Stop, listen, serve_http
from rookery.service._http import AsgiApp, for_bearer_of, health_app
from rookery.service.testing import start_module

pytestmark = pytest.mark.integration

Program = Callable[[str], Path]


async def _ask(
    app: AsgiApp, *requests: tuple[str, dict[str, str]]
) -> list[httpx.Response]:
    opened = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{opened.getsockname()[1]}"
    stop, ready = Stop(), asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(serve_http(app, opened, stop=stop, on_ready=ready.set))
        await ready.wait()
        async with httpx.AsyncClient(base_url=url) as client:
            answers = [await client.get(path, headers=h) for path, h in requests]
        stop.request("test")
    return answers


@pytest.mark.asyncio
async def test_the_state_of_a_process_can_be_asked_for() -> None:
    health, registry = Health(), CollectorRegistry()
    Counter("frames", "Frames.", registry=registry).inc(3)
    health.set("bus", False, "reconnecting")
    app = health_app(health, registry, for_bearer_of(None))
    alive, ready, metrics, other = await _ask(
        app, ("/healthz", {}), ("/readyz", {}), ("/metrics", {}), ("/x", {})
    )
    assert alive.status_code == 200
    assert (ready.status_code, ready.json()) == (503, health.report())
    families = {f.name: f for f in text_string_to_metric_families(metrics.text)}
    assert families["frames"].samples[0].value == 3
    assert other.status_code == 404


@pytest.mark.asyncio
async def test_with_a_token_probes_learn_only_whether_it_is_ready() -> None:
    health = Health()
    health.set("bus", True, "at nats://somewhere")
    app = health_app(health, CollectorRegistry(), for_bearer_of(SecretStr("hush")))
    right = {"authorization": "Bearer hush"}
    ready, full, metrics, wrong, none = await _ask(
        app,
        ("/readyz", {}),
        ("/readyz", right),
        ("/metrics", right),
        ("/metrics", {"authorization": "Bearer hus"}),
        ("/metrics", {}),
    )
    assert (ready.status_code, ready.json()) == (200, {"ready": True})
    assert full.json() == health.report()
    assert metrics.status_code == 200
    assert (wrong.status_code, none.status_code) == (401, 401)


def test_a_port_that_is_used_is_refused_and_a_search_goes_on_to_the_next() -> None:
    with listen("127.0.0.1", 0) as used:
        port = used.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)) as caught:
            listen("127.0.0.1", port)
        assert caught.value.exit_code == 69
        with listen("127.0.0.1", None, first=port) as found:
            assert found.getsockname()[1] > port


def test_the_endpoint_serves_until_the_process_has_drained(program: Program) -> None:
    folder = program("""
        process.health.set("bus", True)
        await process.stop.wait()
        while not os.path.exists("drained"):
            await asyncio.sleep(0.01)
        """)
    env = {"ROOKERY_METRICS_PORT": "0"}
    with start_module("program", cwd=folder, env=env) as child:
        port = json.loads(child.wait_for("health endpoint"))["port"]
        url = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{url}/readyz").json()["ready"] is True
        assert "process_resident_memory_bytes" in httpx.get(f"{url}/metrics").text
        child.signal()
        child.wait_for("stop requested")
        assert httpx.get(f"{url}/healthz").status_code == 200
        answer = httpx.get(f"{url}/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["running"]["detail"] == "ending: SIGTERM"
        (folder / "drained").touch()
        assert child.wait() == 0


def test_a_port_that_is_used_ends_the_process_with_69(program: Program) -> None:
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        env = {"ROOKERY_METRICS_PORT": str(used.getsockname()[1])}
        with start_module("program", cwd=program("pass"), env=env) as child:
            assert child.wait() == 69
            assert child.stderr.startswith("error: cannot listen on 127.0.0.1")


def test_no_port_is_opened_beyond_loopback_without_a_token(program: Program) -> None:
    env = {"ROOKERY_METRICS_PORT": "0", "ROOKERY_HOST": "10.255.255.1"}
    with start_module("program", cwd=program("pass"), env=env) as child:
        assert child.wait() == 78
        assert "ROOKERY_TOKEN" in child.stderr
        assert "begun" not in child.stdout


def test_a_bug_is_reported_where_the_dsn_points_without_local_variables(
    program: Program,
) -> None:
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        # Nothing on stderr for a request that was answered.
        log_request = staticmethod(lambda *_: None)  # type: ignore[assignment]

    receiver = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    folder = program("""
        # Written in two pieces, because the lines of the source are sent.
        local = "nobody's" + " business"
        raise LookupError("lost")
        """)
    env = {"ROOKERY_SENTRY_DSN": f"http://key@127.0.0.1:{receiver.server_port}/1"}
    with receiver, start_module("program", cwd=folder, env=env) as child:
        assert child.wait() == 70
        receiver.shutdown()
    sent = b"".join(gzip.decompress(b) if b[:2] == b"\x1f\x8b" else b for b in bodies)
    assert b"LookupError" in sent
    assert b'"process":"program"' in sent
    assert b"nobody's business" not in sent
