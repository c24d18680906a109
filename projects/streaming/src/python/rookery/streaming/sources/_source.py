"""What a source is."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol, runtime_checkable

from rookery.records import Parsed


@runtime_checkable
class Source(Protocol):
    """Where posts come from: position in, batches out, never loses its place.

    A position is what comes *behind* the batch returned last: a source opened with it
    goes on with the first record that was in no batch before. Reading the same records
    again gives the same posts in the same order, though perhaps in other batches.
    """

    @property
    def name(self) -> str:
        """The name that its posts carry, and under which it is resumed."""

    @property
    def overlap(self) -> timedelta:
        """How much may be delivered again after a resume, in time of the source."""

    async def open(self, position: bytes | None) -> None:
        """Begins to read.

        Args:
            position: Where to go on, None for the beginning. One that is not from
                this source raises `SourceChanged`.
        """

    async def next_batch(self) -> Parsed | None:
        """Reads on, off the event loop; waits while there is nothing.

        Returns:
            At most about a thousand posts together with the records that are none, or
            None if the source is exhausted.
        """

    def position(self) -> bytes:
        """The position behind the batch returned last.

        Empty if the source can only start where it starts, such as a pipe: its records
        are told apart by their ids alone.
        """

    async def close(self) -> None:
        """Gives back what it holds; it can be called more than once."""
