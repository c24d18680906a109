"""What can go wrong between a source and the lake."""

from __future__ import annotations

from typing import ClassVar


class StreamingError(Exception):
    """Streaming failed."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class SourceSpecError(StreamingError):
    """What was given as a source is not one."""

    exit_code: ClassVar[int] = 64


class SourceUnreadable(StreamingError):
    """A source cannot be read."""

    exit_code: ClassVar[int] = 69


class SourceFormatError(StreamingError):
    """A source is not in the format it is read as."""

    exit_code: ClassVar[int] = 65


class SourceChanged(StreamingError):
    """A source is no longer what was read before, so it cannot be resumed."""

    exit_code: ClassVar[int] = 65


class SourceInUse(StreamingError):
    """Another ingest publishes under the name of this source."""

    exit_code: ClassVar[int] = 75
