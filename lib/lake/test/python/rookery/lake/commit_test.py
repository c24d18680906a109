from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from rookery.lake import (
    Block,
    BlockRefused,
    CommitConflict,
    EpochMismatch,
    Lake,
    LakeUnavailable,
    _dataset,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_what_is_committed_is_read_back_in_the_order_of_the_log(
    lake: Lake, samples: Any
) -> None:
    lake.posts.commit(samples.posts_block(1, 3))
    lake.posts.commit(samples.posts_block(4))
    snapshot = lake.posts.snapshot()
    assert snapshot.watermark == 4
    assert snapshot.epoch == "e1"
    assert snapshot.rows("posts") == 4
    assert snapshot.table("posts").equals(samples.posts(1, 2, 3, 4))


def test_every_part_of_a_block_is_committed_at_once(lake: Lake, samples: Any) -> None:
    lake.matches.commit(samples.matches_block(1, 2))
    snapshot = lake.matches.snapshot()
    assert snapshot.table("matches").equals(samples.matches(1, 2))
    assert snapshot.table("cube").equals(samples.cube(1, 2))
    assert [snapshot.rows(part) for part in ("matches", "cube")] == [2, 4]


def test_a_commit_says_what_it_holds(lake: Lake, samples: Any) -> None:
    before = datetime.now(UTC)
    commit = lake.matches.commit(samples.matches_block(1, 5))
    assert (commit.dataset, commit.epoch) == ("matches", "e1")
    assert (commit.first, commit.last, commit.origin, commit.posts) == (1, 5, 5, 10)
    assert commit.rows == {"matches": 5, "cube": 10}
    assert [file.part for file in commit.files] == ["matches", "cube"]
    assert commit.first_event == NOON + timedelta(minutes=1)
    assert commit.last_event == NOON + timedelta(minutes=5)
    assert before <= commit.committed_at <= datetime.now(UTC)
    assert commit.generation == 0
    assert len(commit.checksum) == 64
    assert lake.matches.snapshot().commits == (commit,)


def test_another_process_sees_a_commit(lake: Lake, url: str, samples: Any) -> None:
    other = Lake.open(url)
    assert other.posts.watermark() == 0
    commit = lake.posts.commit(samples.posts_block(1, 2))
    assert other.posts.watermark() == 2
    assert other.posts.snapshot().commits == (commit,)


def test_a_block_that_another_writer_has_committed_is_refused(
    lake: Lake, url: str, samples: Any
) -> None:
    other = Lake.open(url)
    assert other.posts.watermark() == 0
    lake.posts.commit(samples.posts_block(1, 2))
    with pytest.raises(CommitConflict, match="go on behind the watermark"):
        other.posts.commit(samples.posts_block(1, 3))
    assert other.posts.watermark() == 2
    other.posts.commit(samples.posts_block(3))
    assert lake.posts.watermark() == 3


def test_the_loser_of_a_race_leaves_no_files(
    lake: Lake, url: str, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Lake.open(url)
    create = other.store.create

    def create_late(path: str, data: bytes) -> bool:
        if "/commits/" in path:
            lake.matches.commit(samples.matches_block(1))
        return create(path, data)

    monkeypatch.setattr(other.store, "create", create_late)
    with pytest.raises(CommitConflict):
        other.matches.commit(samples.matches_block(1))
    data = {entry.path for entry in lake.store.list("matches/data")}
    (commit,) = lake.matches.snapshot().commits
    assert data == {file.path for file in commit.files}


def test_a_commit_that_is_there_because_its_answer_was_lost_succeeds(
    lake: Lake, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = lake.store.create

    def create_twice(path: str, data: bytes) -> bool:
        # What a client does that repeats a request after a broken connection.
        create(path, data)
        return create(path, data)

    monkeypatch.setattr(lake.store, "create", create_twice)
    commit = lake.posts.commit(samples.posts_block(1))
    assert lake.posts.snapshot().commits == (commit,)
    assert lake.posts.snapshot().table("posts").equals(samples.posts(1))


def test_a_writer_that_slept_does_not_commit_files_that_may_be_swept_away(
    lake: Lake, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(_dataset, "GRACE", timedelta(0))
        with pytest.raises(LakeUnavailable, match="took too long: try again"):
            lake.posts.commit(samples.posts_block(1))
    assert lake.store.list("posts") == []
    lake.posts.commit(samples.posts_block(1))
    assert lake.posts.watermark() == 1


def test_a_block_without_rows_covers_its_sequences(lake: Lake, samples: Any) -> None:
    empty = Block("e1", 1, 7, {}, origin=0)
    commit = lake.matches.commit(empty)
    assert commit.files == ()
    assert commit.rows == {"matches": 0, "cube": 0}
    assert commit.first_event is None
    assert lake.matches.watermark() == 7
    assert lake.matches.snapshot().table("cube").equals(samples.cube())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first": 3, "last": 3}, "begins at sequence 3, but the next one .* is 1"),
        ({"first": 1, "last": 0}, "cannot go from sequence 1 to 0"),
        ({"first": 0, "last": 0}, "cannot go from sequence 0 to 0"),
        ({"parts": {"cube": pa.table({"a": [1]})}}, "no part cube: it has posts"),
        ({"parts": {"posts": pa.table({"a": [1]})}}, "has the columns .a int64., not"),
    ],
)
def test_a_block_that_does_not_fit_is_refused(
    lake: Lake, samples: Any, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(BlockRefused, match=message):
        lake.posts.commit(replace(samples.posts_block(1), **change))
    assert lake.posts.watermark() == 0
    assert lake.store.list("posts") == []


def test_a_block_of_another_epoch_is_refused(lake: Lake, samples: Any) -> None:
    with pytest.raises(EpochMismatch, match="log of epoch e1, not e0.*repair --lake"):
        lake.posts.commit(replace(samples.posts_block(1), epoch="e0"))


def test_files_lie_under_the_day_of_their_earliest_ingest(
    lake: Lake, samples: Any
) -> None:
    (file,) = lake.posts.commit(samples.posts_block(1)).files
    assert file.path.startswith("posts/data/posts/2026-03-02/")


def test_a_position_is_the_last_committed_one_of_its_source(
    lake: Lake, samples: Any
) -> None:
    assert lake.posts.position("files") is None
    lake.posts.commit(samples.posts_block(1, 2))
    lake.posts.commit(samples.posts_block(3, source="other"))
    assert lake.posts.position("files") == b"2"
    assert lake.posts.position("other") == b"3"
    lake.posts.commit(samples.posts_block(4))
    assert lake.posts.position("files") == b"4"


def test_positions_are_any_bytes(lake: Lake, url: str, samples: Any) -> None:
    position = bytes(range(256))
    block = replace(samples.posts_block(1), positions={"files": position})
    lake.posts.commit(block)
    assert Lake.open(url).posts.position("files") == position


def test_the_newest_ids_of_a_source_are_read_newest_last(
    lake: Lake, samples: Any
) -> None:
    lake.posts.commit(samples.posts_block(1, 3))
    lake.posts.commit(samples.posts_block(4, 5, source="other"))
    lake.posts.commit(samples.posts_block(6, 8))
    snapshot = lake.posts.snapshot()
    assert snapshot.recent_ids("files", 4) == [f"files:{n}" for n in (3, 6, 7, 8)]
    assert snapshot.recent_ids("files", 100) == [
        f"files:{n}" for n in (1, 2, 3, 6, 7, 8)
    ]
    assert snapshot.recent_ids("files", 0) == []
    assert snapshot.recent_ids("nobody", 9) == []
