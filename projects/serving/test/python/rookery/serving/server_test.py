"""The whole process: its interface, its errors, its start and its end."""

import json
import signal
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from rookery.bus import DeadLetter, bury
from rookery.service.testing import (
    eventually_async,
    free_port,
    run_module,
)
from rookery.serving.testing import MODULE, NOON, Feed, made_up, post, ready, served

pytestmark = pytest.mark.integration

TOKEN = "sesame"  # nosec B105


async def got(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.asyncio
async def test_the_interface_answers_from_lake_and_log(feed: Feed) -> None:
    await feed.publish([post(1, NOON, "wildfire here"), post(2, NOON, "wildfire")])
    feed.archive(1)
    await feed.publish([post(3, NOON, "storm", source="other"), post(4, NOON, "calm")])
    letter = DeadLetter(
        stage="ingest",
        source="made-up",
        where="posts.csv:17",
        reason="text is empty",
        raw=b"17,,\xff",
        at=datetime.now(UTC),
        key="17",
    )
    await bury(feed.bus, letter)
    async with served(feed) as (client, child):
        await ready(client)
        status = await settled(client)
        assert status["matched"]["posts"] == 3
        assert status["watermark"] == 1 and status["last"] == 2
        assert status["ingested"]["accepted"] == 4
        assert status["sources"]["made-up"]["rejected"] == 1
        assert status["dead"] == 1
        assert status["ruleset"] == feed.rules.version

        volume = await got(client, "/api/volume", by="rule")
        assert {s["key"]: s["total"] for s in volume["series"]} == {
            "fire": 2,
            "storm": 1,
        }
        assert volume["totals"]["posts"] == 3
        assert volume["buckets"] == ["2026-03-01T12:00:00Z"]

        rules = await got(client, "/api/rules", source="other")
        assert [(r["id"], r["totals"]["posts"]) for r in rules["rules"]][0] == (
            "storm",
            1,
        )
        facets = await got(client, "/api/facets")
        assert {s["key"]: s["posts"] for s in facets["sources"]} == {
            "made-up": 2,
            "other": 1,
        }

        first = await got(client, "/api/posts", limit=2)
        rest = await got(client, "/api/posts", limit=2, cursor=first["next"])
        ids = [p["id"] for p in first["posts"] + rest["posts"]]
        assert ids == [f"made-up:0000000{n}" for n in (3, 2, 1)]
        assert rest["next"] is None
        found = await got(client, "/api/posts", q="here")
        assert [p["text"] for p in found["posts"]] == ["wildfire here"]

        dead = await got(client, "/api/dead")
        assert dead["letters"][0]["where"] == "posts.csv:17"
        assert dead["letters"][0]["raw"] == "17,,\ufffd"
        assert dead["next"] is None

        child.signal(signal.SIGTERM)
        assert child.wait(timeout=20) == 0


async def settled(client: httpx.AsyncClient) -> Any:
    """The status, once totals of ingest and rules are read too."""

    async def known() -> Any:
        status = await got(client, "/api/status")
        return status if status["sources"] and status["ruleset"] else None

    return await eventually_async(known, message="totals and rules")


@pytest.mark.parametrize(
    ("path", "status", "kind", "where", "told"),
    [
        ("/api/posts?limit=many", 422, "parameter-invalid", "limit", "integer"),
        ("/api/posts?limit=100000", 422, "parameter-invalid", "limit", "200"),
        ("/api/posts?cursor=!!!", 400, "filter-invalid", "cursor", "next"),
        ("/api/posts?q=(fire", 422, "search-invalid", "q", ""),
        ("/api/volume?by=mood", 422, "parameter-invalid", "by", "rule"),
        ("/api/volume?start=2026-01-01T00:00:00", 400, "filter-invalid", "start", "Z"),
        ("/api/rules?sentiment=sad", 422, "parameter-invalid", "sentiment", ""),
        ("/api/nothing", 404, "http", None, "/docs"),
    ],
)
def test_an_error_says_what_is_wrong_where_and_what_to_do(
    address: str,
    path: str,
    status: int,
    kind: str,
    where: str | None,
    told: str,
) -> None:
    answer = httpx.get(address + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem.get("where")) == (kind, where)
    assert told in problem["detail"]
    assert problem["status"] == status


def test_the_interface_describes_itself(address: str) -> None:
    schema = httpx.get(address + "/openapi.json").json()
    assert set(schema["paths"]) == {
        f"/api/{name}"
        for name in ("status", "volume", "rules", "facets", "posts", "dead")
    } | {f"/api/rules/{name}" for name in ("history", "explain", "backtest", "{name}")}
    assert set(schema["paths"]["/api/rules"]) == {"get", "post"}
    assert set(schema["paths"]["/api/rules/{name}"]) == {
        "get",
        "put",
        "patch",
        "delete",
    }
    for methods in schema["paths"].values():
        for operation in methods.values():
            assert operation["summary"] and operation["description"]
            for parameter in operation.get("parameters", []):
                assert parameter["description"], parameter["name"]
    for name, model in schema["components"]["schemas"].items():
        if name.endswith("Given"):
            for field, about in model["properties"].items():
                assert about.get("description") or "$ref" in about, (name, field)
    docs = httpx.get(address + "/docs").text
    assert "/api/volume" in docs and "allow_empty" in docs and "JSON, " in docs
    assert "http://" not in docs and "https://" not in docs


def test_health_and_metrics_are_on_the_same_port(address: str) -> None:
    assert httpx.get(address + "/healthz").json() == {"alive": True}
    report = httpx.get(address + "/readyz").json()
    assert set(report["checks"]) >= {"bus", "lake", "tail"}
    metrics = httpx.get(address + "/metrics").text
    assert "rookery_serving_watermark" in metrics


@pytest.mark.asyncio
async def test_the_health_port_answers_as_its_own_port_does(feed: Feed) -> None:
    async with served(feed, ROOKERY_METRICS_PORT="0") as (client, child):
        await ready(client)
        port = json.loads(child.wait_for("health endpoint"))["port"]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as other:
            here, there = await client.get("/readyz"), await other.get("/readyz")
            assert here.json()["ready"] is True
            assert set(here.json()["checks"]) >= {"bus", "lake", "tail", "running"}
            # The details hold numbers, which move.
            assert list(here.json()["checks"]) == list(there.json()["checks"])
            assert (await other.get("/healthz")).json() == {"alive": True}
            metrics = (await other.get("/metrics")).text
            assert "rookery_serving_watermark" in metrics
            assert "rookery_build_info{" in metrics
            await feed.server.stop()

            async def are_unready() -> bool:
                asked = [await one.get("/readyz") for one in (client, other)]
                return all(answer.status_code == 503 for answer in asked)

            await eventually_async(are_unready, timeout=30)


def test_a_given_port_that_is_used_ends_it_with_69(address: str) -> None:
    port = httpx.URL(address).port
    ended = run_module(MODULE, "--port", str(port))
    assert ended.returncode == 69
    assert f"port {port}" in ended.stderr


@pytest.mark.asyncio
async def test_without_a_port_the_first_free_one_is_taken(feed: Feed) -> None:
    async with served(feed, port=None) as (client, _):
        assert 8080 <= (client.base_url.port or 0) < 8180


def test_beyond_this_machine_a_token_is_required() -> None:
    ended = run_module(MODULE, "--port", "0", env={"ROOKERY_HOST": "::"})
    assert ended.returncode == 78
    assert "ROOKERY_TOKEN" in ended.stderr


@pytest.mark.asyncio
async def test_a_token_guards_everything_but_the_probes(feed: Feed) -> None:
    await feed.publish(made_up(3))
    async with served(feed, ROOKERY_TOKEN=TOKEN) as (client, _):
        await ready(client)
        assert (await client.get("/readyz")).json() == {"ready": True}
        for path in ("/", "/api/status", "/metrics", "/docs", "/openapi.json"):
            assert (await client.get(path)).status_code == 401
        client.headers["authorization"] = f"Bearer {TOKEN}"
        assert "checks" in (await client.get("/readyz")).json()
        assert "rookery_build_info{" in (await client.get("/metrics")).text
        assert (await got(client, "/api/status"))["matched"]["posts"] >= 1


@pytest.mark.asyncio
async def test_without_a_server_it_ends_with_69(feed: Feed) -> None:
    ended = run_module(
        MODULE,
        "--port",
        str(free_port()),
        env={"ROOKERY_STATE": str(feed.server.state / "x")},
    )
    assert ended.returncode == 69
    assert "rookery.standalone" in ended.stderr


@pytest.mark.asyncio
async def test_it_waits_out_a_server_that_is_away(feed: Feed) -> None:
    last = await feed.publish([post(1, NOON, "wildfire")])
    async with served(feed) as (client, _):
        await ready(client)
        await feed.server.stop()

        async def says_so() -> bool:
            status = await got(client, "/api/status")
            return "log-away" in [p["code"] for p in status["problems"]]

        await eventually_async(says_so, timeout=30, message="log-away")
        assert (await got(client, "/api/status"))["matched"]["posts"] == 1
        await feed.server.start()
        assert await feed.publish([post(2, NOON, "wildfire again")]) == last + 1

        async def counted() -> bool:
            return bool((await got(client, "/api/status"))["matched"]["posts"] == 2)

        await eventually_async(counted, timeout=40, message="the new post")
