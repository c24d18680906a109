"""Each post is counted once, wherever it is: in the log, in the lake, or on its way."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from rookery.bus import MATCHES
from rookery.lake import Block
from rookery.operators import cube
from rookery.service.testing import eventually_async
from rookery.serving._answers import Answers
from rookery.serving._counts import Dimension
from rookery.serving._errors import FilterInvalid, SearchInvalid
from rookery.serving._filters import Filter, Sentiment
from rookery.serving._live import Live
from rookery.serving.testing import NOON, Feed, following, made_up, matched, post

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


async def counted(live: Live, sequence: int) -> None:
    """Waits until a frame is part of the answers."""
    await eventually_async(
        lambda: live.view().last >= sequence, timeout=20, message=f"frame {sequence}"
    )


async def published(feed: Feed, *, frames: int, posts: int) -> int:
    """Publishes made-up frames, and returns the sequence of the last one."""
    sequences = [
        await feed.publish(made_up(posts, seed=number + 1)) for number in range(frames)
    ]
    return sequences[-1]


def by_hand(frames: Iterable[pa.RecordBatch]) -> list[dict[str, Any]]:
    """All matched posts, newest first."""
    rows = [row for frame in frames for row in frame.to_pylist()]
    return sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)


async def test_totals_stand_still_while_blocks_move_from_the_log_to_the_lake(
    feed: Feed,
) -> None:
    last = await published(feed, frames=12, posts=150)
    rows = by_hand(feed.frames.values())
    expected = Counter(rule for row in rows for rule in row["rules"])
    async with following(feed) as live:
        await counted(live, last)
        watermarks = set()
        for through in (3, 4, 9, 12):
            moved = asyncio.create_task(asyncio.to_thread(feed.archive, through))
            while not moved.done() or live.view().watermark < through:
                view = live.view()
                watermarks.add(view.watermark)
                assert view.cubes.totals(Filter()).posts == len(rows)
                ranked = view.cubes.ranking(Filter(), by=Dimension.RULE)
                assert {r.key: r.totals.posts for r in ranked} == expected
                await asyncio.sleep(0.01)
            await moved
        assert watermarks >= {0, 3, 4, 9}
        assert live.view().frames == ()
        assert live.view().cubes.totals(Filter()).posts == len(rows)


async def test_what_was_archived_before_the_start_is_counted_too(feed: Feed) -> None:
    last = await published(feed, frames=4, posts=100)
    feed.archive(2)
    await feed.bus.trim(MATCHES, through=2)
    async with following(feed) as live:
        await counted(live, last)
        rows = by_hand(feed.frames.values())
        assert live.view().watermark == 2
        assert live.view().cubes.totals(Filter()).posts == len(rows)


@pytest.mark.parametrize("archived", [0, 2, 4])
@pytest.mark.parametrize(
    "asked",
    [
        Filter(),
        Filter(rule="storm"),
        Filter(source="other", language="en"),
        Filter(language="de"),
        Filter(sentiment=Sentiment.POSITIVE),
        Filter(start=NOON - timedelta(minutes=61, seconds=3), end=NOON),
    ],
    ids=str,
)
async def test_pages_lead_through_all_posts_newest_first_and_each_once(
    feed: Feed, asked: Filter, archived: int
) -> None:
    last = await published(feed, frames=4, posts=60)
    if archived:
        feed.archive(archived)
    async with following(feed) as live:
        await counted(live, last)
        answers = Answers(live)
        found: list[object] = []
        below = None
        while True:
            page = await answers.posts(asked, below=below, limit=17)
            found += page.posts["id"].to_pylist()
            if (below := page.next) is None:
                break
        expected = [
            row["id"] for row in by_hand(feed.frames.values()) if passes(row, asked)
        ]
        assert found == expected
        assert expected


def passes(row: dict[str, Any], asked: Filter) -> bool:
    score = row["sentiment"]
    return (
        (asked.rule is None or asked.rule in row["rules"])
        and (asked.source is None or row["source"] == asked.source)
        and (
            asked.language is None
            or (row["language"] or row["detected_language"] or "") == asked.language
        )
        and (asked.sentiment is None or (score is not None and score >= 0.05))
        and (asked.start is None or row["created_at"] >= asked.start)
        and (asked.end is None or row["created_at"] < asked.end)
    )


async def test_posts_that_had_to_make_room_are_read_from_the_log(feed: Feed) -> None:
    last = await published(feed, frames=5, posts=40)
    async with following(feed, max_posts=30) as live:
        await counted(live, last)
        assert live.tail.kept_posts <= max(f.num_rows for f in feed.frames.values())
        answers = Answers(live)
        page = await answers.posts(Filter(), limit=200)
        ids = [row["id"] for row in by_hand(feed.frames.values())]
        assert page.posts["id"].to_pylist() == ids[:200]
        status = await answers.status()
        assert "posts-from-log" in [problem.code for problem in status.problems]


async def test_a_search_finds_posts_and_marks_its_words(feed: Feed) -> None:
    texts = ["wildfire by the lake", "storm and hail", "Wildfire near the old mill"]
    rows = [post(n, NOON - timedelta(minutes=n), t) for n, t in enumerate(texts)]
    await feed.publish(rows[:2])
    feed.archive(1)
    last = await feed.publish(rows[2:])
    async with following(feed) as live:
        await counted(live, last)
        page = await Answers(live).posts(Filter(), search="lake OR mill")
        assert page.searched == 3
        assert page.next is None
        found = page.posts.to_pylist()
        assert [row["text"] for row in found] == [texts[0], texts[2]]
        for row in found:
            marks = {
                (span["rule"], row["text"][span["start"] : span["end"]].lower())
                for span in row["spans"]
            }
            assert ("fire", "wildfire") in marks
            assert {word for rule, word in marks if rule == "search"} <= {
                "lake",
                "mill",
            }
            assert any(rule == "search" for rule, _ in marks)


async def test_a_search_that_cannot_be_read_is_refused_with_its_place(
    feed: Feed,
) -> None:
    last = await feed.publish(made_up(5))
    async with following(feed) as live:
        await counted(live, last)
        with pytest.raises(SearchInvalid) as refused:
            await Answers(live).posts(Filter(), search="(lake OR mill")
        column = refused.value.column
        assert column is None or 1 <= column <= len("(lake OR mill") + 1
        assert str(refused.value)


async def test_too_many_buckets_are_refused(feed: Feed) -> None:
    last = await feed.publish(made_up(5))
    async with following(feed) as live:
        await counted(live, last)
        asked = Filter(start=datetime(2001, 1, 1, tzinfo=UTC))
        with pytest.raises(FilterInvalid, match="buckets"):
            await Answers(live).volume(asked, width=1)


async def test_rules_come_with_counts_and_those_without_posts_come_last(
    feed: Feed,
) -> None:
    last = await feed.publish(
        [post(1, NOON, "wildfire"), post(2, NOON, "wildfire and storm")]
    )
    async with following(feed) as live:
        await counted(live, last)
        await eventually_async(lambda: live.rules, message="rules")
        rules = await Answers(live).rules(Filter())
        assert [(rule.id, rule.totals.posts) for rule in rules] == [
            ("fire", 2),
            ("storm", 1),
            ("power", 0),
            ("coffee", 0),
        ]
        assert sum(rules[0].spark) == 2
        assert all(rule.text for rule in rules)


async def test_a_frame_that_cannot_be_read_is_reported_and_the_rest_goes_on(
    feed: Feed,
) -> None:
    await feed.bus.publish(MATCHES, b"no frame", subject="matches.0")
    last = await feed.publish([post(1, NOON, "wildfire")])
    async with following(feed) as live:
        await counted(live, last)
        status = await Answers(live).status()
        assert status.matched.posts == 1
        assert status.problems[0].code == "frames-damaged"


async def test_the_status_says_what_was_ingested_and_what_waits(feed: Feed) -> None:
    last = await feed.publish(made_up(50))
    async with following(feed) as live:
        await counted(live, last)
        answers = Answers(live)
        await eventually_async(lambda: live.ingest and live.sample, message="totals")
        status = await answers.status()
        assert status.ingest["made-up"].accepted == 50
        assert status.ingested.rejected == 1
        assert (status.watermark, status.last) == (0, last)
        assert status.archiving.frames == 1
        assert status.matching.frames == 1
        assert status.waiting == 1
        assert status.ruleset == feed.rules.version


async def test_a_lake_of_another_log_is_counted_beside_this_one(feed: Feed) -> None:
    rows = [post(number, NOON, "wildfire") for number in range(5)]
    batch = matched(rows[:3], feed.rules)
    feed.lake.open_epoch("another-log", starts={"posts": 1, "matches": 1})
    feed.lake.matches.commit(
        Block(
            epoch="another-log",
            first=1,
            last=40,
            parts={
                "matches": pa.Table.from_batches([batch]),
                "cube": pa.Table.from_batches([cube(batch)]),
            },
            origin=40,
            positions={},
        )
    )
    last = await feed.publish(rows[3:])
    async with following(feed) as live:
        await counted(live, last)
        status = await Answers(live).status()
        assert status.matched.posts == 5
        assert status.watermark == 0
        assert status.problems[0].code == "epoch-differs"
        page = await Answers(live).posts(Filter())
        assert page.posts.num_rows == 5
