"""`match backtest` over files and lakes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
import pytest_asyncio

from rookery.bus import testing
from rookery.lake import Block, Lake
from rookery.matching import MatchingError, RuleSet, backtests
from rookery.matching._commands._backtest_shown import share, sparkline
from rookery.matching._commands._history import (
    History,
    Stretch,
    open_history,
    parse_moment,
)
from rookery.matching._commands._input import Misuse, Reading, Unreadable
from rookery.matching._commands._rejections import Rejections
from rookery.matching.cli import app
from rookery.records import CUBE, MATCH, POST, concat
from rookery.records.testing import match_batch, post_batch
from rookery.service.testing import run_module

pytestmark = pytest.mark.integration

FIRST = datetime(2024, 5, 1, tzinfo=UTC)
RULES = """\
fires = "big fire" OR burning
drill
by = from:ann fire
never = zzz
"""


def history(days: int = 4, a_day: int = 60) -> list[dict[str, Any]]:
    texts = ["a big fire", "burning drill", "quiet", "fire", "nothing", "at all"]
    return [
        {
            "id": f"t:{day}-{n}",
            "text": texts[n % len(texts)] if n < 30 + day else "silence",
            "author": "Ann" if n % 2 else "bob",
            "created_at": FIRST + timedelta(days=day, minutes=n),
            "ingested_at": FIRST + timedelta(days=10),
        }
        for day in range(days)
        for n in range(a_day)
    ]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROOKERY_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("ROOKERY_LAKE", raising=False)
    Path("rules.txt").write_text(RULES)
    with Path("posts.jsonl").open("w") as file:
        for row in history():
            kept = ("id", "text", "author", "created_at")
            file.write(
                json.dumps({name: row[name] for name in kept}, default=str) + "\n"
            )
    return tmp_path


def make_lake(path: Path, *, part: str = "posts", days: int = 4) -> str:
    """Archives each day as a block of its own."""
    lake = Lake.open(path.as_uri())
    lake.open_epoch("e", starts={"posts": 1, "matches": 1})
    for day in range(days):
        rows = [r for r in history() if (r["created_at"] - FIRST).days == day]
        if part == "posts":
            parts = {"posts": pa.Table.from_batches([post_batch(rows)], POST)}
            dataset = lake.posts
        else:
            matches = match_batch([row | {"rules": ["r"]} for row in rows])
            parts = {
                "matches": pa.Table.from_batches([matches], MATCH),
                "cube": CUBE.empty_table(),
            }
            dataset = lake.matches
        dataset.commit(Block("e", day + 1, day + 1, parts, day + 1, {}, len(rows)))
    return path.as_uri()


def run(*arguments: object) -> int:
    given = ["backtest", *map(str, arguments)]
    result = app(given, standalone_mode=False)
    return result if isinstance(result, int) else 0


def told(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_files_and_lakes_tell_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lake = make_lake(tmp_path / "a lake")
    pyarrow.parquet.write_table(
        pa.Table.from_batches([post_batch(history())]), "posts.parquet"
    )
    expected = backtests(RuleSet.parse(RULES.splitlines()), [post_batch(history())])
    every = []
    for over in (
        ["--over", "posts.jsonl"],
        ["--over", "posts.j*"],
        ["--over", "posts.parquet"],
        ["--over", lake],
        ["--over", tmp_path / "a lake"],
    ):
        assert run("rules.txt", *over, "--json", "--samples", "2") == 1
        every.append(told(capfd))
    for found in every:
        assert [one["rule"] for one in found] == ["fires", "drill", "by", "never"]
        for one in found:
            (number,) = (
                at for at, r in enumerate(expected.rules.rules) if r.id == one["rule"]
            )
            alone = expected[number]
            assert (one["posts"], one["matched"]) == (alone.posts, alone.matched)
            assert (one["new"], one["share"]) == (alone.new, alone.share)
            assert one["flood"] is alone.is_flood
            assert [(d["day"], d["matched"], d["posts"]) for d in one["days"]] == [
                (str(d.day), d.matched, d.posts) for d in alone.days if d.matched
            ]
            assert {o["rule"]: o["posts"] for o in one["overlaps"]} == dict(
                alone.overlaps
            )
            assert len(one["samples"]) == min(2, alone.matched)
    assert every[0][0]["matched"] == 45


def test_a_lake_is_read_within_a_stretch_of_time_and_no_more_of_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = make_lake(tmp_path / "lake")
    since, until = "2024-05-02", "2024-05-03T00:30"
    for over in (url, "posts.jsonl"):
        run("rules.txt", "--over", over, "--since", since, "--until", until, "--json")
        found = told(capfd)
        assert found[0]["posts"] == 60 + 30
        assert [day["day"] for day in found[0]["days"]] == ["2024-05-02", "2024-05-03"]
    # The files of the other days are not needed, so they may be lost.
    files = sorted((tmp_path / "lake/posts/data").rglob("*.parquet"))
    assert len(files) == 4
    for file in files:
        table = pyarrow.parquet.read_table(file, columns=["created_at"])
        if table["created_at"][0].as_py() < FIRST + timedelta(days=1):
            file.unlink()
    assert run("rules.txt", "--over", url, "--since", since, "--json") == 1
    assert told(capfd)[0]["posts"] == 180


def reading() -> Reading:
    return Reading(None, {}, None, None, datetime.now(UTC))


def batches(history: History) -> tuple[list[pa.RecordBatch], int]:
    counted: list[int] = []
    found = list(history.batches(counted.append, Rejections(print)))
    return found, sum(counted)


@pytest.mark.parametrize(
    ("rule", "columns"),
    [("fire", ["author"]), ("lang:en fire", ["author", "language"])],
)
def test_columns_that_no_rule_asks_for_are_not_read(
    rule: str, columns: list[str], tmp_path: Path
) -> None:
    url = make_lake(tmp_path / "lake")
    for file in (tmp_path / "lake/posts/data").rglob("*.parquet"):
        table = pyarrow.parquet.read_table(file)
        for name in ("likes", *({"language"} - set(columns))):
            at = table.schema.get_field_index(name)
            table = table.set_column(at, name, [["not a number"] * len(table)])
        pyarrow.parquet.write_table(table, file)
    opened = open_history([url], RuleSet.parse([rule]), reading(), Stretch())
    found, counted = batches(opened)
    assert (opened.total, opened.unit, counted) == (240, "posts", 240)
    assert concat(found, POST).column("id").to_pylist() == [r["id"] for r in history()]


def test_a_lake_of_matches_alone_is_looked_at_with_a_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = make_lake(tmp_path / "lake", part="matches", days=1)
    run("rules.txt", "--over", url, "--json")
    said = capfd.readouterr()
    assert json.loads(said.out.splitlines()[0])["posts"] == 60
    assert "has only posts that rules in force matched" in said.err


def test_the_lake_of_the_settings_is_the_default(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Unreadable, match="there is no lake, or nothing was archived"):
        run("rules.txt")
    make_lake(tmp_path / "state/lake", days=2)
    run("rules.txt", "--json")
    assert told(capfd)[0]["posts"] == 120


def test_one_rule_is_shown_with_all_that_is_known(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = run(
        "rules.txt", "--rule", "drill", "--over", "posts.jsonl", "--samples", "1"
    )
    assert code == 1
    said = capfd.readouterr()
    shown = said.out.splitlines()
    assert shown[:4] == [
        "drill",
        "  22 of 240 posts match, 9.2 %, 5.5 a day",
        "  it would flood: 9.2 % of all posts",
        "  by day, 2024-05-01 to 2024-05-04: ▇▇██",
    ]
    assert [line.split()[:4] for line in shown[4:8]] == [
        ["2024-05-01", "5", "8.3", "%"],
        ["2024-05-02", "5", "8.3", "%"],
        ["2024-05-03", "6", "10", "%"],
        ["2024-05-04", "6", "10", "%"],
    ]
    assert shown[8].strip() == "for example"
    assert "burning drill" in shown[9]
    assert said.err == ""


def test_many_rules_are_a_table_of_which_the_first_are_shown(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert (
        run("rules.txt", "--over", "posts.jsonl", "--limit", "2", "--flood", "50") == 0
    )
    shown = capfd.readouterr().out.splitlines()
    assert shown[0].split()[:4] == ["rule", "matches", "share", "new"]
    assert shown[1].split()[:5] == ["fires", "45", "19", "%", "23"]
    assert '"big fire" OR burning' in shown[1]
    assert shown[2].split()[:5] == ["drill", "22", "9.2", "%", "0"]
    assert "fires 100 %" in shown[2]
    assert shown[3].startswith("2 more rules match no more than these")
    assert shown[4] == "65 of 240 posts in 4 days match one of 4 rules; 1 match none"


def test_details_are_shown_of_many_rules_on_demand(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run("rules.txt", "posts.jsonl", "--details", "--samples", "0")
    shown = capfd.readouterr().out
    for rule in RuleSet.parse(RULES.splitlines()).rules:
        assert f"\n{rule.id}" in f"\n{shown}"
    assert "  0 of 240 posts match, 0 %" in shown
    assert "  0 are new; 22 (100 %) other rules match too" in shown


def test_rules_may_come_on_standard_input() -> None:
    done = run_module(
        "rookery.matching",
        *("backtest", "-", "--over", "posts.jsonl", "--json"),
        input="x = quiet\n",
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["matched"] == 21


def test_other_rules_are_compared_with(capfd: pytest.CaptureFixture[str]) -> None:
    Path("known.txt").write_text("drill = burning\nbig\n")
    over = ("--over", "posts.jsonl", "--existing", "known.txt", "--json")
    run("rules.txt", "--rule", "fires", "--rule", "drill", *over)
    fires, drill = told(capfd)
    assert {one["rule"]: one["posts"] for one in fires["overlaps"]} == {
        "drill": 22,
        "big": 23,
    }
    assert fires["new"] == 0
    # It does not overlap with what it would replace.
    assert (drill["overlaps"], drill["new"]) == ([], 22)


def test_bad_records_are_passed_over_and_counted(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Path("posts.jsonl").open("a") as file:
        file.write("null\n" * 12)
    run("rules.txt", "posts.jsonl", "--json")
    said = capfd.readouterr()
    assert json.loads(said.out.splitlines()[0])["posts"] == 240
    assert "posts.jsonl:241: the line is no post" in said.err
    assert said.err.splitlines()[-2] == "12 records are no posts:"


def test_no_posts_give_no_shares(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("rules.txt", "posts.jsonl", "--since", "1h") == 0
    said = capfd.readouterr()
    assert "there are no posts to look at" in said.err
    assert "0 of 0 posts match" in said.out


MISTAKES: list[tuple[list[str], type[MatchingError], str]] = [
    (["rules.txt", "--over", "nosuch.jsonl"], Unreadable, "there is no such file"),
    (
        ["rules.txt", "--over", "nosuch*"],
        Unreadable,
        r"nosuch\*: there is no such file",
    ),
    (["rules.txt", "--over", "."], Misuse, "is a folder, but no lake"),
    (["rules.txt", "--over", "file:///nosuch/lake"], Unreadable, "there is no lake"),
    (["rules.txt", "--over", "file:///a", "posts.jsonl"], Misuse, "nothing beside"),
    (["rules.txt", "posts.jsonl", "--rule", "fire"], Misuse, "did you mean 'fires'"),
    (["rules.txt", "posts.jsonl", "--since", "soon"], Misuse, "--since: 'soon' is no"),
    (["rules.txt", "posts.jsonl", "--until", "999999w"], Misuse, "before all times"),
    (["-", "-"], Misuse, "rules or the posts, and not both"),
    (["empty.txt", "posts.jsonl"], MatchingError, "there are no rules in it"),
    (["nosuch.txt", "posts.jsonl"], MatchingError, "nosuch.txt: cannot be read"),
    (
        ["rules.txt", "posts.jsonl", "--in-force", "--existing", "rules.txt"],
        Misuse,
        "name one",
    ),
]


@pytest.mark.parametrize(("arguments", "kind", "says"), MISTAKES)
def test_a_mistake_is_one_clear_line(
    arguments: list[str], kind: type[MatchingError], says: str
) -> None:
    Path("empty.txt").write_text("# nothing\n")
    with pytest.raises(kind, match=says) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)


NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, None),
        ("2024-05-01", FIRST),
        ("2024-05-01T02:00+02:00", FIRST),
        (" 2024-05-01T00:00:00Z ", FIRST),
        ("7d", NOW - timedelta(days=7)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2w", NOW - timedelta(days=14)),
    ],
)
def test_a_moment_is_a_time_or_how_long_ago(
    text: str | None, moment: datetime | None
) -> None:
    assert parse_moment(text, "--since", NOW) == moment


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.124, "12 %"),
        (0.0994, "9.9 %"),
        (0.0012345, "0.12 %"),
        (0.00001, "0.0010 %"),
        (1e-9, "< 0.0001 %"),
    ],
)
def test_a_share_is_told_with_two_digits(part: float, text: str) -> None:
    assert share(part) == text


@pytest.mark.parametrize(
    ("counts", "bars"),
    [
        ([], ""),
        ([0, 0], "··"),
        ([1, 4, 8, 0], "▂▅█·"),
        ([1000, 1], "█▁"),
        (list(range(100)), None),
    ],
)
def test_counts_are_drawn_as_bars(counts: list[int], bars: str | None) -> None:
    drawn = sparkline(counts)
    if bars is None:
        assert len(drawn) == 28
        assert drawn == "".join(sorted(drawn))
    else:
        assert drawn == bars


@pytest_asyncio.fixture
async def state(tmp_path: Path) -> AsyncIterator[Path]:
    async with testing.server(tmp_path / "state") as server:
        yield server.state


@pytest.mark.asyncio
async def test_rules_in_force_are_compared_with(state: Path) -> None:
    env = {"ROOKERY_STATE": str(state), "ROOKERY_BUS": ""}
    arguments = ("backtest", "rules.txt", "posts.jsonl", "--in-force", "--json")
    none = run_module("rookery.matching", *arguments, env=env)
    assert [one["overlaps"] for one in map(json.loads, none.stdout.splitlines())] == [
        [],
        [],
        [],
        [],
    ]
    Path("known.txt").write_text("known = burning\n")
    put = run_module("rookery.matching", "rules", "put", "known.txt", env=env)
    assert put.returncode == 0
    done = run_module("rookery.matching", *arguments, env=env)
    fires = json.loads(done.stdout.splitlines()[0])
    assert [(one["rule"], one["posts"]) for one in fires["overlaps"]] == [("known", 22)]
