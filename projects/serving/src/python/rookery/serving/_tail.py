"""The end of the log that the lake does not have yet."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from rookery.operators import cube
from rookery.records import Frame, MatchOrigin, decode
from rookery.serving._errors import ServingError
from rookery.serving._parts import Names, encode, split

MAX_POSTS = 50_000
RATE_SECONDS = 120


class ForeignFrame(ServingError):
    """A message of the log of matches is not a frame of matches."""


@dataclass(frozen=True)
class TailFrame:
    """One frame of the log of matches, counted.

    Attributes:
        sequence: Its place in the log.
        stored: When the log got it.
        read: Posts in the frame that was matched.
        matched: Posts of it that matched.
        ruleset: Version of the rules it was matched with.
        once: Counts of each post once, coded.
        rules: Counts of each post for each rule, coded.
        first_event: Least time a post is counted under; None without posts.
        last_event: Greatest such time.
        size: Bytes of the frame in the log.
        posts: The posts, `rookery.records.MATCH`; None once they had to make room.
    """

    sequence: int
    stored: datetime
    read: int
    matched: int
    ruleset: str
    once: pa.Table
    rules: pa.Table
    first_event: datetime | None
    last_event: datetime | None
    size: int
    posts: pa.RecordBatch | None


def count(sequence: int, stored: datetime, data: bytes, names: Names) -> TailFrame:
    """Counts one frame.

    Args:
        sequence: Its place in the log.
        stored: When the log got it.
        data: The frame.
        names: Gives codes to what is counted by.

    Returns:
        The frame with its counts. One that is damaged raises `FrameError`.

    Raises:
        ForeignFrame: The message holds something else.
    """
    frame: Frame = decode(data)
    if not isinstance(frame.origin, MatchOrigin):
        raise ForeignFrame(
            f"message {sequence} of MATCHES holds posts of a source, not matches:"
            " something else than a match worker writes to it"
        )
    once, rules = split(encode(cube(frame.batch), names))
    return TailFrame(
        sequence=sequence,
        stored=stored,
        read=frame.origin.posts,
        matched=frame.batch.num_rows,
        ruleset=frame.origin.ruleset,
        once=once,
        rules=rules,
        first_event=frame.first_event,
        last_event=frame.last_event,
        size=len(data),
        posts=frame.batch,
    )


class Tail:
    """Frames behind the watermark of the lake, in the order of the log.

    Counts are kept for all of them, the posts themselves only of the newest.

    Args:
        max_posts: How many posts are kept.
    """

    def __init__(self, max_posts: int = MAX_POSTS) -> None:
        self._max_posts = max_posts
        self._frames: deque[TailFrame] = deque()
        self._kept_from = 0
        self._posts = 0
        self.rates = Rates()
        self.watermark = 0
        self.last = 0

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def kept_posts(self) -> int:
        """How many posts are in memory."""
        return self._posts

    @property
    def dropped_posts(self) -> bool:
        """Whether some frames have only their counts left."""
        return self._kept_from > 0

    @property
    def frames(self) -> tuple[TailFrame, ...]:
        """The frames, oldest first."""
        return tuple(self._frames)

    def add(self, frame: TailFrame) -> None:
        """Appends the next frame of the log.

        Args:
            frame: A frame with a greater sequence than all before it. One that the
                lake has already is only counted for the rates.
        """
        self.rates.add(frame.stored, frame.read, frame.matched)
        self.last = max(self.last, frame.sequence)
        if frame.sequence <= self.watermark:
            return
        self._frames.append(frame)
        self._posts += frame.matched
        while self._posts > self._max_posts and self._kept_from < len(self._frames) - 1:
            oldest = self._frames[self._kept_from]
            self._frames[self._kept_from] = replace(oldest, posts=None)
            self._posts -= oldest.matched
            self._kept_from += 1

    def pass_over(self, sequence: int) -> None:
        """Goes on behind a frame that cannot be read.

        Args:
            sequence: Its place in the log.
        """
        self.last = max(self.last, sequence)

    def drop(self, through: int) -> None:
        """Forgets the frames that a newer snapshot of the lake holds.

        Args:
            through: Watermark of that snapshot.
        """
        self.watermark = max(self.watermark, through)
        self.last = max(self.last, through)
        while self._frames and self._frames[0].sequence <= through:
            frame = self._frames.popleft()
            if frame.posts is None:
                self._kept_from -= 1
            else:
                self._posts -= frame.matched


class Rates:
    """Posts a second, by the second in which the log got their frame."""

    def __init__(self) -> None:
        self._seconds: dict[int, tuple[int, int]] = {}

    def add(self, stored: datetime, read: int, matched: int) -> None:
        """Counts a frame.

        Args:
            stored: When the log got it.
            read: Posts that were matched.
            matched: Posts of them that matched.
        """
        second = int(stored.timestamp())
        before = self._seconds.get(second, (0, 0))
        self._seconds[second] = (before[0] + read, before[1] + matched)
        if len(self._seconds) > 2 * RATE_SECONDS:
            newest = max(self._seconds)
            kept = range(newest - RATE_SECONDS, newest + 1)
            self._seconds = {s: c for s, c in self._seconds.items() if s in kept}

    def history(self, now: datetime) -> Iterator[tuple[int, int, int]]:
        """Yields the last full seconds, oldest first.

        Args:
            now: The present moment; the second it lies in is not over yet.

        Yields:
            Second since 1970, posts matched against the rules, posts that matched.
        """
        present = int(now.timestamp())
        for second in range(present - RATE_SECONDS, present):
            yield second, *self._seconds.get(second, (0, 0))
