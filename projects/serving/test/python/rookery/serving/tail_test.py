"""The end of the log in memory."""

from datetime import UTC, datetime, timedelta

import pytest

from rookery.matching import RuleSet
from rookery.records import MatchOrigin, SourceOrigin, encode
from rookery.serving._parts import Names
from rookery.serving._tail import ForeignFrame, Rates, Tail, TailFrame, count
from rookery.serving.testing import NOON, RULES, made_up, matched

RULE_SET = RuleSet.parse(RULES)


def frame(sequence: int, posts: int = 20) -> TailFrame:
    batch = matched(made_up(posts, seed=sequence), RULE_SET)
    origin = MatchOrigin("epoch", sequence, RULE_SET.version, posts)
    return count(sequence, NOON, encode(batch, origin), Names())


def test_a_frame_is_counted_once_for_its_posts_and_once_for_each_rule() -> None:
    counted = frame(1, 50)
    assert counted.posts is not None
    assert counted.read == 50
    assert counted.matched == counted.posts.num_rows
    assert sum(map(int, counted.once["posts"].to_numpy())) == counted.matched
    rules = sum(len(row["rules"]) for row in counted.posts.to_pylist())
    assert sum(map(int, counted.rules["posts"].to_numpy())) == rules


def test_posts_of_a_source_are_not_taken_for_matches() -> None:
    from rookery.records import POST, empty

    with pytest.raises(ForeignFrame, match="message 7"):
        data = encode(empty(POST), SourceOrigin("x", b"", NOON))
        count(7, NOON, data, Names())


def test_the_oldest_posts_make_room_and_their_counts_stay() -> None:
    frames = [frame(number) for number in range(1, 6)]
    tail = Tail(max_posts=frames[3].matched + frames[4].matched)
    for each in frames:
        tail.add(each)
    assert [each.posts is None for each in tail.frames] == [True] * 3 + [False] * 2
    assert tail.kept_posts == frames[3].matched + frames[4].matched
    assert [each.once for each in tail.frames] == [each.once for each in frames]


def test_the_newest_frame_is_kept_even_if_it_is_too_large() -> None:
    tail = Tail(max_posts=1)
    tail.add(frame(1))
    tail.add(frame(2))
    assert [each.posts is None for each in tail.frames] == [True, False]


def test_what_the_lake_has_is_dropped_and_not_taken_again() -> None:
    tail = Tail(max_posts=30)
    for number in range(1, 6):
        tail.add(frame(number))
    tail.drop(3)
    assert [each.sequence for each in tail.frames] == [4, 5]
    tail.add(frame(3))
    assert [each.sequence for each in tail.frames] == [4, 5]
    tail.drop(9)
    assert (tail.frames, tail.kept_posts) == ((), 0)
    assert (tail.last, tail.watermark) == (9, 9)
    tail.add(frame(10))
    assert [each.sequence for each in tail.frames] == [10]


def test_rates_are_by_the_second_in_which_the_log_got_a_frame() -> None:
    rates = Rates()
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for ago, posts in ((0, 9), (1, 100), (1, 50), (3, 7), (1_000, 5)):
        rates.add(now - timedelta(seconds=ago), posts, posts // 10)
    history = list(rates.history(now))
    assert len(history) == 120
    present = int(now.timestamp())
    assert history[-3:] == [
        (present - 3, 7, 0),
        (present - 2, 0, 0),
        (present - 1, 150, 15),
    ]


def test_rates_do_not_grow_for_ever() -> None:
    rates = Rates()
    for second in range(10_000):
        rates.add(NOON + timedelta(seconds=second), 1, 1)
    assert len(rates._seconds) <= 241
