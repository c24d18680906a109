import json
from pathlib import Path

import pytest

from rookery.service.testing import run_module
from rookery.streaming.testing import Platform

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ingest",), 64, "--source"),
        (("ingest", "--source", "nothing.csv"), 64, "there is no such file"),
        (("ingest", "--source", "-", "--format", "xml"), 64, "none of auto"),
        (("ingest", "--source", "-", "--columns", "x=y"), 64, "no column 'x'"),
        (("ingest", "--source", "synthetic:"), 69, "no embedded server runs"),
        (("match-worker",), 69, "no embedded server runs"),
        (("peek", "weather"), 64, "weather"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_right_exit_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    env = {"ROOKERY_STATE": str(tmp_path / "state"), "COLUMNS": "200"}
    ran = run_module("rookery.streaming", *arguments, env=env)
    assert ran.returncode == code, ran.stderr
    assert said in ran.stderr


@pytest.mark.asyncio
async def test_peek_shows_the_newest_records_as_json_lines(
    platform: Platform, tmp_path: Path
) -> None:
    path = tmp_path / "posts.jsonl"
    time = "2024-05-01T10:00:00Z"
    posts = [{"id": str(n), "text": "fire", "created_at": time} for n in range(7)]
    lines = [json.dumps(post) for post in posts]
    path.write_text(
        "\n".join([*lines[:3], "\udcff", *lines[3:]]), errors="surrogateescape"
    )
    await platform.publish_rules("fire = fire")
    platform.worker()
    platform.archiver()
    assert platform.start("ingest", "--source", str(path), "--name", "s").wait() == 0
    await platform.archived()

    def peek(what: str) -> list[dict[str, object]]:
        child = platform.start("peek", what, "--limit", "3")
        assert child.wait() == 0, child.stderr
        return [json.loads(line) for line in child.stdout.splitlines()]

    matches = peek("matches")
    assert [match["id"] for match in matches] == ["s:4", "s:5", "s:6"]
    assert matches[0]["rules"] == ["fire"]
    (letter,) = peek("dead")
    assert letter["where"] == "posts.jsonl:4"
    assert letter["raw"] == "\ufffd"


@pytest.mark.asyncio
async def test_peek_follows_what_comes(platform: Platform) -> None:
    follower = platform.start("peek", "posts", "--limit", "3", "--follow")
    for limit in (3, 6):
        ingest = ("ingest", "--source", "synthetic:", "--limit", str(limit))
        assert platform.start(*ingest).wait() == 0
        follower.wait_for(f'"synthetic:{limit - 1}"')
    ids = [json.loads(line)["id"] for line in follower.stdout.splitlines()]
    assert ids == [f"synthetic:{n}" for n in range(6)]
