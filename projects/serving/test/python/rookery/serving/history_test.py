"""What the lake has committed, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from rookery.lake import Block, Lake
from rookery.matching import RuleSet
from rookery.operators import cube
from rookery.serving._counts import Dimension
from rookery.serving._cubes import Cubes
from rookery.serving._filters import Filter
from rookery.serving._history import History, add_part, opened
from rookery.serving._parts import Names, Part, merged_part
from rookery.serving.testing import NOON, RULES, made_up, matched, post

RULE_SET = RuleSet.parse(RULES)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake.open(tmp_path.as_uri())
    lake.open_epoch("first", starts={"posts": 1, "matches": 1})
    return lake


def commit(lake: Lake, batch: pa.RecordBatch) -> None:
    first = lake.matches.watermark() + 1
    parts = {
        "matches": pa.Table.from_batches([batch]),
        "cube": pa.Table.from_batches([cube(batch)]),
    }
    lake.matches.commit(Block("first", first, first, parts, first, {}))


def answers(history: History) -> tuple[object, ...]:
    cubes = Cubes(history.names, history.parts)
    return (
        cubes.totals(Filter()),
        cubes.ranking(Filter(), by=Dimension.RULE),
        cubes.ranking(Filter(), by=Dimension.LANGUAGE),
        cubes.volume(Filter(), by=Dimension.RULE, width=10),
    )


def test_following_a_lake_gives_what_reading_it_at_once_gives(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rookery.serving._history.READ_ROWS", 50)
    history = opened(lake.matches, Names())
    posts = 0
    for number in range(9):
        batch = matched(made_up(40, seed=number + 1), RULE_SET)
        posts += batch.num_rows
        commit(lake, batch)
        if number % 3 != 1:
            history = history.advance(lake.matches.snapshot())
    assert answers(history) == answers(opened(lake.matches, Names()))
    assert Cubes(history.names, history.parts).totals(Filter()).posts == posts
    assert history.watermark == 9


def test_nothing_is_done_where_nothing_was_committed(lake: Lake) -> None:
    commit(lake, matched(made_up(10), RULE_SET))
    history = opened(lake.matches, Names())
    assert history.advance(lake.matches.snapshot()) is history


def test_counts_begin_anew_where_commits_were_replaced(lake: Lake) -> None:
    for number in range(3):
        commit(lake, matched(made_up(30, seed=number + 1), RULE_SET))
    snapshot = lake.matches.snapshot()
    # As after a compaction: what was counted is not among the commits.
    history = History(Names(), replace(snapshot), (), frozenset({"replaced"}))
    assert answers(history.advance(snapshot)) == answers(opened(lake.matches, Names()))


def test_parts_stay_few_however_many_are_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rookery.serving._history.SEALED_ROWS", 5_000)
    names = Names()
    parts: tuple[Part, ...] = ()
    for number in range(60):
        table = _coded(names, minute=10 * number, rows=10)
        parts = add_part(parts, merged_part([table]))
    assert len(parts) <= 6
    assert sum(part.rows for part in parts) == 60 * 10
    assert Cubes(names, parts).totals(Filter()).posts == 60 * 10


def _coded(names: Names, *, minute: int, rows: int) -> pa.Table:
    from rookery.serving._parts import encode

    at = [NOON + timedelta(minutes=minute + row) for row in range(rows)]
    found = matched([post(row, at[row], "storm") for row in range(rows)], RULE_SET)
    coded = encode(cube(found), names)
    return coded.filter(pa.compute.equal(coded["rule"], pa.scalar(-1, pa.int32())))


@pytest.mark.parametrize(
    ("minutes", "blocks"),
    [([0], [0]), ([1], []), ([10, 21], [1, 2]), ([20], [2]), ([-5, 99], [])],
)
def test_only_the_commits_around_some_minutes_are_read(
    lake: Lake, minutes: Sequence[int], blocks: Sequence[int]
) -> None:
    for number in range(3):
        times = [
            NOON + timedelta(minutes=10 * number + extra) for extra in range(number)
        ]
        rows = [post(n, at, "storm") for n, at in enumerate([NOON, *times][-number:])]
        if not number:
            rows = [post(0, NOON, "storm")]
        commit(lake, matched(rows, RULE_SET))
    history = opened(lake.matches, Names())
    origin = int(NOON.timestamp()) // 60
    found = history.around([origin + minute for minute in minutes])
    assert [commit.first - 1 for commit in found.commits] == blocks


def test_a_block_without_posts_is_never_read_for_posts(lake: Lake) -> None:
    commit(lake, matched([post(1, NOON, "nothing at all")], RULE_SET))
    history = opened(lake.matches, Names())
    epoch = int(datetime(1970, 1, 1, tzinfo=UTC).timestamp())
    assert history.around([epoch]).commits == ()
    assert answers(history)[0] == Cubes(Names()).totals(Filter())
