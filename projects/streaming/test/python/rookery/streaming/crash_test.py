"""Kills every process in turn, and the server, while posts flow."""

from collections.abc import Callable

import duckdb
import pyarrow as pa
import pytest

from rookery.bus import MATCHES, POSTS, Bus
from rookery.bus.testing import restart
from rookery.records import CUBE
from rookery.service.testing import Child, eventually_async
from rookery.streaming.testing import Platform

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

_POSTS = 30_000
_INGEST = ("--source", "synthetic:", "--limit", str(_POSTS), "--rate", "8000")

_RECOUNT = """
with posts as (
    select
        date_trunc('minute', case when time_suspect then ingested_at else created_at end)
            as minute,
        rules, source, coalesce(language, detected_language) as language, sentiment,
        coalesce(likes, 0) + coalesce(reposts, 0) + coalesce(replies, 0) as engagement
    from matches
), counted as (
    select * exclude (rules), null::varchar as rule from posts
    union all by name
    select * exclude (rules), unnest(rules) as rule from posts
)
select
    minute, rule, source, language, count(*) as posts,
    count(*) filter (sentiment >= 0.05) as positive,
    count(*) filter (sentiment is null or sentiment > -0.05 and sentiment < 0.05)
        as neutral,
    count(*) filter (sentiment <= -0.05) as negative,
    coalesce(sum(sentiment), 0) as sentiment_sum, sum(engagement) as engagement
from counted group by all order by all
"""
_SUMMED = """
select
    minute, rule, source, language, sum(posts) as posts, sum(positive) as positive,
    sum(neutral) as neutral, sum(negative) as negative,
    sum(sentiment_sum) as sentiment_sum, sum(engagement) as engagement
from cube group by all order by all
"""


async def _grown(platform: Platform, stream: str, by: int) -> None:
    """Waits until a log has grown."""

    async def look(bus: Bus) -> None:
        before = (await bus.state(stream)).last

        async def grown() -> bool:
            return (await bus.state(stream)).last >= before + by

        await eventually_async(grown, timeout=30, message=f"{stream} grows")

    await platform.connected(look)


def _again(child: Child, start: Callable[[], Child]) -> Child:
    """Kills a process and starts it again."""
    assert child.process.poll() is None, child.stderr
    child.process.kill()
    child.wait()
    return start()


def _counts(platform: Platform) -> tuple[pa.Table, pa.Table]:
    """The counts in the lake, and the same counted anew from its matches."""
    snapshot = platform.lake.matches.snapshot()
    cube, matches = snapshot.table("cube"), snapshot.table("matches")
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        database.register("cube", cube)
        database.register("matches", matches)
        found = [database.sql(q).to_arrow_table() for q in (_SUMMED, _RECOUNT)]
    summed, recounted = (table.cast(CUBE.remove_metadata()) for table in found)
    return summed, recounted


def _same(summed: pa.Table, recounted: pa.Table) -> bool:
    exact = [name for name in CUBE.names if name != "sentiment_sum"]
    sums = zip(
        summed["sentiment_sum"].to_pylist(),
        recounted["sentiment_sum"].to_pylist(),
        strict=True,
    )
    is_close = all(a == pytest.approx(b, abs=1e-3) for a, b in sums)
    return is_close and bool(summed.select(exact) == recounted.select(exact))


async def _finish(platform: Platform, ingest: Child) -> None:
    """Waits for the end and checks that each post was counted exactly once."""
    assert ingest.wait(timeout=60) == 0, ingest.stderr
    await platform.archived()
    archived = platform.archived_ids()
    assert len(archived) == _POSTS
    assert set(archived.values()) == {1}
    totals = {"read": _POSTS, "accepted": _POSTS, "duplicates": 0, "rejected": 0}
    assert await platform.totals("synthetic") == totals
    matched = platform.matched_ids()
    assert matched and set(matched.values()) == {1}
    posts = platform.lake.posts.snapshot()
    examined = sum(commit.posts for commit in platform.lake.matches.snapshot().commits)
    assert examined == posts.rows("posts") == _POSTS
    assert _same(*_counts(platform))
    assert await platform.letters() == []


async def test_a_match_worker_that_is_killed_costs_and_doubles_nothing(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    platform.archiver()
    worker = platform.worker()
    ingest = platform.start("ingest", *_INGEST)
    for _ in range(3):
        await _grown(platform, MATCHES, 4)
        worker = _again(worker, platform.worker)
    await _finish(platform, ingest)


async def test_an_archiver_that_is_killed_costs_and_doubles_nothing(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    archiver = platform.archiver("--keep-matches", "0")
    platform.worker()
    ingest = platform.start("ingest", *_INGEST)
    for _ in range(3):
        await _grown(platform, MATCHES, 6)
        archiver = _again(archiver, lambda: platform.archiver("--keep-matches", "0"))
    await _finish(platform, ingest)


async def test_an_ingest_that_is_killed_costs_and_doubles_nothing(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    platform.archiver()
    platform.worker()
    ingest = platform.start("ingest", *_INGEST)
    for _ in range(3):
        await _grown(platform, POSTS, 6)
        ingest = _again(ingest, lambda: platform.start("ingest", *_INGEST))
    await _finish(platform, ingest)


async def test_a_server_that_is_killed_costs_and_doubles_nothing(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    children = [platform.archiver(), platform.worker()]
    ingest = platform.start("ingest", *_INGEST)
    for _ in range(3):
        await _grown(platform, MATCHES, 6)
        await restart(platform.server)
    await _finish(platform, ingest)
    # An outage is no failure: nobody had to be started again.
    assert [child.process.poll() for child in children] == [None, None]


async def test_everything_killed_at_once_goes_on_where_it_was(
    platform: Platform,
) -> None:
    await platform.publish_rules()
    archiver, worker = platform.archiver(), platform.worker()
    ingest = platform.start("ingest", *_INGEST)
    for _ in range(2):
        await _grown(platform, MATCHES, 6)
        for child in (ingest, worker, archiver):
            child.process.kill()
        await restart(platform.server)
        archiver, worker = platform.archiver(), platform.worker()
        ingest = platform.start("ingest", *_INGEST)
    await _finish(platform, ingest)
