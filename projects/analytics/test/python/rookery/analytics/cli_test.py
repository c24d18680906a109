import csv
import io
import json
import subprocess  # nosec B404
from dataclasses import replace
from pathlib import Path

import pytest

from rookery.analytics import __main__, committed
from rookery.lake import Block, Lake
from rookery.service.testing import run_module

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

# Imported, so that the build knows what the child runs.
MODULE = __main__.__package__ or ""


def analytics(
    *arguments: str, url: str | None = None
) -> subprocess.CompletedProcess[str]:
    env = {"ROOKERY_LAKE": url} if url else {}
    return run_module(MODULE, *arguments, env=env)


def test_volume_prints_posts_by_rule(lake: Lake) -> None:
    ended = analytics("volume", "--lake", lake.url)
    assert ended.returncode == 0, ended.stderr
    head, *lines = [line.split() for line in ended.stdout.splitlines()]
    assert head[:2] == ["rule", "posts"]
    expected: dict[str, int] = {}
    for row in committed(lake.matches.snapshot()).to_pylist():
        if row["rule"]:
            expected[row["rule"]] = expected.get(row["rule"], 0) + row["posts"]
    assert {line[0]: int(line[1]) for line in lines} == expected
    assert "up to sequence 30 of MATCHES, epoch e1" in ended.stderr


def test_volume_writes_csv_and_json_of_what_is_asked_for(lake: Lake) -> None:
    arguments = ("--by", "day", "--by", "source", "--at", "9")
    posts = lake.matches.snapshot(at=9).rows("matches")
    ended = analytics("volume", *arguments, "--format", "csv", url=lake.url)
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert sum(int(row["posts"]) for row in rows) == posts
    ended = analytics("volume", *arguments, "--format", "jsonl", url=lake.url)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert sum(line["posts"] for line in lines) == posts
    assert lines[0]["day"] == "2026-03-01T00:00:00Z"


def test_parity_holds(lake: Lake) -> None:
    ended = analytics("parity", url=lake.url)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("equal: ")
    assert "up to sequence 30" in ended.stdout


def test_parity_that_does_not_hold_ends_with_65(lake: Lake, tmp_path: Path) -> None:
    other = Lake.open((tmp_path / "other").as_uri())
    other.open_epoch("e1", starts={"posts": 1, "matches": 1})
    snapshot = lake.matches.snapshot()
    parts = {part: snapshot.table(part) for part in ("matches", "cube")}
    block = Block("e1", 1, 1, parts, origin=1)
    other.matches.commit(replace(block, parts=parts | {"cube": parts["cube"][1:]}))
    ended = analytics("parity", url=other.url)
    assert ended.returncode == 65
    assert ended.stderr.startswith("error: live and batch differ at watermark 1 in ")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("volume", "--by", "nothing"), 64, "nothing"),
        (("volume", "--lake", "nonsense"), 78, "expected file:///folder"),
        (("volume", "--dask", "nonsense"), 78, "tcp://host:port"),
        (("nonsense",), 64, "nonsense"),
    ],
)
def test_what_is_wrong_is_said_and_an_exit_code(
    lake: Lake, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = analytics(*arguments, url=lake.url)
    assert ended.returncode == code
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["volume", "parity"])
def test_every_command_has_help(command: str) -> None:
    ended = analytics(command, "--help")
    assert ended.returncode == 0
    assert "--lake" in ended.stdout
