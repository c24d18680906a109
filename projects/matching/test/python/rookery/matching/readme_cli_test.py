"""The commands of the README, each as a shell runs it."""

from __future__ import annotations

import gzip
import json
import shlex
import subprocess  # nosec B404
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from rookery.lake import Block, Lake
from rookery.records import POST
from rookery.records.testing import post_batch
from rookery.service import child_environment, module_command
from rookery.service.testing import readme

pytestmark = pytest.mark.integration

_SECTION = readme(__file__).read_text().partition("On the command line:\n")[2]
COMMANDS = [
    line.strip()
    for line in _SECTION.partition("\nWhat is not")[0].splitlines()
    if "match " in line and "alias" not in line
]
AT = datetime(2024, 5, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the commands name."""
    (tmp_path / "rules.txt").write_text("fires = fire -drill\n")
    (tmp_path / "other.txt").write_text("big\n")
    post = {"id": "1", "text": "a big fire", "created_at": str(AT)}
    line = json.dumps(post) + "\n"
    (tmp_path / "post.json").write_text(line)
    (tmp_path / "posts.jsonl").write_text(line)
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts/a.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    (tmp_path / "tweets.csv").write_text(
        "Tweet ID,Tweet Text\n'211040709124440064',a big fire\n"
    )
    lake = Lake.open((tmp_path / "lake").as_uri())
    lake.open_epoch("e", starts={"posts": 1, "matches": 1})
    rows = pa.Table.from_batches(
        [post_batch([{"text": "a big fire", "created_at": AT}])], POST
    )
    lake.posts.commit(Block("e", 1, 1, {"posts": rows}, 1, {}, 1))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_runs(command: str, folder: Path) -> None:
    program = shlex.join(module_command("rookery.matching"))
    done = subprocess.run(  # nosec B603
        ["/bin/sh", "-c", f'match() {{ {program} "$@"; }}\n{command}'],
        cwd=folder,
        env=child_environment({"COLUMNS": "120"}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr
    written = folder / "matches.parquet"
    said = done.stdout + (written.read_text("latin-1") if written.exists() else "")
    assert ("1 rules, version" if " check " in command else "fire") in said


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) > 8
