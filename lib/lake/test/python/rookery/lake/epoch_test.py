from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rookery.lake import (
    CommitConflict,
    EpochMismatch,
    Lake,
    LakeConfiguration,
    LakeDamaged,
)

STARTS = {"posts": 1, "matches": 1}


def test_an_empty_lake_has_no_epoch(url: str) -> None:
    lake = Lake.open(url)
    assert lake.epochs() == []
    assert lake.current_epoch() is None
    assert lake.posts.watermark() == 0


def test_an_epoch_begins_where_it_is_told(url: str) -> None:
    lake = Lake.open(url)
    opened = lake.open_epoch("e1", starts={"posts": 101, "matches": 51})
    assert (opened.n, opened.epoch, opened.closed) == (1, "e1", None)
    assert lake.current_epoch() == opened
    assert Lake.open(url).epochs() == [opened]
    assert lake.posts.watermark() == 100
    assert lake.posts.snapshot().watermark == 100
    assert lake.matches.watermark() == 50


def test_opening_the_current_epoch_again_keeps_its_starts(url: str) -> None:
    lake = Lake.open(url)
    opened = lake.open_epoch("e1", starts=STARTS)
    assert Lake.open(url).open_epoch("e1", starts={"posts": 9, "matches": 9}) == opened


def test_a_second_epoch_is_refused_while_the_first_is_open(lake: Lake) -> None:
    with pytest.raises(EpochMismatch, match="epoch e1, not e2.*lake repair --lake"):
        lake.open_epoch("e2", starts=STARTS)


def test_of_two_writers_that_open_an_epoch_at_once_one_decides(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, other = Lake.open(url), Lake.open(url)
    create = other.store.create

    def create_late(path: str, data: bytes) -> bool:
        lake.open_epoch("e1", starts=STARTS)
        return create(path, data)

    monkeypatch.setattr(other.store, "create", create_late)
    with pytest.raises(EpochMismatch, match="epoch e1, not e2"):
        other.open_epoch("e2", starts=STARTS)
    assert [epoch.epoch for epoch in lake.epochs()] == ["e1"]


def test_a_closed_epoch_stays_readable_and_the_next_one_follows_it(
    lake: Lake, url: str, samples: Any
) -> None:
    lake.posts.commit(samples.posts_block(1, 5))
    lake.close_epoch("the disk was lost")
    assert lake.current_epoch() is None
    assert lake.posts.watermark() == 0
    closed = lake.posts.snapshot()
    assert (closed.epoch, closed.watermark, closed.rows("posts")) == ("e1", 5, 5)
    opened = lake.open_epoch("e2", starts={"posts": 1, "matches": 4})
    assert opened.n == 2
    assert lake.posts.position("files") == b"5"
    lake.posts.commit(replace(samples.posts_block(1, 2), epoch="e2"))
    for reader in (lake, Lake.open(url)):
        snapshot = reader.posts.snapshot()
        assert (snapshot.epoch, snapshot.watermark) == ("e2", 2)
        ids = snapshot.table("posts")["id"].to_pylist()
        assert ids == [f"files:{n}" for n in (1, 2, 3, 4, 5, 1, 2)]
        assert reader.posts.position("files") == b"2"
        assert [epoch.closed for epoch in reader.epochs()] == [
            "the disk was lost",
            None,
        ]
    # Earlier epochs are whole, whatever sequence of the present one is asked for.
    assert lake.posts.snapshot(at=1).rows("posts") == 5


def test_nothing_can_be_committed_to_a_closed_epoch(
    lake: Lake, url: str, samples: Any
) -> None:
    late = Lake.open(url)
    assert late.posts.watermark() == 0
    lake.close_epoch("gone")
    with pytest.raises(EpochMismatch, match="no epoch of .* is open"):
        late.posts.commit(samples.posts_block(1))
    lake.open_epoch("e2", starts=STARTS)
    with pytest.raises(EpochMismatch, match="epoch e2, not e1"):
        late.posts.commit(samples.posts_block(1))


def test_a_writer_on_its_way_while_the_epoch_is_closed_cannot_commit(
    lake: Lake, url: str, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Lake.open(url)
    create = late.store.create

    def create_late(path: str, data: bytes) -> bool:
        if "/commits/" in path:
            lake.close_epoch("gone")
        return create(path, data)

    monkeypatch.setattr(late.store, "create", create_late)
    with pytest.raises(CommitConflict):
        late.posts.commit(samples.posts_block(1))
    assert lake.posts.snapshot().commits == ()
    assert lake.store.list("posts/data") == []


def test_closing_that_was_interrupted_is_finished_by_closing_again(
    lake: Lake, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = lake.store.create

    def crash(path: str, data: bytes) -> bool:
        if path.startswith("closed/"):
            raise KeyboardInterrupt
        return create(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(lake.store, "create", crash)
        with pytest.raises(KeyboardInterrupt):
            lake.close_epoch("gone")
    with pytest.raises(EpochMismatch, match="is being closed: run .*repair"):
        lake.posts.commit(samples.posts_block(1))
    lake.close_epoch("gone")
    assert lake.current_epoch() is None
    lake.open_epoch("e2", starts=STARTS)


def test_closing_waits_for_nobody_and_loses_no_commit(
    lake: Lake, url: str, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Lake.open(url)
    create = lake.store.create
    left = [1, 2, 3]

    def create_late(path: str, data: bytes) -> bool:
        if path.startswith("posts/commits/") and left:
            writer.posts.commit(samples.posts_block(left.pop(0)))
        return create(path, data)

    monkeypatch.setattr(lake.store, "create", create_late)
    lake.close_epoch("gone")
    assert lake.posts.snapshot().watermark == 3
    assert writer.posts.snapshot().rows("posts") == 3


def test_an_id_is_used_for_one_epoch(lake: Lake) -> None:
    lake.close_epoch("gone")
    with pytest.raises(EpochMismatch, match="e1 .* was closed.*renew"):
        lake.open_epoch("e1", starts=STARTS)


def test_closing_an_empty_lake_does_nothing(url: str) -> None:
    lake = Lake.open(url)
    lake.close_epoch("why not")
    assert lake.epochs() == []


@pytest.mark.parametrize(
    ("epoch", "starts"),
    [
        ("", STARTS),
        ("a/b", STARTS),
        ("..", STARTS),
        ("x" * 65, STARTS),
        ("e1", {"posts": 1}),
        ("e1", {"posts": 0, "matches": 1}),
        ("e1", {"posts": 1, "matches": 1, "others": 1}),
    ],
)
def test_an_epoch_that_cannot_be_is_refused(
    url: str, epoch: str, starts: dict[str, int]
) -> None:
    lake = Lake.open(url)
    with pytest.raises(LakeConfiguration, match="epoch"):
        lake.open_epoch(epoch, starts=starts)
    assert lake.epochs() == []


def test_the_log_of_the_current_epoch_is_accepted(lake: Lake, samples: Any) -> None:
    lake.posts.commit(samples.posts_block(1, 5))
    lake.check_epoch("e1", log_last={"posts": 5, "matches": 0})
    lake.check_epoch("e1", log_last={"posts": 9, "matches": 2})


def test_another_log_is_refused(lake: Lake) -> None:
    with pytest.raises(EpochMismatch, match="of epoch e9: .*rookery.lake repair"):
        lake.check_epoch("e9", log_last={"posts": 0, "matches": 0})


def test_a_log_that_lost_its_end_is_refused(lake: Lake, samples: Any) -> None:
    lake.posts.commit(samples.posts_block(1, 5))
    with pytest.raises(EpochMismatch, match="posts ends at sequence 4, .* up to 5: "):
        lake.check_epoch("e1", log_last={"posts": 4, "matches": 0})


def test_a_lake_without_an_epoch_continues_no_log(url: str) -> None:
    with pytest.raises(EpochMismatch, match="no epoch"):
        Lake.open(url).check_epoch("e1", log_last={"posts": 0, "matches": 0})


def test_a_rule_set_in_another_order_is_the_same_version(lake: Lake) -> None:
    lake.put_rules("0123abcd", b"fire\nflood\nrain\n")
    lake.put_rules("0123abcd", b"rain\nfire\nflood\n")
    assert lake.get_rules("0123abcd") == b"fire\nflood\nrain\n"
    for other in (b"fire\nflood\n", b"fire\nflood\nrain\nrain\n", b""):
        with pytest.raises(LakeDamaged, match="another text"):
            lake.put_rules("0123abcd", other)


def test_rule_sets_are_kept_by_version(lake: Lake, url: str) -> None:
    lake.put_rules("0123abcd", b"fire OR smoke\n")
    lake.put_rules("0123abcd", b"fire OR smoke\n")
    assert Lake.open(url).get_rules("0123abcd") == b"fire OR smoke\n"
    with pytest.raises(LakeDamaged, match="another text"):
        lake.put_rules("0123abcd", b"water\n")
    with pytest.raises(LakeDamaged, match="no rule set of version ffff"):
        lake.get_rules("ffff")
    with pytest.raises(LakeConfiguration, match="version of a rule set"):
        lake.put_rules("../../etc", b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged"),
        (b"{", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b'{"lake":1,"kind":"epoch","checksum":"0","body":{}}', "checksum"),
        (b'{"lake":2,"kind":"epoch","checksum":"0","body":{}}', "newer version"),
    ],
)
def test_a_record_that_cannot_be_read_is_named(
    lake: Lake, url: str, content: bytes, message: str
) -> None:
    lake.store.create("posts/commits/e1/00000000000000000001.json", content)
    with pytest.raises((LakeDamaged, LakeConfiguration), match=message) as raised:
        lake.posts.snapshot()
    assert "00000000000000000001.json" in str(raised.value)
    lake.store.delete("epochs/00000001.json")
    lake.store.create("epochs/00000001.json", content)
    with pytest.raises((LakeDamaged, LakeConfiguration), match=message):
        Lake.open(url).epochs()


def test_a_commit_under_the_name_of_another_is_damage(
    lake: Lake, url: str, samples: Any
) -> None:
    lake.posts.commit(samples.posts_block(1))
    first = lake.store.get(f"posts/commits/e1/{1:020}.json")
    assert first is not None
    lake.store.create(f"posts/commits/e1/{2:020}.json", first)
    with pytest.raises(LakeDamaged, match="commit of posts that begins at 2"):
        Lake.open(url).posts.snapshot()


def test_a_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    lake = Lake.open((tmp_path / "a" / "b c%").as_uri())
    lake.open_epoch("e1", starts=STARTS)
    assert (tmp_path / "a" / "b c%" / "epochs" / "00000001.json").is_file()
