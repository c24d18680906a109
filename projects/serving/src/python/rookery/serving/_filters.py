"""What a question narrows down: rule, source, language, sentiment, time, search."""

import base64
import enum
from dataclasses import dataclass
from datetime import UTC, datetime

from rookery.serving._errors import FilterInvalid

MINUTE_US = 60_000_000
_NO_MOMENT = 2**62


class Sentiment(enum.StrEnum):
    """The three classes that the cube counts apart."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


@dataclass(frozen=True)
class Filter:
    """Which posts are asked for. Everything that is None lets all pass.

    Attributes:
        rule: Id of a rule that the post matched.
        source: Name of the source that the post came from.
        language: Declared language, else the detected one; an empty string asks for
            posts whose language is not known.
        sentiment: Class of the post's sentiment.
        start: First moment, inclusive.
        end: Last moment, exclusive.
    """

    rule: str | None = None
    source: str | None = None
    language: str | None = None
    sentiment: Sentiment | None = None
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for field in ("start", "end"):
            moment = getattr(self, field)
            if moment is not None and moment.tzinfo is None:
                raise FilterInvalid(
                    field,
                    f"{field} {moment.isoformat()} has no time zone: append Z for UTC"
                    " or an offset such as +02:00",
                )
        if self.start and self.end and self.start >= self.end:
            raise FilterInvalid(
                "end",
                f"end {self.end.isoformat()} is not after start"
                f" {self.start.isoformat()}: swap them or leave one out",
            )

    @property
    def start_minute(self) -> int | None:
        """The first minute since 1970 that is asked for, None without a start."""
        return None if self.start is None else microseconds(self.start) // MINUTE_US

    @property
    def end_minute(self) -> int | None:
        """The first minute since 1970 that is no longer asked for."""
        return None if self.end is None else -(-microseconds(self.end) // MINUTE_US)


@dataclass(frozen=True, order=True)
class Place:
    """Where a page of posts ends, newest first: the next page begins below.

    Attributes:
        counted: Time the last post is counted under, microseconds since 1970.
        id: Its id.
    """

    counted: int
    id: str

    @property
    def cursor(self) -> str:
        """The place as a text that goes through an address."""
        text = f"{self.counted}:{self.id}".encode()
        return base64.urlsafe_b64encode(text).decode().rstrip("=")

    @classmethod
    def parse(cls, cursor: str) -> "Place":
        """Reads a cursor that an earlier answer gave.

        Args:
            cursor: The `cursor` of a place.

        Returns:
            The place.

        Raises:
            FilterInvalid: It is not such a cursor.
        """
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
            counted, _, post = text.partition(":")
            moment = int(counted)
        except ValueError:
            moment, post = _NO_MOMENT, ""
        if abs(moment) >= _NO_MOMENT:
            raise FilterInvalid(
                "cursor",
                "this cursor was not made by this service: pass the `next` of an"
                " earlier page, or none to begin with the newest post",
            )
        return cls(moment, post)


def microseconds(moment: datetime) -> int:
    """Returns the microseconds since 1970 of a moment, exactly.

    Args:
        moment: A moment with a time zone.

    Returns:
        Microseconds since 1970-01-01T00:00:00Z.
    """
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
