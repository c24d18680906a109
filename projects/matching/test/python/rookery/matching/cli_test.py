from __future__ import annotations

import io
import json
import os
import pty
import subprocess  # nosec B404
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow.parquet
import pytest

from rookery.matching import MatchingError, RuleSet
from rookery.matching._commands._input import Misuse, parse_columns
from rookery.matching._commands._options import Output
from rookery.matching._commands._output import Writer
from rookery.matching.cli import app
from rookery.records import MATCH
from rookery.service.testing import run_module, start_module

RULES = "# what burns\nfires = fire -drill\nboulder OR #tag\n"
POSTS = [
    {"id": "1", "text": "a FIRE", "created_at": "2024-01-01T00:00:00Z"},
    {"id": "2", "text": "a fire drill", "created_at": "2024-01-01T00:00:00Z"},
    {"id": "3"},
    {"id": "4", "text": "\x1b[31m #Tag fire", "created_at": "2024-01-01T00:00:00Z"},
]
LINES = "".join(json.dumps(post) + "\n" for post in POSTS)
SAYS = (
    "2 of 3 posts match one of 2 rules, version {version}; "
    "records that are no posts: 1"
)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.txt"
    path.write_text(RULES)
    return path


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    path = tmp_path / "posts.jsonl"
    path.write_text(LINES)
    return path


def run(*arguments: object) -> int:
    """Runs a command in this process; its errors come out as they are."""
    result = app([str(one) for one in arguments], standalone_mode=False)
    return result if isinstance(result, int) else 0


def test_matches_are_json_lines_and_bad_records_are_named(
    rules: Path, posts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("match", rules, posts) == 0
    said = capfd.readouterr()
    found = [json.loads(line) for line in said.out.splitlines()]
    assert [(one["id"], one["row"], one["rules"]) for one in found] == [
        ("posts:1", 0, ["fires"]),
        ("posts:4", 2, ["fires", "boulder OR #tag"]),
    ]
    assert said.err.splitlines() == [
        "posts.jsonl:3: text: is missing",
        SAYS.format(version=RuleSet.load(rules).version),
    ]


@pytest.mark.parametrize("before", [[], ["-o", "jsonl"], ["--output=jsonl"]])
def test_what_is_no_command_is_a_file_of_rules(
    before: list[str], rules: Path, posts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*before, rules, posts) == 0
    said = capfd.readouterr()
    found = [json.loads(line)["id"] for line in said.out.splitlines()]
    assert found == ["posts:1", "posts:4"]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("arguments", "code", "usage"),
    [
        (["--help"], 0, "Usage: match [OPTIONS] RULES [POSTS]... | COMMAND [ARGS]..."),
        (["match", "--help"], 0, "Usage: match [OPTIONS] {rules} [posts]..."),
        (["rules.txt", "--nonsense"], 64, "Usage: match [OPTIONS] {rules} [posts]..."),
        (["rules", "--help"], 0, "Usage: match rules [OPTIONS] COMMAND [ARGS]..."),
        (["check", "--help"], 0, "Usage: match check [OPTIONS] {rules}"),
        (["--version"], 0, "match 0+source"),
    ],
)
def test_the_usage_is_what_a_person_types(
    arguments: list[str], code: int, usage: str
) -> None:
    env = {"COLUMNS": "120", "ROOKERY_VERSION": ""}
    done = run_module("rookery.matching", *arguments, env=env)
    assert done.returncode == code
    assert usage in done.stdout + done.stderr


@pytest.mark.integration
def test_standard_input_is_matched_as_it_comes(rules: Path) -> None:
    with start_module(
        "rookery.matching", "match", str(rules), stdin=subprocess.PIPE
    ) as child:
        assert child.process.stdin is not None
        for number in (1, 2):
            child.process.stdin.write(LINES.splitlines(keepends=True)[0])
            child.process.stdin.flush()
            child.wait_for('"stdin:1"', times=number)
        child.process.stdin.close()
        assert child.wait() == 0
    rows = [json.loads(line)["row"] for line in child.stdout.splitlines()]
    assert rows == [0, 1]


def test_matches_are_csv_with_one_header(
    rules: Path, posts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run("match", rules, posts, posts, "--output", "csv")
    first = [line.split(",")[0] for line in capfd.readouterr().out.splitlines()]
    assert first == ['"id"', *['"posts:1"', '"posts:4"'] * 2]


@pytest.mark.parametrize(("text", "ids"), [(LINES, ["posts:1", "posts:4"]), ("", [])])
def test_matches_are_a_parquet_file(
    text: str,
    ids: list[str],
    rules: Path,
    posts: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    posts.write_text(text)
    run("match", rules, posts, "-o", "parquet")
    table = pyarrow.parquet.read_table(io.BytesIO(capfdbinary.readouterr().out))
    assert table.schema.equals(MATCH)
    assert table["id"].to_pylist() == ids


def test_a_table_never_sends_control_characters(
    rules: Path, posts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run("match", rules, posts, "--output", "table")
    shown = capfd.readouterr().out
    assert "#Tag fire" in shown
    assert "\x1b" not in shown


def test_the_columns_of_a_csv_file_are_named(
    rules: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Tweets 2013.csv"
    path.write_text("Tweet ID,Tweet Text\n'211040709124440064',a fire\n7,a fire\n")
    columns = "id='Tweet ID',text=Tweet Text"
    run("match", rules, path, "--columns", columns, "--time", "snowflake")
    said = capfd.readouterr()
    (match,) = map(json.loads, said.out.splitlines())
    assert match["id"] == "tweets-2013:211040709124440064"
    assert match["created_at"].startswith("2012-06-08T")
    assert "Tweets 2013.csv:3: id: is not a snowflake" in said.err


def test_strict_stops_at_the_first_bad_record(rules: Path, posts: Path) -> None:
    with pytest.raises(MatchingError, match="^posts.jsonl:3: text: is missing$"):
        run("match", rules, posts, "--strict")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["match", "{rules}", "missing.jsonl"], "missing.jsonl: there is no such file"),
        (["match", "missing.txt", "{posts}"], "missing.txt: cannot be read"),
        (["chek", "{posts}"], "chek: cannot be read"),
        (["match", "{rules}", "{rules}"], "say so with --format"),
        (
            ["match", "{rules}", "{posts}", "--columns", "id=x"],
            "--columns and --time are for CSV",
        ),
        (["match", "{rules}", "{posts}", "--format", "parquet"], "posts.jsonl: "),
        (["check", "{posts}"], "1 rules? cannot|posts.jsonl:1:"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], says: str, rules: Path, posts: Path
) -> None:
    with pytest.raises(MatchingError, match=says):
        run(*(one.format(rules=rules, posts=posts) for one in arguments))


def test_parquet_is_not_sent_to_a_terminal() -> None:
    with os.fdopen(pty.openpty()[1], "wb", buffering=0) as terminal:
        with pytest.raises(MatchingError, match="not for the eyes"):
            Writer(Output.PARQUET, cast(BinaryIO, terminal))


def test_rules_are_linted(
    tmp_path: Path, posts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "doubtful.yaml"
    path.write_text("- id: x\n  rule: fire -fire\n- boulder\n")
    assert run("lint", path, "--sample", posts) == 1
    assert capfd.readouterr().out.startswith(f"{path}:2: never: x: the rule never")
    path.write_text("- boulder\n")
    assert run("lint", path) == 0


def test_rules_are_checked(rules: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("check", rules) == 0
    assert "2 rules, version " in capfd.readouterr().out


@pytest.mark.integration
@pytest.mark.parametrize(
    ("text", "code", "says"),
    [("fire\n-drill\n(a\n", 65, "wrong.txt:3:1: the group is not closed"), ("", 0, "")],
)
def test_the_exit_code_says_whether_rules_are_right(
    text: str, code: int, says: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(text)
    done = run_module("rookery.matching", "check", str(wrong))
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", {}),
        ("id=a, text = b ", {"id": "a", "text": "b"}),
        ("id='a, b',text=\"it's\"", {"id": "a, b", "text": "it's"}),
    ],
)
def test_columns_are_pairs_with_commas_between(
    text: str, columns: dict[str, str]
) -> None:
    assert parse_columns(text) == columns


@pytest.mark.parametrize("text", ["id", "=x", "id=a,id=b", "id='a' x"])
def test_columns_that_are_no_pairs_are_refused(text: str) -> None:
    with pytest.raises(Misuse, match="--columns"):
        parse_columns(text)
