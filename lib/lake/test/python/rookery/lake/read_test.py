import pickle  # nosec B403
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from rookery.lake import BlockRefused, Lake, LakeDamaged, _filesystem, _snapshot
from rookery.lake._model import PARTS
from rookery.records import POST

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def filled(lake: Lake, samples: Any) -> Lake:
    for first in (1, 11, 21):
        lake.posts.commit(samples.posts_block(first, first + 9))
        lake.matches.commit(samples.matches_block(first, first + 9))
    return lake


def test_an_empty_lake_has_empty_tables(url: str) -> None:
    snapshot = Lake.open(url).posts.snapshot()
    assert (snapshot.watermark, snapshot.epoch, snapshot.commits) == (0, None, ())
    assert snapshot.table("posts").equals(POST.empty_table())
    assert snapshot.dataset("posts").count_rows() == 0
    assert snapshot.rows("posts") == 0
    assert snapshot.recent_ids("files", 10) == []


@pytest.mark.parametrize(
    ("start", "end", "expected", "files"),
    [
        (None, None, range(1, 31), 3),
        (after(11), None, range(11, 31), 2),
        (after(10.5), after(11), (), 0),
        (after(5), after(12), range(5, 12), 2),
        (after(30), None, (30,), 1),
        (after(31), None, (), 0),
        (None, after(1), (), 0),
        (None, after(1.5), (1,), 1),
    ],
)
def test_only_rows_and_files_of_a_stretch_of_time_are_read(
    filled: Lake,
    start: datetime | None,
    end: datetime | None,
    expected: Sequence[int],
    files: int,
) -> None:
    snapshot = filled.posts.snapshot()
    table = snapshot.table("posts", columns=["id"], start=start, end=end)
    assert table["id"].to_pylist() == [f"files:{n}" for n in expected]
    pruned = snapshot.dataset("posts", start=start, end=end)
    assert len(getattr(pruned, "files", [])) == files
    cube = filled.matches.snapshot().table("cube", start=start, end=end)
    assert cube.num_rows == 2 * len(expected)


def test_a_row_of_the_cube_is_found_by_its_minute(lake: Lake, samples: Any) -> None:
    posts = samples.matches(1)
    late = posts.set_column(
        posts.schema.get_field_index("created_at"),
        posts.schema.field("created_at"),
        pa.array([after(1.9)], pa.timestamp("us", "UTC")),
    )
    block = samples.matches_block(1)
    lake.matches.commit(
        type(block)(
            block.epoch, 1, 1, {"matches": late, "cube": samples.cube(1)}, origin=1
        )
    )
    snapshot = lake.matches.snapshot()
    found = snapshot.table("cube", start=after(1), end=after(1.5))
    assert found.equals(samples.cube(1))
    assert snapshot.table("matches", start=after(1), end=after(1.5)).num_rows == 0


def test_a_post_whose_time_is_suspect_is_found_under_its_ingest(
    lake: Lake, samples: Any
) -> None:
    rows = [samples.post(1), samples.post(2) | {"time_suspect": True}]
    block = samples.posts_block(1)
    parts = {"posts": pa.Table.from_pylist(rows, schema=POST)}
    commit = lake.posts.commit(type(block)("e1", 1, 1, parts, origin=1))
    assert (commit.first_event, commit.last_event) == (
        after(1),
        NOON + timedelta(days=1),
    )
    snapshot = lake.posts.snapshot()
    counted = snapshot.table("posts", start=NOON + timedelta(days=1))
    assert counted["id"].to_pylist() == ["files:2"]
    assert snapshot.table("posts", end=after(60))["id"].to_pylist() == ["files:1"]


def test_a_snapshot_can_end_at_an_earlier_sequence(filled: Lake) -> None:
    snapshot = filled.posts.snapshot(at=25)
    assert snapshot.watermark == 20
    assert snapshot.rows("posts") == 20
    assert filled.posts.snapshot(at=20).commits == snapshot.commits
    assert filled.posts.snapshot(at=9).watermark == 0
    assert filled.posts.snapshot(at=9).commits == ()
    assert filled.posts.snapshot(at=99).commits == filled.posts.snapshot().commits


def test_a_snapshot_does_not_change(filled: Lake, samples: Any) -> None:
    snapshot = filled.posts.snapshot()
    filled.posts.commit(samples.posts_block(31))
    assert snapshot.watermark == 30
    assert snapshot.table("posts").num_rows == 30
    assert filled.posts.snapshot().table("posts").num_rows == 31


def test_files_without_a_commit_are_not_read(filled: Lake) -> None:
    first, *_ = filled.posts.snapshot().commits
    data = filled.store.get(first.files[0].path)
    assert data is not None
    assert filled.store.create("posts/data/posts/2026-03-02/orphan.parquet", data)
    assert filled.posts.snapshot().table("posts").num_rows == 30


def test_duckdb_reads_a_dataset(filled: Lake) -> None:
    posts = filled.posts.snapshot().dataset("posts")
    connection = duckdb.connect()
    connection.register("posts", posts)
    found = connection.execute("SELECT count(*), min(id) FROM posts").fetchall()
    assert found == [(30, "files:1")]


def test_a_long_chain_is_read_whole_by_another_process(
    lake: Lake, url: str, samples: Any
) -> None:
    for n in range(1, 41):
        lake.posts.commit(type(samples.posts_block(1))("e1", n, n, {}, origin=n))
    other = Lake.open(url)
    assert other.posts.snapshot().commits == lake.posts.snapshot().commits
    assert other.posts.watermark() == 40


def test_looking_for_news_asks_for_one_name_whatever_the_length_of_the_chain(
    filled: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.posts.snapshot()
    asked: list[str] = []
    get = filled.store.get

    def record(path: str) -> bytes | None:
        asked.append(path)
        return get(path)

    def refuse(folder: str, *, after: str | None = None) -> None:
        raise AssertionError(f"{folder} was listed")

    monkeypatch.setattr(filled.store, "get", record)
    monkeypatch.setattr(filled.store, "list", refuse)
    filled.posts.snapshot()
    assert [path for path in asked if "/commits/" in path] == [
        f"posts/commits/e1/{31:020}.json"
    ]


def test_a_part_is_read_piece_by_piece(filled: Lake, samples: Any) -> None:
    snapshot = filled.posts.snapshot()
    pieces = list(snapshot.batches("posts"))
    assert len(pieces) == 3
    assert pa.Table.from_batches(pieces).equals(samples.posts(*range(1, 31)))
    ids = [
        id_
        for piece in snapshot.batches("posts", columns=["id"], start=after(29))
        for id_ in piece["id"].to_pylist()
    ]
    assert ids == ["files:29", "files:30"]


def test_a_snapshot_can_be_sent_to_another_process(filled: Lake, samples: Any) -> None:
    snapshot = filled.posts.snapshot()
    sent = pickle.loads(pickle.dumps(snapshot))  # nosec B301
    assert sent == snapshot
    assert sent.table("posts").equals(samples.posts(*range(1, 31)))


@pytest.mark.integration
def test_a_large_file_of_a_bucket_is_read_in_ranges(
    s3: str, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake.open(s3)
    lake.open_epoch("e1", starts={"posts": 1, "matches": 1})
    lake.posts.commit(samples.posts_block(1, 500))
    monkeypatch.setattr(_filesystem, "WHOLE_BYTES", 100)
    snapshot = lake.posts.snapshot()
    assert snapshot.table("posts").equals(samples.posts(*range(1, 501)))
    assert snapshot.table("posts", columns=["id"]).num_rows == 500


def test_an_unknown_part_is_refused(filled: Lake) -> None:
    snapshot = filled.posts.snapshot()
    for use in (snapshot.table, snapshot.dataset, snapshot.rows):
        with pytest.raises(BlockRefused, match="no part 'cube': it has posts"):
            use("cube")


def test_a_committed_file_that_is_missing_is_named(filled: Lake) -> None:
    snapshot = filled.posts.snapshot()
    path = snapshot.commits[1].files[0].path
    filled.store.delete(path)
    name = path.rpartition("/")[2]
    with pytest.raises(LakeDamaged, match=f"missing.*{name}.*lake check"):
        snapshot.table("posts")
    with pytest.raises(LakeDamaged, match=f"missing.*{name}.*lake check"):
        snapshot.recent_ids("files", 30)


@pytest.mark.parametrize("keep", [0, 3, 200])
def test_a_committed_file_that_is_cut_short_is_damage(filled: Lake, keep: int) -> None:
    snapshot = filled.posts.snapshot()
    file = snapshot.commits[1].files[0]
    data = filled.store.get(file.path)
    assert data is not None
    filled.store.delete(file.path)
    filled.store.create(file.path, data[:keep])
    with pytest.raises(LakeDamaged, match="lake check"):
        snapshot.table("posts")


def test_bytes_that_changed_inside_a_file_are_damage(filled: Lake) -> None:
    snapshot = filled.posts.snapshot()
    file = snapshot.commits[1].files[0]
    data = bytearray(filled.store.get(file.path) or b"")
    data[4:400] = bytes(396)
    filled.store.delete(file.path)
    filled.store.create(file.path, bytes(data))
    with pytest.raises(LakeDamaged, match="lake check"):
        snapshot.table("posts")


def test_an_old_file_without_a_newer_column_reads_as_null(
    filled: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = POST.append(pa.field("place", pa.string()))
    newer_parts = {**PARTS, "posts": {"posts": newer}}
    monkeypatch.setattr(_snapshot, "PARTS", newer_parts)
    table = filled.posts.snapshot().table("posts", columns=["id", "place"])
    assert table["place"].null_count == 30
    assert table["id"].null_count == 0
