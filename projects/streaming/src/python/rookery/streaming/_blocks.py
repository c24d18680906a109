"""Frames of a log gathered into blocks for the lake, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
from typing_extensions import override

from rookery.lake import Block
from rookery.operators import cube, merge_cubes
from rookery.records import (
    CUBE,
    MATCH,
    POST,
    MatchOrigin,
    RecordsError,
    SourceOrigin,
    decode,
)

# Frames are compressed several times over; this is what their posts take in memory.
BLOCK_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Damaged:
    """A frame that a block covers without what was in it.

    Attributes:
        sequence: Its sequence.
        reason: Why it cannot be read.
        raw: The frame.
    """

    sequence: int
    reason: str
    raw: bytes


class Gathering(Protocol):
    """Frames that will be one block."""

    first: int
    last: int
    frames: int
    rows: int
    size: int

    def add(self, sequence: int, data: bytes) -> Damaged | None:
        """Adds a frame; returns it if it cannot be read."""

    def block(self, epoch: str) -> Block:
        """Makes the block; takes a while."""


class _Gathering:
    """What gathering posts and matches have in common.

    Args:
        first: First sequence of the block.
    """

    def __init__(self, first: int) -> None:
        self.first = first
        self.last = first - 1
        self.frames = 0
        self.rows = 0
        self.size = 0
        self._batches: list[pa.RecordBatch] = []

    def add(self, sequence: int, data: bytes) -> Damaged | None:
        """Adds a frame.

        Args:
            sequence: Its sequence, higher than all before.
            data: The frame.

        Returns:
            The frame if it cannot be read; the block covers it nevertheless.
        """
        try:
            batch = self._read(sequence, data)
        except RecordsError as error:
            self._cover(sequence)
            return Damaged(sequence, str(error), data)
        self._cover(sequence)
        if batch is not None and batch.num_rows:
            self._batches.append(batch)
            self.rows += batch.num_rows
            self.size += batch.nbytes
        return None

    def _cover(self, sequence: int) -> None:
        self.last = sequence
        self.frames += 1

    def _read(self, sequence: int, data: bytes) -> pa.RecordBatch | None:
        raise NotImplementedError


class PostsGathering(_Gathering):
    """Frames of `POSTS`.

    Args:
        first: First sequence of the block.
        keep_posts: Whether the posts themselves are archived. If not, the block has the
            positions of the sources alone, from which they are resumed.
    """

    def __init__(self, first: int, *, keep_posts: bool = True) -> None:
        super().__init__(first)
        self._keep_posts = keep_posts
        self._positions: dict[str, bytes] = {}
        self._posts = 0

    @override
    def _read(self, sequence: int, data: bytes) -> pa.RecordBatch | None:
        frame = decode(data)
        if not isinstance(frame.origin, SourceOrigin):
            raise RecordsError("it is not a frame of posts")
        self._positions[frame.origin.source] = frame.origin.position
        self._posts += frame.batch.num_rows
        return frame.batch if self._keep_posts else None

    def block(self, epoch: str) -> Block:
        """Makes the block.

        Args:
            epoch: The epoch of the log.

        Returns:
            The block.
        """
        table = pa.Table.from_batches(self._batches, POST)
        return _block(
            self, epoch, {"posts": table}, self.last, self._positions, self._posts
        )


class MatchesGathering(_Gathering):
    """Frames of `MATCHES`.

    Args:
        first: First sequence of the block.
    """

    def __init__(self, first: int) -> None:
        super().__init__(first)
        self._origin = 0
        self._posts = 0
        self.rulesets: set[str] = set()

    @override
    def _read(self, sequence: int, data: bytes) -> pa.RecordBatch | None:
        frame = decode(data)
        if not isinstance(frame.origin, MatchOrigin):
            raise RecordsError("it is not a frame of matches")
        self._origin = max(self._origin, frame.origin.sequence)
        self._posts += frame.origin.posts
        if frame.origin.ruleset:
            self.rulesets.add(frame.origin.ruleset)
        return frame.batch

    def block(self, epoch: str) -> Block:
        """Makes the block, with the cube of its matches.

        Args:
            epoch: The epoch of the log.

        Returns:
            The block.
        """
        matches = pa.Table.from_batches(self._batches, MATCH)
        whole = matches.combine_chunks().to_batches()
        counts = merge_cubes([cube(batch) for batch in whole])
        parts = {"matches": matches, "cube": pa.Table.from_batches([counts], CUBE)}
        return _block(self, epoch, parts, self._origin, {}, self._posts)


def _block(
    gathering: _Gathering,
    epoch: str,
    parts: Mapping[str, pa.Table],
    origin: int,
    positions: Mapping[str, bytes],
    posts: int,
) -> Block:
    return Block(
        epoch=epoch,
        first=gathering.first,
        last=gathering.last,
        parts=parts,
        origin=origin,
        positions=positions,
        posts=posts,
    )
