import json
import os
import subprocess  # nosec B404
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rookery.lake import Lake, LakeDamaged, __main__
from rookery.lake._check import check, sweep

pytestmark = pytest.mark.integration

# Imported, so that the build knows what the child runs.
MODULE = __main__.__package__ or ""


def lake_command(*arguments: str, url: str | None = None) -> Any:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("ROOKERY_LAKE", None)
    if url is not None:
        environment["ROOKERY_LAKE"] = url
    return subprocess.run(  # nosec B603
        [sys.executable, "-m", MODULE, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def filled(lake: Lake, samples: Any) -> Lake:
    lake.posts.commit(samples.posts_block(1, 5))
    lake.posts.commit(samples.posts_block(6, 9))
    lake.matches.commit(samples.matches_block(1, 9))
    return lake


def test_commits_are_listed(filled: Lake, url: str) -> None:
    ended = lake_command("ls", "--lake", url)
    assert ended.returncode == 0
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert [line[:5] for line in lines[1:4]] == [
        ["posts", "e1", "1", "5", "posts=5"],
        ["posts", "e1", "6", "9", "posts=4"],
        ["matches", "e1", "1", "9", "matches=9"],
    ]
    assert ended.stdout.splitlines()[-1] == "epoch 1: e1, open"


def test_commits_are_listed_as_json(filled: Lake, url: str) -> None:
    ended = lake_command("ls", "--json", "--dataset", "posts", url=url)
    listed = [json.loads(line) for line in ended.stdout.splitlines()]
    commits = filled.posts.snapshot().commits
    assert [each["id"] for each in listed] == [commit.id for commit in commits]
    assert listed[0]["files"][0]["sha256"] == commits[0].files[0].sha256
    assert listed[0]["positions"] == ["files"]
    assert listed[0]["first_event"] == "2026-03-01T12:01:00+00:00"


def test_a_whole_lake_passes_the_check(filled: Lake, url: str) -> None:
    ended = lake_command("check", url=url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("whole: 1 epochs, 3 commits, 4 files, 36 rows, ")


def test_damage_fails_the_check(filled: Lake, url: str) -> None:
    missing = filled.posts.snapshot().commits[0].files[0].path
    changed = filled.posts.snapshot().commits[1].files[0].path
    filled.store.delete(missing)
    data = bytearray(filled.store.get(changed) or b"")
    data[50] ^= 1
    filled.store.delete(changed)
    filled.store.create(changed, bytes(data))
    ended = lake_command("check", url=url)
    assert ended.returncode == 65
    assert f"damaged: {missing}: it is missing" in ended.stdout
    assert f"damaged: {changed}: its bytes are not those committed" in ended.stdout
    assert "NOT whole" in ended.stdout
    asked = lake_command("check", "--json", url=url)
    assert asked.returncode == 65
    found = json.loads(asked.stdout)
    assert not found["is_whole"]
    assert {each["path"] for each in found["findings"]} == {missing, changed}


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00"])
def test_a_damaged_commit_and_those_behind_it_are_found(
    filled: Lake, content: bytes
) -> None:
    path = f"posts/commits/e1/{1:020}.json"
    filled.store.delete(path)
    filled.store.create(path, content)
    report = check(filled)
    kinds = {finding.path: finding.kind for finding in report.findings}
    assert kinds[path] == "damaged"
    assert kinds[f"posts/commits/e1/{6:020}.json"] == "unreachable"
    assert not report.is_whole
    with pytest.raises(LakeDamaged, match="nothing was removed"):
        sweep(filled, report)


def test_a_commit_behind_a_gap_is_unreachable(filled: Lake) -> None:
    filled.store.delete(f"posts/commits/e1/{1:020}.json")
    finding, *rest = [f for f in check(filled).findings if f.kind == "unreachable"]
    assert finding.path == f"posts/commits/e1/{6:020}.json"
    assert finding.reason == "the next commit has to begin at 1"
    assert rest == []


def test_commits_of_an_epoch_that_was_never_opened_are_found(filled: Lake) -> None:
    data = filled.store.get(f"posts/commits/e1/{1:020}.json")
    assert data is not None
    filled.store.create(f"posts/commits/e9/{1:020}.json", data)
    (finding,) = check(filled).findings
    assert finding.kind == "unreachable"
    assert "never opened" in finding.reason


def test_files_that_nobody_needs_are_removed_once_they_are_old(
    filled: Lake, url: str, samples: Any
) -> None:
    orphan = "posts/data/posts/2026-03-02/orphan.parquet"
    filled.store.create(orphan, b"left by a crash")
    ended = lake_command("check", "--remove-unneeded", url=url)
    assert ended.returncode == 0
    assert f"pending: {orphan}" in ended.stdout
    assert filled.store.get(orphan) is not None
    later = datetime.now(UTC) + timedelta(minutes=11)
    report = check(filled, now=later)
    assert [(f.kind, f.path) for f in report.findings] == [("unneeded", orphan)]
    assert sweep(filled, report) == 1
    assert filled.store.get(orphan) is None
    assert check(filled, now=later).findings == ()
    assert filled.posts.snapshot().table("posts").num_rows == 9


def test_repair_closes_the_epoch(filled: Lake, url: str) -> None:
    ended = lake_command("repair", "--lake", url, "--reason", "power loss")
    assert ended.returncode == 0
    assert "closed epoch 1, e1: posts up to sequence 9, matches up to 9" in ended.stdout
    assert filled.current_epoch() is None
    assert filled.epochs()[0].closed == "power loss"
    again = lake_command("repair", "--lake", url)
    assert (again.returncode, again.stdout) == (
        0,
        "no epoch is open: nothing to repair\n",
    )
    filled.open_epoch("e2", starts={"posts": 10, "matches": 10})
    assert check(filled).findings == ()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("ls",), 64, "--lake"),
        (("ls", "--lake", "nonsense"), 78, "expected file:///folder or s3://"),
        (("nonsense",), 64, "nonsense"),
        (("ls", "--lake", "file:///dev/null"), 78, "cannot make the folder"),
        (("ls", "--dataset", "x", "--lake", "file:///tmp"), 64, "no dataset 'x'"),
    ],
)
def test_what_is_wrong_is_one_line_and_an_exit_code(
    arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended = lake_command(*arguments)
    assert ended.returncode == code
    assert ended.stderr.startswith("error: ")
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["ls", "check", "repair"])
def test_every_command_has_help(command: str) -> None:
    ended = lake_command(command, "--help")
    assert ended.returncode == 0
    assert "--lake" in ended.stdout
