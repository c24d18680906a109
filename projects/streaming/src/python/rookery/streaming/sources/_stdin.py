"""A pipe as a source."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

from rookery.records import Parsed
from rookery.streaming._errors import SourceFormatError, SourceUnreadable
from rookery.streaming.formats import Columns, Format, TextParser, detect
from rookery.streaming.sources._clock import Clock

_READ_BYTES = 1024 * 1024
_SNIFF_BYTES = 4


class Stdin:
    """What is piped in. It cannot be rewound, so a repetition is told by its ids.

    Args:
        descriptor: The file descriptor to read.
        name: Name of the source.
        text_format: JSON lines or CSV, None to find out.
        columns: Where the columns of a post come from.
        clock: Time.
    """

    # The whole of it may come again.
    overlap = timedelta.max

    def __init__(
        self,
        descriptor: int = 0,
        *,
        name: str,
        text_format: Format | None = None,
        columns: Columns | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._descriptor = descriptor
        self._format = text_format
        self._columns = columns or Columns()
        self._clock = clock or Clock()
        self._parser: TextParser | None = None
        self._ended = False

    async def open(self, position: bytes | None) -> None:
        """Does nothing: a pipe starts where it starts.

        Args:
            position: Not used.
        """

    async def next_batch(self) -> Parsed | None:
        """Reads what is there, waiting for at least one record.

        Returns:
            At most a thousand posts, None when the pipe was closed.
        """
        return await asyncio.to_thread(self._read)

    def _read(self) -> Parsed | None:
        if self._parser is None:
            self._parser = self._begin()
        while (step := self._parser.next(self._clock.now(), final=self._ended)) is None:
            if self._ended:
                return None
            data = self._receive()
            self._ended = not data
            self._parser.feed(data)
        return step.parsed

    def _begin(self) -> TextParser:
        head = b""
        while len(head) < _SNIFF_BYTES and not self._ended:
            data = self._receive()
            self._ended = not data
            head += data
        found = self._format
        if found is None:
            found = detect("<stdin>", head) if head else Format.JSONL
        if found is Format.PARQUET:
            raise SourceFormatError(
                "Parquet cannot be read from a pipe: name the file with --source"
            )
        parser = TextParser(found, self._columns, source=self.name, name="<stdin>")
        parser.feed(head)
        return parser

    def _receive(self) -> bytes:
        try:
            return os.read(self._descriptor, _READ_BYTES)
        except OSError as error:
            raise SourceUnreadable(
                f"cannot read standard input: {error.strerror}"
            ) from error

    def position(self) -> bytes:
        """Empty: a pipe has no place to go back to."""
        return b""

    async def close(self) -> None:
        """Does nothing: the descriptor belongs to the process."""
