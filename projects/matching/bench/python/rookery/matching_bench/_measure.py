"""All sides of one size side by side: built, compared, and measured in turns."""

from __future__ import annotations

import multiprocessing
import pickle  # nosec B403
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from rookery.matching_bench._found import Found, Unequal, compare
from rookery.matching_bench._report import Result
from rookery.matching_bench._sides import Side, Workload, reference
from rookery.matching_bench._worker import Answer, Input, serve

# How often is looked whether a side takes too long, and how much longer than by the
# processor it may take by the clock.
_TICK = 0.25
_PATIENCE = 10


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds.

    Attributes:
        build: A side to be made of its rules.
        check: What a side finds to be compared, about so long.
        round: A round, at least so long.
        stuck: Anything else, before it is given up.
    """

    build: float = 120.0
    check: float = 3.0
    round: float = 0.5
    stuck: float = 60.0


class GaveUp(Exception):
    """A side took too long, or failed."""


class _Peer:
    """A side in its process.

    Args:
        side: The side.
        path: The file with what it is given.
    """

    def __init__(self, side: Side, path: Path) -> None:
        self.side = side
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=serve, args=(theirs, path, side), daemon=True
        )
        self._process.start()
        theirs.close()
        self.rounds: list[float] = []
        self.peak: int | None = None
        self.posts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._process.join(0.2)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def wait(self, limit: float, what: str) -> object:
        """Waits for an answer.

        Args:
            limit: For how many seconds of the processor, so that other work on the
                machine makes no difference; at most ten times as many by the clock.
            what: What is being done, for the message.

        Returns:
            What came.

        Raises:
            GaveUp: Nothing came, or an error.
        """
        before, deadline = self._spent(), time.monotonic() + _PATIENCE * limit
        while not self._connection.poll(_TICK):
            if self._spent() - before > limit or time.monotonic() > deadline:
                raise GaveUp(f"{what} took more than {limit:g} s")
        try:
            answer: object = self._connection.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            raise GaveUp(f"{what} ended the process with {code}") from None
        if isinstance(answer, str):
            raise GaveUp(answer)
        return answer

    def _spent(self) -> float:
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.Error:
            # It has ended, which the pipe tells.
            return 0.0
        return times.user + times.system

    def ask(self, name: str, argument: float, limit: float) -> Answer:
        """Asks for something and waits for the answer.

        Args:
            name: For what.
            argument: With how many seconds.
            limit: For how many seconds to wait.

        Returns:
            The answer.

        Raises:
            GaveUp: There was none.
        """
        self._connection.send((name, argument))
        answer = self.wait(
            limit, {"build": "building", "check": "checking"}.get(name, name)
        )
        if not isinstance(answer, Answer):
            raise GaveUp(f"an answer of type {type(answer).__name__}")
        self.peak = answer.peak if answer.peak is not None else self.peak
        return answer


def measure(
    given: Input, workload: Workload, sides: Sequence[Side], rounds: int, limits: Limits
) -> list[Result]:
    """Measures sides at one size.

    Args:
        given: Posts and rules.
        workload: What is looked for.
        sides: Which sides take part; what they find is compared with the reference,
            whether that is one of them or not.
        rounds: How often each is measured.
        limits: How long things may take.

    Returns:
        A result for each side, with the reason where there is none. A side that does not
        find what the reference does is an `Unequal`, a reference that fails a `GaveUp`.
    """
    count = len(given.phrases if workload is Workload.PHRASES else given.rules)
    results: dict[str, Result] = {}
    live: list[_Peer] = []
    size = sum(len(text.encode()) for text in given.posts.texts)
    per_post = size / max(len(given.posts.texts), 1) / 1e6
    with ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="rookery-bench-")
        )
        path = Path(folder, "input.pickle")
        path.write_bytes(pickle.dumps(given))
        expected = _expected(reference(workload), path, limits)
        pairs = len(expected.pairs())
        for side in sides:
            begin = time.monotonic()
            result = Result(workload, count, side.key, side.name, side.threads, pairs)
            results[side.key] = result
            if side.needs and find_spec(side.needs) is None:
                result.reason = f"{side.needs} is not installed"
                continue
            peer = stack.enter_context(_Peer(side, path))
            try:
                _prepare(peer, expected, result, limits)
                live.append(peer)
            except GaveUp as reason:
                result.reason = str(reason)
                peer.__exit__(None, None, None)
            _tell(
                f"{workload} {count:>7,} {side.key}", time.monotonic() - begin, result
            )
        for _ in range(rounds):
            for peer in list(live):
                try:
                    answer = peer.ask("round", limits.round, limits.stuck)
                except GaveUp as reason:
                    results[peer.side.key].reason = str(reason)
                    live.remove(peer)
                    continue
                peer.rounds.append(answer.posts / answer.seconds)
                peer.posts += answer.posts
        for peer in live:
            result = results[peer.side.key]
            result.rounds = peer.rounds
            result.posts_per_second = statistics.median(peer.rounds)
            result.megabytes_per_second = result.posts_per_second * per_post
            result.posts = peer.posts
            result.peak_megabytes = None if peer.peak is None else peer.peak / 1e6
    return list(results.values())


def _expected(side: Side, path: Path, limits: Limits) -> Found:
    with _Peer(side, path) as peer:
        peer.wait(limits.stuck, "starting")
        peer.ask("build", 0, limits.build)
        found = peer.ask("check", float("inf"), limits.build).found
        if found is None:
            raise GaveUp("the reference found nothing to compare with")
        return found


def _prepare(peer: _Peer, expected: Found, result: Result, limits: Limits) -> None:
    peer.wait(limits.stuck, "starting")
    result.build_seconds = peer.ask("build", 0, limits.build).seconds
    answer = peer.ask("check", limits.check, limits.stuck)
    if answer.found is None:
        raise GaveUp("it says nothing of what it found")
    side = peer.side
    try:
        result.share = compare(
            expected.first(answer.posts), answer.found, partial=bool(side.partial)
        )
    except Unequal as error:
        raise Unequal(
            f"{side.name} ({side.key}), {result.rules:,} {result.workload}: {error}"
        ) from None
    result.checked = answer.posts


def _tell(what: str, seconds: float, result: Result) -> None:
    outcome = result.reason or f"{result.checked:,} posts compared"
    print(f"{what:42} {seconds:6.1f} s  {outcome}", file=sys.stderr, flush=True)
