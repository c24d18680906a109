import asyncio
import json
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow as pa
import pytest

from rookery.bus import POSTS, BusError, connect
from rookery.lake import Lake
from rookery.service.testing import eventually
from rookery.standalone.testing import Run, platform

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

_RULES = """
# Two rules, one with a name.
fires = fire OR #wildfire
"green tea"
"""


def _posts(numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Made-up posts: a third tells of fires, a fifth of green tea."""
    return [
        {
            "id": f"{number:06}",
            "text": " ".join(
                [f"post number {number}"]
                + (["Fire, near the river"] if number % 3 == 0 else [])
                + (["with green  TEA"] if number % 5 == 0 else [])
            ),
            "created_at": f"2024-05-01T{number // 3600 % 24:02}:"
            f"{number // 60 % 60:02}:{number % 60:02}Z",
        }
        for number in numbers
    ]


def _write(path: Path, records: Sequence[object]) -> None:
    lines = (
        record if isinstance(record, str) else json.dumps(record) for record in records
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _rules(folder: Path) -> str:
    (folder / "rules.txt").write_text(_RULES)
    return str(folder / "rules.txt")


def _lake(state: Path) -> tuple[pa.Table, pa.Table, pa.Table]:
    lake = Lake.open((state / "lake").as_uri())
    posts = lake.posts.snapshot().table("posts")
    matches = lake.matches.snapshot()
    return posts, matches.table("matches"), matches.table("cube")


def _check(state: Path, accepted: int) -> tuple[int, dict[str | None, int]]:
    """Checks that every post is there once, and that the cube counts the matches.

    Returns how many posts matched, and how many each rule matched.
    """
    posts, matches, cube = _lake(state)
    connection = duckdb.connect()

    def ask(query: str) -> list[tuple[Any, ...]]:
        for name, table in (("posts", posts), ("matches", matches), ("cube", cube)):
            connection.register(name, table)
        return connection.sql(query).fetchall()

    assert ask("select count(*), count(distinct id) from posts") == [
        (accepted, accepted)
    ]
    ((rows, ids, foreign),) = ask(
        "select count(*), count(distinct id), "
        "count(*) filter (where id not in (select id from posts)) from matches"
    )
    assert rows == ids
    assert foreign == 0
    counted = dict(ask("select rule, sum(posts)::bigint from cube group by rule"))
    recounted = dict(
        ask(
            "select rule, count(*) from (select unnest(rules) as rule from matches) "
            "group by rule"
        )
    )
    assert counted.pop(None, 0) == rows
    assert counted == recounted
    return rows, counted


def test_a_file_is_read_matched_and_archived_and_goes_on_where_it_stopped(
    tmp_path: Path,
) -> None:
    state, file = tmp_path / "state", tmp_path / "posts.jsonl"
    posts = _posts(range(3000))
    # A post that came twice, a line that is no JSON, and one without a text.
    odd = [posts[17], "{not json", {"id": "x", "created_at": "2024-05-01T00:00:00Z"}]
    _write(file, [*posts[:500], *odd, *posts[500:]])
    arguments = ("--source", str(file), "--rules", _rules(tmp_path), "--until-done")

    with platform(state, *arguments) as run:
        assert run.child.wait(timeout=120) == 0
        assert "rules: 2 from" in run.child.stdout
        assert (
            "done: read 3,003: 3,000 accepted, 1 duplicates, 2 rejected; "
            "the lake holds 3,000 posts and 1,400 that matched" in run.child.stdout
        )
        assert "goes on" not in run.child.stdout
    matched, by_rule = _check(state, accepted=3000)
    assert matched == 1400
    assert by_rule == {"fires": 1000, '"green tea"': 600}

    _write(file, [*posts[:500], *odd, *posts[500:], *_posts(range(3000, 3300))])
    with platform(state, *arguments) as run:
        line = run.child.wait_for("source posts: goes on where it stopped")
        assert "read 3,003: 3,000 accepted, 1 duplicates, 2 rejected" in line
        assert "--fresh" in line
        assert run.child.wait(timeout=120) == 0
        assert "done: read 3,303: 3,300 accepted" in run.child.stdout
    assert _check(state, accepted=3300)[0] == 1540

    with platform(state, *arguments, "--fresh") as run:
        assert run.child.wait(timeout=120) == 0
        assert "goes on" not in run.child.stdout
        assert "done: read 3,303: 3,300 accepted" in run.child.stdout
    assert _check(state, accepted=3300)[0] == 1540


def test_the_rest_interface_counts_the_same_as_the_lake(tmp_path: Path) -> None:
    state, file = tmp_path / "state", tmp_path / "posts.jsonl"
    _write(file, [*_posts(range(1000)), "garbage"])
    with platform(state, "--source", str(file), "--rules", _rules(tmp_path)) as run:
        run.child.wait_for("the source is exhausted", timeout=90)
        eventually(
            lambda: run.get("/api/status")["archived_posts"] == 1000,
            timeout=60,
            message="all is archived",
        )
        status = run.get("/api/status")
        assert status["sources"]["posts"] == {
            "read": 1001,
            "accepted": 1000,
            "duplicates": 0,
            "rejected": 1,
        }
        assert status["dead"] == 1
        assert status["matched"]["posts"] == 467
        rules = {rule["id"]: rule for rule in run.get("/api/rules")["rules"]}
        assert rules["fires"]["totals"]["posts"] == 334
        assert rules['"green tea"']["totals"]["posts"] == 200
    assert _check(state, accepted=1000)[0] == 467


def _kill(find: Callable[[Run], psutil.Process]) -> Callable[[Run], None]:
    def kill(run: Run) -> None:
        victim = find(run)
        victim.send_signal(signal.SIGKILL)
        eventually(
            lambda: not victim.is_running() or victim.status() == "zombie",
            message="it is dead",
        )

    return kill


@pytest.mark.parametrize(
    "victim", ["match-worker", "archiver", "ingest", "rookery.serving", "nats-server"]
)
def test_whoever_is_killed_under_way_every_post_is_counted_once(
    victim: str, tmp_path: Path
) -> None:
    state, limit = tmp_path / "state", 30_000
    arguments = ("--limit", str(limit), "--rate", "3000", "--until-done")
    kill = _kill(lambda run: run.process(victim))
    with platform(state, *arguments) as run:
        for share in (0.2, 0.5):
            eventually(
                partial(_has_published, state, int(share * limit / 300)),
                timeout=60,
                message="it is under way",
            )
            kill(run)
        assert run.child.wait(timeout=180) == 0
        assert "starting it again" in run.child.stdout
        summary = f"done: read {limit:,}: {limit:,} accepted, 0 duplicates, 0 rejected"
        assert summary in run.child.stdout
    assert _check(state, accepted=limit)[0] > 0


def _has_published(state: Path, frames: int) -> bool:
    """Asks the log itself, because serving may be the victim."""

    async def published() -> int:
        async with connect("embedded:", name="test", state=state) as bus:
            return (await bus.state(POSTS)).last

    try:
        return asyncio.run(published()) >= frames
    except BusError:
        return False  # or the server
