"""Match workers: each frame of posts becomes exactly one frame of matches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from rookery.bus import (
    MATCHES,
    POSTS,
    AlreadyStored,
    Bus,
    DeadLetter,
    Delivery,
    StreamFull,
    TooLarge,
    Unavailable,
    bury,
    keep_alive,
)
from rookery.matching import Matcher
from rookery.operators import enrich
from rookery.records import (
    MATCH,
    MatchOrigin,
    SourceOrigin,
    decode,
    decode_origin,
    empty,
    encode,
)
from rookery.service import Process
from rookery.streaming._metrics import MatchMetrics
from rookery.streaming._options import ACK_WAIT_SECONDS
from rookery.streaming._patience import Patience, Stopped
from rookery.streaming._rules import RulesInUse

GROUP = "match"
MAX_IN_FLIGHT = 8
# A frame is given up after this many equal errors in a row, or when this many
# deliveries ended without a result, so that it probably ends the worker.
SAME_ERRORS = 3
DEADLY_DELIVERIES = 5

Operate = Callable[[Matcher, pa.RecordBatch], pa.RecordBatch]


def match_and_enrich(matcher: Matcher, posts: pa.RecordBatch) -> pa.RecordBatch:
    """Does to a frame of posts what a match worker is there for.

    Args:
        matcher: The rules.
        posts: Posts.

    Returns:
        The posts that matched, enriched.
    """
    return enrich(matcher(posts))


@dataclass(frozen=True)
class Result:
    """What became of a frame.

    Attributes:
        frame: The frame of matches to publish.
        posts: How many posts were looked at.
        matched: How many of them matched.
    """

    frame: bytes
    posts: int
    matched: int


def work(
    data: bytes, sequence: int, epoch: str, matcher: Matcher, operate: Operate
) -> Result:
    """Matches one frame, without I/O.

    Args:
        data: The frame of posts.
        sequence: Its sequence in the log.
        epoch: The epoch of the log.
        matcher: The rules.
        operate: What is done to the posts.

    Returns:
        The result, with the frame of matches.
    """
    posts = decode(data).batch
    matches = operate(matcher, posts)
    origin = MatchOrigin(epoch, sequence, matcher.rules.version, posts.num_rows)
    return Result(encode(matches, origin), posts.num_rows, matches.num_rows)


class Poison(Exception):
    """A frame that cannot be processed; the text says why."""


class MatchWorker:
    """Matches frames of posts as one of a group of workers, until it is to end.

    It belongs to the event loop in which it is made.

    A frame is matched by exactly one rule set: the one in use when its turn comes. If
    its result is stored already, that one stands.

    Args:
        process: The process.
        bus: The bus.
        operate: What is done to the posts of a frame.
        ack_wait: Seconds after which a frame goes to another worker if this one dies.
    """

    def __init__(
        self,
        process: Process,
        bus: Bus,
        *,
        operate: Operate = match_and_enrich,
        ack_wait: float = ACK_WAIT_SECONDS,
    ) -> None:
        self._process = process
        self._bus = bus
        self._operate = operate
        self._ack_wait = ack_wait
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._in_hand: set[int] = set()
        # One frame at a time is matched, while others are fetched and published.
        self._turn = asyncio.Semaphore(1)
        self._metrics = MatchMetrics(process.registry)
        self._rules = RulesInUse(process, bus, self._metrics)
        self._patience = Patience(
            process, check="bus", waits_for=(StreamFull, Unavailable)
        )

    async def run(self) -> None:
        """Matches."""
        watching = asyncio.create_task(self._rules.follow())
        stopping = asyncio.create_task(self._process.stop.wait())
        working = asyncio.create_task(self._consume())
        tasks = (watching, stopping, working)
        try:
            await asyncio.wait(
                {*tasks, self._failed}, return_when=asyncio.FIRST_COMPLETED
            )
            for done in (watching, working, self._failed):
                if done.done():
                    done.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._failed.cancel()

    async def _consume(self) -> None:
        await self._rules.first()
        tasks: set[asyncio.Task[None]] = set()
        deliveries = self._bus.consume(
            POSTS, group=GROUP, max_in_flight=MAX_IN_FLIGHT, ack_wait=self._ack_wait
        )
        try:
            async with aclosing(deliveries):
                async for delivery in deliveries:
                    # There are never more than `MAX_IN_FLIGHT`: the bus sees to it.
                    task = asyncio.create_task(self._handle(delivery))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                    task.add_done_callback(self._look)
        finally:
            # What is in hand is finished; what fails now goes to another worker.
            await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self, task: asyncio.Task[None]) -> None:
        """Passes on what a task failed with."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _handle(self, delivery: Delivery) -> None:
        sequence = delivery.sequence
        if sequence in self._in_hand:
            # Delivered again although it is still in work here: an outage took the
            # heartbeats. The one in work will settle it.
            return
        self._in_hand.add(sequence)
        try:
            async with keep_alive(delivery):
                with suppress(Stopped):
                    await self._settle(delivery)
        finally:
            self._in_hand.discard(sequence)

    async def _settle(self, delivery: Delivery) -> None:
        try:
            result = await self._result(delivery)
            await self._publish(delivery.sequence, result.frame)
        except (Poison, TooLarge) as poison:
            await self._give_up(delivery, str(poison))
        else:
            self._metrics.frames.inc()
            self._metrics.posts.inc(result.posts)
            self._metrics.matched.inc(result.matched)
        await delivery.ack()

    async def _result(self, delivery: Delivery) -> Result:
        if delivery.deliveries > DEADLY_DELIVERIES:
            raise Poison(
                f"{delivery.deliveries - 1} deliveries ended without a result, perhaps "
                "because the frame ended their workers"
            )
        errors: list[str] = []
        async with self._turn:
            while True:
                if self._process.stop.requested and errors:
                    raise Stopped
                matcher = self._rules.matcher
                if matcher is None:  # the consumer only starts behind the first rules
                    raise RuntimeError("no rules")
                began = time.monotonic()
                try:
                    result = await asyncio.to_thread(
                        work,
                        delivery.data,
                        delivery.sequence,
                        self._bus.epoch,
                        matcher,
                        self._operate,
                    )
                except Exception as error:  # whatever it is, three times is enough
                    errors.append(f"{type(error).__name__}: {error}")
                    self._process.log.warning(
                        f"frame {delivery.sequence}: {errors[-1]}",
                        action="retry",
                        sequence=delivery.sequence,
                        attempt=len(errors),
                        exc_info=error,
                    )
                    if errors.count(errors[-1]) >= SAME_ERRORS:
                        raise Poison(errors[-1]) from error
                else:
                    self._metrics.seconds.observe(time.monotonic() - began)
                    return result

    async def _publish(self, sequence: int, frame: bytes) -> None:
        async def attempt() -> None:
            try:
                await self._bus.publish(
                    MATCHES, frame, subject=f"matches.{sequence}", expect_last=0
                )
            except AlreadyStored:
                self._metrics.repeated.inc()

        await self._patience.until_done(
            attempt, what="publish matches", through_stop=True
        )

    async def _give_up(self, delivery: Delivery, reason: str) -> None:
        """Keeps a frame as a dead letter, and says so in its place in the log.

        If it has a result already, that one stands and nothing is given up.
        """
        sequence = delivery.sequence
        if await self._patience.until_done(
            lambda: self._bus.last(MATCHES, f"matches.{sequence}"),
            what="look for a result",
            through_stop=True,
        ):
            return
        source, posts = _described(delivery.data)
        matcher = self._rules.matcher
        origin = MatchOrigin(
            self._bus.epoch,
            sequence,
            matcher.rules.version if matcher else "",
            posts,
            dead=reason,
        )
        # The letter first: both are idempotent, and a crash between the two must not
        # leave a frame marked as dead of which nothing is kept.
        letter = DeadLetter(
            stage=GROUP,
            source=source,
            where=f"{POSTS}:{sequence}",
            reason=reason,
            raw=delivery.data,
            at=datetime.now(UTC),
            key=f"{self._bus.epoch}-{sequence}",
        )
        await self._patience.until_done(
            lambda: bury(self._bus, letter),
            what="keep a dead letter",
            through_stop=True,
        )
        await self._publish(sequence, encode(empty(MATCH), origin))
        self._metrics.dead.inc()
        self._process.log.error(
            f"gave up frame {sequence} of {source}: {reason}",
            action="dead",
            sequence=sequence,
            source=source,
        )


def _described(data: bytes) -> tuple[str, int]:
    """The source of a frame and its number of posts, as far as it can be read."""
    source, posts = "unknown", 0
    with suppress(Exception):  # it is being given up because it is damaged
        origin = decode_origin(data)
        if isinstance(origin, SourceOrigin):
            source = origin.source
        posts = decode(data).batch.num_rows
    return source, posts
