import json
from pathlib import Path

import pytest

from rookery.service.testing import free_port, run_example_alone, run_module
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


@pytest.mark.parametrize(
    ("entry", "name", "option"),
    [
        ("ingest_main", "ingest", "--source"),
        ("match_worker_main", "match-worker", "--ack-wait"),
        ("archiver_main", "archiver", "--block-seconds"),
    ],
)
def test_each_process_is_a_program_of_its_own(
    entry: str, name: str, option: str, tmp_path: Path
) -> None:
    env = {"ROOKERY_STATE": str(tmp_path / "state"), "COLUMNS": "200"}

    def run(*arguments: str) -> tuple[int, str]:
        code = f"""
import sys
from rookery.streaming.cli import {entry}
sys.argv[1:] = {arguments!r}
{entry}()
"""
        ended = run_example_alone(code, tmp_path, env=env)
        return ended.returncode, ended.stdout + ended.stderr

    code, said = run("--help")
    assert code == 0
    assert f"Usage: {name} [OPTIONS]" in said
    assert option in said
    assert run("--version") == (0, f"{name} 0+source\n")
    code, said = run("peek", "posts")
    assert code == 64
    assert f"Usage: {name} [OPTIONS]" in said


@pytest.mark.parametrize("asked", [["--help"], ["--version"], ["ingest", "--help"]])
def test_help_and_version_load_no_library_that_they_do_not_need(
    asked: list[str], tmp_path: Path
) -> None:
    code = f"""
import atexit, sys
from rookery.service import cli
from rookery.streaming.cli import app

@atexit.register
def tell():
    heavy = {{"pyarrow", "nats", "obstore", "numpy", "structlog"}}
    print(sorted(heavy & set(sys.modules)), file=sys.stderr)

sys.argv[1:] = {asked!r}
cli(app, name="streaming")
"""
    ended = run_example_alone(code, tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "[]\n")


def test_without_a_server_nothing_is_written_to_standard_output() -> None:
    env = {"ROOKERY_BUS": f"nats://127.0.0.1:{free_port()}"}
    ran = run_module("rookery.streaming", "peek", "posts", env=env)
    assert (ran.returncode, ran.stdout) == (69, "")


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
