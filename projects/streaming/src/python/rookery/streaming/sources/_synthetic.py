"""A stream that is made up: seeded, the same at the same place, as fast as wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rookery.records import Parsed, posts_from_columns
from rookery.streaming._errors import SourceChanged, SourceSpecError
from rookery.streaming.sources._clock import Clock
from rookery.streaming.sources._phrases import (
    CLOSERS,
    LANGUAGE_SHARES,
    LANGUAGES,
    OPENERS,
    SAMPLE_RULES,
    TOPIC_SHARES,
    TOPICS,
)

BATCH_POSTS = 1000
# A topic bursts for so many posts, then the next one.
BURST_POSTS = 15_000
_BURST_SHARE = 0.45
_AUTHORS = 40_000
_BATCHES_PER_SECOND = 10
# So much of a delay is caught up with; the rest is left out, as a live stream would.
_CATCH_UP_SECONDS = 1.0
_MENTIONS = ("newsdesk", "citywatch", "weatherlive", "matchday", "helpdesk")
_CASHTAGS = ("ACME", "CHIP", "SOLAR")

_Index = NDArray[np.int64]
_Column: TypeAlias = "pa.Array[Any]"


def sample_rules() -> str:
    """Gives rules that match a lively part of the synthetic stream.

    Returns:
        The text of a rule file.
    """
    return SAMPLE_RULES


class _Position(msgspec.Struct, frozen=True):
    seed: int
    next: int


class Synthetic:
    """Posts about topics that come and go, in ten languages.

    What post number n says depends on the seed and on n alone, so that a resumed stream
    is the stream that was interrupted; when it says it is the clock's.

    Args:
        name: Name of the source.
        seed: Another seed is another stream.
        rate: Posts per second, None for as many as are taken.
        limit: How many posts there are, None for no end.
        clock: Time.

    Raises:
        SourceSpecError: If rate or limit make no sense.
    """

    overlap = timedelta(0)

    def __init__(
        self,
        *,
        name: str = "synthetic",
        seed: int = 1,
        rate: float | None = None,
        limit: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise SourceSpecError(f"--rate has to be above 0, not {rate:g}")
        if limit is not None and limit < 0:
            raise SourceSpecError(f"--limit cannot be below 0, it is {limit}")
        self.name = name
        self._seed = seed
        self._rate = rate
        self._limit = limit
        self._clock = clock or Clock()
        self._next = 0
        self._due = 0.0  # on the monotonic clock: when the next post is

    async def open(self, position: bytes | None) -> None:
        """Begins to make posts.

        Args:
            position: Where to go on, None for the first post.

        Raises:
            SourceChanged: If the position is from a stream of another seed.
        """
        if position:
            try:
                read = msgspec.json.decode(position, type=_Position)
            except msgspec.DecodeError as error:
                raise SourceChanged(
                    f"the source {self.name!r} was not synthetic before ({error}): give "
                    "this one another --name"
                ) from error
            if read.seed != self._seed:
                raise SourceChanged(
                    f"the source {self.name!r} was begun with --seed {read.seed}, not "
                    f"{self._seed}: go on with that seed, or give it another --name"
                )
            self._next = read.next
        self._due = self._clock.monotonic()

    async def next_batch(self) -> Parsed | None:
        """Makes the posts that are due, waiting for at least one.

        Returns:
            At most a thousand posts, None when the limit is reached.
        """
        count = BATCH_POSTS
        if self._limit is not None:
            count = min(count, self._limit - self._next)
        if count <= 0:
            return None
        if self._rate is not None:
            count = await self._pace(count, self._rate)
        # A thousand posts take about a millisecond: less than handing them to a thread.
        parsed = generate(
            self._next, count, seed=self._seed, source=self.name, now=self._clock.now()
        )
        self._next += count
        return parsed

    async def _pace(self, most: int, rate: float) -> int:
        count = min(most, max(1, round(rate / _BATCHES_PER_SECOND)))
        now = self._clock.monotonic()
        self._due = max(self._due, now - _CATCH_UP_SECONDS) + count / rate
        if self._due > now:
            await self._clock.sleep(self._due - now)
        return count

    def position(self) -> bytes:
        """Seed and number of the next post."""
        return msgspec.json.encode(_Position(self._seed, self._next))

    async def close(self) -> None:
        """Does nothing."""


def generate(
    start: int, count: int, *, seed: int, source: str, now: datetime
) -> Parsed:
    """Makes posts.

    Args:
        start: Number of the first one.
        count: How many.
        seed: Of the stream.
        source: Name of the source.
        now: The time of the last post, about; the others come up to two seconds before.

    Returns:
        The posts; none is rejected.
    """
    dice = _Dice(seed, start, count)
    number = np.arange(start, start + count, dtype=np.int64)
    language = dice.weighted(LANGUAGE_SHARES)
    topic = _topics(number, dice)
    columns = _texts(language, topic, number, dice)
    columns |= _people(number, language, dice, source)
    columns["id"] = _digits(number)
    created = np.datetime64(now.replace(tzinfo=None), "us") - dice.below(2_000_000)
    columns["created_at"] = pa.array(np.sort(created)).cast(pa.timestamp("us", "UTC"))
    return posts_from_columns(
        columns,
        source=source,
        ingested_at=now,
        where=lambda row: f"{source}:{start + row}",
    )


class _Dice:
    """Random numbers that depend on seed, post and question alone.

    SplitMix64 (Steele, Lea, Flood 2014) as a counter-based generator: the state of each
    post is its number.
    """

    def __init__(self, seed: int, start: int, count: int) -> None:
        self._number = np.arange(start, start + count, dtype=np.uint64)
        self._seed = np.uint64(seed % 2**64)
        self._question = 0

    def roll(self) -> NDArray[np.uint64]:
        """Answers the next question for each post with 64 random bits."""
        self._question += 1
        with np.errstate(over="ignore"):
            state = self._number * np.uint64(0x9E3779B97F4A7C15)
            state += _mix(np.array([self._seed + np.uint64(self._question << 32)]))
            return _mix(state)

    def below(self, limit: int) -> _Index:
        """Rolls whole numbers below a limit."""
        return (self.roll() % np.uint64(limit)).astype(np.int64)

    def share(self) -> NDArray[np.float64]:
        """Rolls numbers from 0 up to 1."""
        return (self.roll() >> np.uint64(11)).astype(np.float64) / 2.0**53

    def weighted(self, shares: Sequence[int]) -> _Index:
        """Rolls indices, each as often as its share says."""
        return np.searchsorted(
            np.cumsum(shares), self.share() * sum(shares), side="right"
        ).astype(np.int64)

    def chance(self, share: float) -> NDArray[np.bool_]:
        """Rolls true in a share of the posts."""
        return self.share() < share


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _topics(number: _Index, dice: _Dice) -> _Index:
    """Chooses what each post is about: one topic at a time swells and fades."""
    burst, place = np.divmod(number, BURST_POSTS)
    bursting = _mix(burst.astype(np.uint64)) % np.uint64(len(TOPICS))
    strength = _BURST_SHARE * np.sin(np.pi * place / BURST_POSTS)
    usual = dice.weighted(TOPIC_SHARES)
    return np.where(dice.share() < strength, bursting.astype(np.int64), usual)


@dataclass(frozen=True)
class _Pool:
    """Texts in groups: those of group g are `texts[first[g] : first[g] + count[g]]`."""

    texts: pa.StringArray
    first: _Index
    count: _Index

    def take(self, group: _Index, dice: _Dice) -> pa.StringArray:
        """Takes one of its group's texts for each post."""
        chosen = self.first[group] + dice.below(1 << 32) % self.count[group]
        return self.texts.take(_int64(chosen))


def _pool(groups: Sequence[Sequence[str]]) -> _Pool:
    count = np.array([len(group) for group in groups], np.int64)
    texts = [text for group in groups for text in group]
    return _Pool(pa.array(texts, pa.string()), np.cumsum(count) - count, count)


@dataclass(frozen=True)
class _Pools:
    openers: _Pool
    closers: _Pool
    names: pa.StringArray  # topic * languages + language
    tags: pa.StringArray
    languages: pa.StringArray
    mentions: pa.StringArray
    cashtags: pa.StringArray


@cache
def _pools() -> _Pools:
    names = [topic.names[code] for topic in TOPICS for code in LANGUAGES]
    return _Pools(
        _pool([OPENERS[code] for code in LANGUAGES]),
        _pool([CLOSERS[code] for code in LANGUAGES]),
        pa.array(names, pa.string()),
        pa.array([f"#{topic.tag}" for topic in TOPICS], pa.string()),
        pa.array(LANGUAGES, pa.string()),
        pa.array([f"@{name}" for name in _MENTIONS], pa.string()),
        pa.array([f"${name}" for name in _CASHTAGS], pa.string()),
    )


def _texts(
    language: _Index, topic: _Index, number: _Index, dice: _Dice
) -> dict[str, _Column]:
    """Makes the texts, and the links in them."""
    pools = _pools()
    link = _joined("https://example.com/", _digits(number % 100_000))
    link = _where(dice.chance(0.2), link)
    repost = dice.chance(0.12)
    text = _join(
        [
            _where(repost, _joined("RT @", _author(dice.below(_AUTHORS)), ":")),
            pools.openers.take(language, dice),
            pools.names.take(_int64(topic * len(LANGUAGES) + language)),
            pools.closers.take(language, dice),
            _where(dice.chance(0.35), pools.tags.take(_int64(topic))),
            _pick(pools.mentions, 0.08, dice),
            _pick(pools.cashtags, 0.02, dice),
            link,
            " ",
        ]
    )
    valid = pc.is_valid(link).to_numpy(zero_copy_only=False)
    offsets = np.concatenate(([0], np.cumsum(valid))).astype(np.int32)
    links = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), link.drop_null())
    return {"text": text, "links": links}


def _people(
    number: _Index, language: _Index, dice: _Dice, source: str
) -> dict[str, _Column]:
    """Makes authors, what they answer to, and how they are received."""
    # The square favours the first authors: few write much, many write little.
    author = (dice.share() ** 3 * _AUTHORS).astype(np.int64)
    handle = _author(author)
    earlier = np.maximum(number - 1 - dice.below(5_000), 0)
    loud = dice.share() ** 8
    declared = dice.chance(0.7)
    return {
        "author": handle,
        "author_name": _joined("Author ", _digits(author)),
        "language": _where(declared, _pools().languages.take(_int64(language))),
        "reply_to": _where(
            dice.chance(0.1) & (number > 0), _joined(f"{source}:", _digits(earlier))
        ),
        "url": _joined(f"https://example.com/{source}/", _digits(number)),
        "likes": _int64((loud * 5_000).astype(np.int64)),
        "reposts": _int64((loud * dice.share() * 1_000).astype(np.int64)),
        "replies": _int64((loud * dice.share() * 300).astype(np.int64)),
        "followers": _int64((1_000_000 / (1 + author)).astype(np.int64) + 10),
    }


def _author(author: _Index) -> pa.StringArray:
    return _joined("user", _digits(author))


def _digits(number: _Index) -> Any:
    return pc.cast(_int64(number), pa.string())


def _joined(*parts: str | pa.StringArray) -> pa.StringArray:
    return _join([*parts, ""])


def _join(parts: list[Any]) -> pa.StringArray:
    """Joins texts by the last part, leaving out those that are null."""
    # The stubs know neither texts among arrays nor what comes out.
    joined: pa.StringArray = pc.binary_join_element_wise(*parts, null_handling="skip")
    return joined


def _int64(values: _Index) -> pa.Int64Array:
    return pa.array(values, pa.int64())


def _where(chosen: NDArray[np.bool_], values: Any) -> pa.StringArray:
    masked: pa.StringArray = pc.if_else(
        pa.array(chosen), values, pa.scalar(None, pa.string())
    )
    return masked


def _pick(pool: pa.StringArray, share: float, dice: _Dice) -> pa.StringArray:
    chosen = pool.take(_int64(dice.below(len(pool))))
    return _where(dice.chance(share), chosen)
