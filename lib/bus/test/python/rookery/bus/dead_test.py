import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.bus import (
    DEAD,
    POSTS,
    Bus,
    DeadLetter,
    bury,
    decode_dead,
    encode_dead,
)

integration = pytest.mark.integration


def letter(**changes: object) -> DeadLetter:
    plain = DeadLetter(
        stage="ingest",
        source="tweets",
        where="tweets.csv:17",
        reason="column created_at: not a time: 'yesterday'",
        raw=b"\xff\x00,yesterday",
        at=datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC),
        key="17",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # a test's own names


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(
    texts, texts, texts, st.binary(max_size=200), st.datetimes(timezones=st.just(UTC))
)
def test_a_dead_letter_comes_back_as_it_was(
    stage: str, source: str, reason: str, raw: bytes, at: datetime
) -> None:
    there = letter(stage=stage, source=source, reason=reason, raw=raw, at=at)
    assert decode_dead(encode_dead(there)) == there


def test_a_long_one_is_cut() -> None:
    kept = decode_dead(encode_dead(letter(raw=bytes(1_000_000))))
    assert kept.raw == bytes(256 * 1024)


@given(texts, texts)
def test_each_key_has_a_subject_of_its_own(one: str, other: str) -> None:
    subjects = {letter(key=one).subject, letter(key=other).subject}
    assert len(subjects) == len({one, other})


@given(texts, texts, texts)
def test_a_subject_is_always_one_the_server_takes(
    stage: str, source: str, key: str
) -> None:
    tokens = letter(stage=stage, source=source, key=key).subject.split(".")
    assert len(tokens) == 4
    for token in tokens:
        assert token and token.isascii() and token.isprintable()
        assert not set(token) & set(" *>.")


@integration
@pytest.mark.asyncio
async def test_the_same_letter_is_kept_once(bus: Bus) -> None:
    await asyncio.gather(*(bury(bus, letter()) for _ in range(5)))
    await bury(bus, letter(reason="another reason, the same row"))
    await bury(bus, letter(key="18"))
    assert (await bus.state(DEAD)).messages == 2
    kept = await bus.last(DEAD, letter().subject)
    assert kept is not None
    assert decode_dead(kept.data) == letter()


@dataclass
class Dying:
    """Publishes, but has the answer lost."""

    bus: Bus

    async def publish(
        self,
        stream: str,
        data: bytes,
        *,
        subject: str,
        expect_last: int | None = None,
        timeout: float = 5.0,
    ) -> int:
        await self.bus.publish(stream, data, subject=subject, expect_last=expect_last)
        raise TimeoutError


@integration
@pytest.mark.asyncio
async def test_a_letter_whose_answer_was_lost_may_be_buried_again(bus: Bus) -> None:
    with pytest.raises(TimeoutError):
        await bury(Dying(bus), letter())
    await bury(bus, letter())
    assert (await bus.state(DEAD)).messages == 1


@integration
@pytest.mark.asyncio
async def test_a_dead_delivery_is_kept_and_acknowledged(bus: Bus) -> None:
    sequence = await bus.publish(POSTS, b"poison", subject="posts.tweets")
    async with aclosing(bus.consume(POSTS, group="match")) as deliveries:
        delivery = await anext(deliveries)
        await delivery.dead("it makes the operator fail", source="tweets")
    async with aclosing(bus.read(DEAD)) as messages:
        kept = decode_dead((await anext(messages)).data)
    assert (kept.stage, kept.source, kept.raw) == ("match", "tweets", b"poison")
    assert kept.where == f"POSTS:{sequence}"
    assert kept.reason == "it makes the operator fail"
    state = await bus.consumer(POSTS, "match")
    assert state is not None and state.ack_floor == sequence
