"""What one answer is computed from: a snapshot of the lake and the tail behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from rookery.serving._cubes import Cubes
from rookery.serving._history import History
from rookery.serving._parts import CODED, Grain, Part
from rookery.serving._tail import TailFrame


@dataclass(frozen=True)
class View:
    """Lake up to a watermark plus every frame behind it. It never changes.

    Attributes:
        history: What is committed.
        frames: Frames of the log of matches behind the watermark, oldest first.
        watermark: The last sequence of MATCHES that the lake answers for; 0 as long as
            the lake belongs to another log.
        last: The last sequence of MATCHES that is counted.
    """

    history: History
    frames: tuple[TailFrame, ...] = ()
    watermark: int = 0
    last: int = 0

    @cached_property
    def cubes(self) -> Cubes:
        """All counts."""
        tail = Part(
            _joined([frame.once for frame in self.frames]),
            _joined([frame.rules for frame in self.frames]),
        )
        return Cubes(self.history.names, (*self.history.parts, tail))

    @property
    def read(self) -> int:
        """Posts behind the watermark that were matched against the rules."""
        return sum(frame.read for frame in self.frames)


def _joined(tables: Sequence[pa.Table]) -> Grain:
    filled = [table for table in tables if table.num_rows]
    joined = pa.concat_tables([CODED.empty_table(), *filled])
    return Grain(joined.combine_chunks(), sorted=False)
