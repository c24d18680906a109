"""Rules over REST: read, changed, explained, and refused."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pyarrow as pa
import pytest
import pytest_asyncio

from rookery.bus import Bus
from rookery.lake import Block, Lake
from rookery.matching import RuleSet, parse_rule, store
from rookery.records import POST
from rookery.service.testing import eventually_async, require
from rookery.serving._backtests import Backtester
from rookery.serving._errors import NotReady
from rookery.serving._gate import MAX_BODY
from rookery.serving.testing import (
    NOON,
    Feed,
    made_up,
    platform,
    post,
    ready,
    served,
)

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

BASE = [
    "fires = fire -drill",
    "floods = flood",
    "#tag",
    '{"id": "a/b c?", "rule": "x"}',
]


@dataclass
class Rest:
    """A client, and what is behind it."""

    client: httpx.AsyncClient
    bus: Bus

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.client.request(method, f"/api/rules{path}", **more)

    async def lines(self) -> list[str]:
        rules = await store.current(self.bus)
        assert rules is not None
        return [str(rule) for rule in rules.rules]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def feeding(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Feed]:
    require("nats")
    async with platform(tmp_path_factory.mktemp("platform")) as feed:
        yield feed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(feeding: Feed) -> AsyncIterator[Rest]:
    async with served(feeding) as (client, _):
        await ready(client)
        yield Rest(client, feeding.bus)


@pytest_asyncio.fixture(loop_scope="module")
async def rest(running: Rest) -> Rest:
    await store.publish(running.bus, RuleSet.parse(BASE))
    return running


def etag(answer: httpx.Response) -> str:
    return answer.headers["etag"].strip('"')


async def test_rules_are_added_with_their_trail(rest: Rest) -> None:
    new = [
        {"rule": "(rain)", "tags": ["b", "a"]},
        {"id": "x", "rule": "y", "enabled": False},
    ]
    answer = await rest.ask(
        "POST", "", json={"rules": new}, params={"by": "anna", "note": "why"}
    )
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert (found["rules"], found["version"]) == (6, etag(answer))
    entry = found["entry"]
    assert (entry["by"], entry["note"], entry["counts"]) == (
        "anna",
        "why",
        {"added": 2},
    )
    assert (await rest.lines())[4:] == [
        '{"id": "rain", "rule": "rain", "tags": ["a", "b"]}',
        '{"id": "x", "rule": "y", "enabled": false}',
    ]
    history = (await rest.ask("GET", "/history", params={"limit": 1})).json()
    assert history == {"entries": [entry]}
    of_x = (await rest.ask("GET", "/history", params={"rule": "x"})).json()
    assert of_x["entries"][0] == entry

    async def shown() -> bool:
        rules = (await rest.ask("GET", "")).json()
        return "rain" in {rule["id"] for rule in rules["rules"]}

    await eventually_async(shown, message="the counts of the new rule")


@pytest.mark.parametrize("name", ["fires", "#tag", "a/b c?"])
async def test_a_rule_is_read_set_changed_and_removed(rest: Rest, name: str) -> None:
    path = f"/{quote(name, safe='')}"
    got = await rest.ask("GET", path)
    assert got.json()["id"] == name
    assert etag(got) == got.json()["version"]
    tagged = await rest.ask("PATCH", path, json={"tags": ["us"]})
    assert tagged.json()["entry"]["action"] == "changed"
    off = await rest.ask("PATCH", path, json={"enabled": False})
    assert off.json()["entry"]["action"] == "disabled"
    same = await rest.ask("PATCH", path, json={"enabled": False})
    assert (same.json()["entry"], etag(same)) == (None, etag(off))
    seen = (await rest.ask("GET", path)).json()
    assert (seen["tags"], seen["enabled"]) == (["us"], False)
    text = seen["rule"]
    await rest.ask("PUT", path, json={"rule": text})
    seen = (await rest.ask("GET", path)).json()
    assert (seen["rule"], seen["tags"], seen["enabled"]) == (text, [], True)
    gone = await rest.ask("DELETE", path, params={"note": "old"})
    assert (gone.status_code, gone.json()["entry"]["note"]) == (200, "old")
    assert (await rest.ask("GET", path)).status_code == 404


async def test_setting_a_rule_adds_it_where_there_is_none(rest: Rest) -> None:
    answer = await rest.ask("PUT", "/new", json={"rule": "(hail)", "tags": ["x"]})
    assert answer.json()["entry"]["counts"] == {"added": 1}
    again = await rest.ask("PUT", "/new", json={"rule": "hail", "tags": ["x"]})
    assert (again.status_code, again.json()["entry"]) == (200, None)


async def test_if_match_keeps_two_writers_apart(rest: Rest) -> None:
    first = (await rest.ask("GET", "/fires")).headers["etag"]
    patch = {"tags": ["mine"]}
    mine = await rest.ask("PATCH", "/fires", json=patch, headers={"if-match": first})
    assert mine.status_code == 200
    for method, path, body in (
        ("PATCH", "/fires", {"tags": ["theirs"]}),
        ("PUT", "/fires", {"rule": "x"}),
        ("DELETE", "/fires", None),
        ("POST", "", {"rules": [{"rule": "z"}]}),
    ):
        for stale in (first, f"W/{mine.headers['etag']}", '"a", "b"'):
            theirs = await rest.ask(
                method, path, json=body, headers={"if-match": stale}
            )
            assert theirs.status_code == 412, theirs.text
            assert theirs.json()["type"] == "rules-changed"
            assert etag(mine) in theirs.json()["detail"]
    for fresh in (mine.headers["etag"], "*", f'"a", {mine.headers["etag"]}'):
        same = await rest.ask(
            "PATCH", "/fires", json=patch, headers={"if-match": fresh}
        )
        assert same.status_code == 200, same.text
    bad = await rest.ask("PATCH", "/fires", json=patch, headers={"if-match": "abc"})
    assert (bad.status_code, bad.json()["where"]) == (422, "If-Match")
    assert "quotation marks" in bad.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [
        (
            "POST",
            "",
            {"rules": [{"rule": "ok"}, {"rule": "big (fire"}]},
            422,
            {"type": "rule-invalid", "where": "rules.1.rule", "line": 1, "column": 5},
        ),
        (
            "POST",
            "",
            {"rules": [{"rule": "-drill"}]},
            422,
            {"hint": "name a word that must stand in the text, such as: fire -drill"},
        ),
        (
            "POST",
            "",
            {"rules": [{"rule": "x = y"}]},
            422,
            {"where": "rules.0.rule", "hint": "give 'x' as its id"},
        ),
        (
            "POST",
            "",
            {"rules": [{"id": "n", "rule": "a"}, {"id": "n", "rule": "b"}]},
            409,
            {"type": "rule-taken", "where": "rules.1.id"},
        ),
        (
            "POST",
            "",
            {"rules": [{"id": "n", "rule": "a"}, {"id": "fires", "rule": "b"}]},
            409,
            {"type": "rule-taken"},
        ),
        ("POST", "", {"rules": []}, 422, {"where": "rules"}),
        ("POST", "", {"rule": "x"}, 422, {"where": "rules"}),
        (
            "POST",
            "",
            {"rules": [{"rule": "x", "tag": 1}]},
            422,
            {"where": "rules.0.tag"},
        ),
        ("POST", "", {"rules": [{"rule": "x", "id": " a"}]}, 422, {}),
        ("POST", "", {"rules": [{"rule": "x", "tags": [" "]}]}, 422, {}),
        ("PUT", "/fires", {"rule": "("}, 422, {"where": "rule", "column": 2}),
        ("PUT", "/%23tag", {"rule": "other"}, 422, {"type": "rule-invalid"}),
        ("PATCH", "/firs", {"enabled": False}, 404, {"type": "rule-unknown"}),
        ("PATCH", "/firs", {"rule": "x"}, 404, {"type": "rule-unknown"}),
        ("DELETE", "/firs", None, 404, {"type": "rule-unknown"}),
        ("GET", "/firs", None, 404, {"type": "rule-unknown"}),
        ("GET", "/history?limit=0", None, 422, {"where": "limit"}),
        (
            "POST",
            "/explain",
            {"rule": "(", "post": {"text": "x"}},
            422,
            {"where": "rule"},
        ),
        ("POST", "/explain", {"rule": "x"}, 422, {"where": "post"}),
        ("POST", "/backtest", {"rule": "("}, 422, {"where": "rule", "column": 2}),
        (
            "POST",
            "/backtest",
            {"rule": "x", "start": "2026-01-01T00:00:00"},
            422,
            {"where": "start"},
        ),
    ],
)
async def test_what_is_refused_says_what_where_and_why(
    rest: Rest,
    method: str,
    path: str,
    body: object,
    status: int,
    expected: dict[str, object],
) -> None:
    answer = await rest.ask(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {name: problem.get(name) for name in expected} == expected
    assert problem["status"] == status
    assert await rest.lines() == BASE
    if status == 404:
        assert "did you mean 'fires'" in problem["detail"]


async def test_the_last_rule_goes_only_where_that_is_meant(rest: Rest) -> None:
    await store.publish(rest.bus, RuleSet.parse(["fires = fire"]))
    kept = await rest.ask("DELETE", "/fires")
    assert (kept.status_code, kept.json()["type"]) == (409, "rules-empty")
    assert "allow_empty=true" in kept.json()["hint"]
    gone = await rest.ask("DELETE", "/fires", params={"allow_empty": "true"})
    assert (gone.status_code, gone.json()["rules"]) == (200, 0)


async def test_a_rule_is_explained_clause_by_clause(rest: Rest) -> None:
    post = {"text": "a fire 🔥 in Boulder", "author": "nasa"}
    given = {"rule": "fire -(drill OR from:nasa)", "post": post}
    tree = (await rest.ask("POST", "/explain", json=given)).json()
    assert (tree["text"], tree["true"]) == ("fire -(drill OR from:nasa)", False)
    fire, negated = tree["children"]
    assert fire == {
        "text": "fire",
        "true": True,
        "clause": 0,
        "spans": [{"start": 2, "end": 6}],
        "children": [],
    }
    leaves = negated["children"][0]["children"]
    assert [(leaf["text"], leaf["true"]) for leaf in leaves] == [
        ("drill", False),
        ("from:nasa", True),
    ]


async def test_a_rule_is_tried_on_the_lake(rest: Rest, feeding: Feed) -> None:
    days = [NOON, NOON + timedelta(days=1)]
    rows = [
        post(n, days[n % 2], ("wildfire", "a fire drill", "calm")[n % 3])
        for n in range(60)
    ]
    feeding.lake.open_epoch("e", starts={"posts": 1, "matches": 1})
    table = pa.Table.from_pylist(rows, schema=POST)
    feeding.lake.posts.commit(Block("e", 1, 1, {"posts": table}, 1, {}, len(rows)))
    given = {"rule": "wildfire OR fire", "id": "fires", "samples": 3}
    found = (await rest.ask("POST", "/backtest", json=given)).json()
    assert (found["posts"], found["matched"], found["new"]) == (60, 40, 40)
    assert found["days"] == [
        {"day": "2026-03-01", "posts": 30, "matched": 20},
        {"day": "2026-03-02", "posts": 30, "matched": 20},
    ]
    assert (found["complete"], found["matched_only"]) == (True, False)
    assert len(found["samples"]) == 3
    sample = found["samples"][0]
    span = sample["spans"][0]
    assert "fire" in sample["text"][span["start"] : span["end"]]
    given = {"rule": "wildfire", "end": days[1].isoformat(), "samples": 0}
    found = (await rest.ask("POST", "/backtest", json=given)).json()
    assert (found["posts"], found["matched"], found["samples"]) == (30, 10, [])
    wild = [{"id": "wild", "rule": "wild*"}]
    await rest.ask("POST", "", json={"rules": wild})

    async def compared() -> bool:
        found = (await rest.ask("POST", "/backtest", json={"rule": "wildfire"})).json()
        overlap = {"rule": "wild", "posts": 20}
        return (found["overlaps"], found["new"]) == ([overlap], 0)

    await eventually_async(compared, message="the rules in force")
    alone = {"rule": "wildfire", "compare": False}
    found = (await rest.ask("POST", "/backtest", json=alone)).json()
    assert (found["overlaps"], found["new"]) == ([], 20)


async def test_a_backtest_has_a_limit(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path.as_uri())
    lake.open_epoch("e", starts={"posts": 1, "matches": 1})
    for block in (1, 2, 3):
        table = pa.Table.from_pylist(made_up(20_000, seed=block), schema=POST)
        parts = {"posts": table}
        lake.posts.commit(Block("e", block, block, parts, block, {}, 20_000))
    rule = parse_rule("wildfire")

    async def test(**limits: Any) -> tuple[int, bool]:
        tested = await Backtester(lake, **limits).run(
            rule, existing=None, start=None, end=None, samples=0
        )
        return tested.found.posts, tested.complete

    assert await test() == (60_000, True)
    some, complete = await test(max_posts=20_000)
    assert 20_000 <= some < 40_000 and not complete
    assert await test(max_seconds=-1.0) == (0, False)
    backtester = Backtester(lake)
    both = [
        backtester.run(rule, existing=None, start=None, end=None, samples=0)
        for _ in range(2)
    ]
    first, second = await asyncio.gather(*both, return_exceptions=True)
    assert not isinstance(first, BaseException) and first.complete
    assert isinstance(second, NotReady)


async def test_a_foreign_page_changes_nothing(rest: Rest) -> None:
    own = str(rest.client.base_url).rstrip("/")
    body = {"rules": [{"rule": "evil"}]}
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": f"{own}.evil.example"},
        {"origin": f"http://{own.removeprefix('http://')}@evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "evil.example"},
    ):
        for method, path in (
            ("POST", ""),
            ("PUT", "/fires"),
            ("PATCH", "/fires"),
            ("DELETE", "/fires"),
            ("POST", "/explain"),
        ):
            answer = await rest.ask(method, path, json=body, headers=headers)
            assert answer.status_code == 403, (headers, method)
    # What a form can send is no JSON, whatever it says it is.
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = await rest.ask(
            "POST",
            "",
            content=b'{"rules": [{"rule": "evil"}]}',
            headers={"content-type": kind},
        )
        assert answer.status_code == 422, kind
    assert await rest.lines() == BASE
    headers = {"origin": own, "sec-fetch-site": "same-origin"}
    answer = await rest.ask("DELETE", "/fires", headers=headers)
    assert answer.status_code == 200


async def test_requests_have_a_limit(rest: Rest) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 1_000_000 + 2):
            yield b" " * 1_000_000

    for content in (b" " * (MAX_BODY + 1), endless()):
        answer = await rest.ask(
            "POST", "", content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


async def test_ten_thousand_rules_are_added_at_once(rest: Rest) -> None:
    new = [{"id": f"n{n}", "rule": f"word{n} -x"} for n in range(10_000)]
    answer = await rest.ask("POST", "", json={"rules": new})
    assert answer.status_code == 201
    assert answer.json()["entry"]["counts"] == {"added": 10_000}
    assert answer.json()["rules"] == 10_004
