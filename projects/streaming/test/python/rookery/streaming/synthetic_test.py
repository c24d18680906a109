from datetime import UTC, datetime, timedelta
from typing import cast

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.records import POST
from rookery.streaming import SourceChanged, SourceSpecError
from rookery.streaming._strings import strings
from rookery.streaming.sources import Clock, Synthetic, generate

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
_BY_CLOCK = ("created_at", "ingested_at")


def _posts(start: int, count: int, seed: int = 1) -> pa.Table:
    parsed = generate(start, count, seed=seed, source="s", now=NOW)
    assert parsed.rejected == ()
    return pa.Table.from_batches([parsed.posts]).drop_columns(list(_BY_CLOCK))


async def _drained(source: Synthetic, position: bytes | None = None) -> list[str]:
    await source.open(position)
    ids: list[str] = []
    while (parsed := await source.next_batch()) is not None:
        ids += strings(parsed.posts["id"])
    return ids


@given(st.integers(0, 10**12), st.integers(0, 40), st.integers(-(2**70), 2**70))
def test_a_post_depends_on_its_number_and_the_seed_alone(
    start: int, offset: int, seed: int
) -> None:
    whole = _posts(start, 50, seed)
    assert whole.slice(offset).equals(_posts(start + offset, 50 - offset, seed))


def test_another_seed_is_another_stream() -> None:
    assert _posts(0, 100, 1)["text"] != _posts(0, 100, 2)["text"]


def test_the_posts_are_valid_and_their_times_lie_just_before_now() -> None:
    posts = generate(0, 1000, seed=1, source="s", now=NOW).posts
    assert posts.schema.equals(POST)
    posts.validate(full=True)
    times = cast("list[datetime]", posts["created_at"].to_pylist())
    assert times == sorted(times)
    assert NOW - timedelta(seconds=2) < times[0] and times[-1] <= NOW
    assert not any(posts["time_suspect"].to_pylist())


def test_a_topic_swells_and_fades() -> None:
    def most(start: int) -> int:
        texts = strings(_posts(start, 1000)["text"])
        tags = [word for text in texts for word in text.split() if word[0] == "#"]
        return max(tags.count(tag) for tag in set(tags))

    assert most(7_000) > 2 * most(14_500)


@pytest.mark.asyncio
async def test_a_resumed_stream_goes_on_where_it_stopped() -> None:
    first = Synthetic(limit=2500)
    await first.open(None)
    begun = await first.next_batch()
    assert begun is not None
    rest = await _drained(Synthetic(limit=2500), first.position())
    ids = strings(begun.posts["id"]) + rest
    assert ids == [f"synthetic:{n}" for n in range(2500)]


@pytest.mark.asyncio
async def test_a_resume_with_another_seed_is_refused() -> None:
    first = Synthetic(seed=7)
    await first.open(None)
    with pytest.raises(SourceChanged, match="begun with --seed 7, not 8"):
        await Synthetic(seed=8).open(first.position())


@pytest.mark.asyncio
async def test_the_rate_is_kept_by_the_clock() -> None:
    elapsed = 100.0

    async def sleep(seconds: float) -> None:
        nonlocal elapsed
        elapsed += seconds

    clock = Clock(lambda: NOW, lambda: elapsed, sleep)
    ids = await _drained(Synthetic(rate=250.0, limit=1000, clock=clock))
    assert len(ids) == 1000
    assert elapsed - 100.0 == pytest.approx(1000 / 250.0)


@pytest.mark.asyncio
async def test_a_long_delay_is_not_caught_up_with_at_once() -> None:
    elapsed, slept = 0.0, 0.0

    async def sleep(seconds: float) -> None:
        nonlocal elapsed, slept
        elapsed += seconds
        slept += seconds

    source = Synthetic(rate=100.0, clock=Clock(lambda: NOW, lambda: elapsed, sleep))
    await source.open(None)
    elapsed += 60.0
    for _ in range(20):  # ten posts each, two seconds' worth
        await source.next_batch()
    assert slept == pytest.approx(1.0)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_makes_no_sense_is_refused(rate: float) -> None:
    with pytest.raises(SourceSpecError, match="--rate"):
        Synthetic(rate=rate)
