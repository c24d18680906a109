"""Dead letters: what could not be processed, kept with the reason."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import msgspec

from rookery.bus._errors import AlreadyStored
from rookery.bus._streams import DEAD

# More would not be read by a person, and a replay reads the original.
MAX_RAW = 256 * 1024
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """Something that could not be processed.

    Attributes:
        stage: Where it failed: "ingest", "match".
        source: Name of the source it came from.
        where: Its place, such as "tweets.csv:17" or "POSTS:1234".
        reason: Why it failed, for a person to read.
        raw: What it was.
        at: When it failed, UTC.
        key: Identifies it within stage and source, so that it is kept once only.
    """

    stage: str
    source: str
    where: str
    reason: str
    raw: bytes
    at: datetime
    key: str

    @property
    def subject(self) -> str:
        """The subject under which it is stored, one for each letter."""
        return ".".join(["dead", *map(_token, (self.stage, self.source, self.key))])


class Publisher(Protocol):
    """What is needed of the bus to keep a dead letter."""

    async def publish(
        self,
        stream: str,
        data: bytes,
        *,
        subject: str,
        expect_last: int | None = None,
        timeout: float = 5.0,
    ) -> int:
        """Stores a message; see `Bus.publish`."""


def encode_dead(letter: DeadLetter) -> bytes:
    """Writes a dead letter as JSON, the raw bytes in base 64.

    Args:
        letter: The letter; of its raw bytes the first 256 KiB are kept.

    Returns:
        The message for the stream `DEAD`.
    """
    if len(letter.raw) > MAX_RAW:
        letter = replace(letter, raw=letter.raw[:MAX_RAW])
    return msgspec.json.encode(letter)


def decode_dead(data: bytes) -> DeadLetter:
    """Reads a dead letter.

    Args:
        data: A message of the stream `DEAD`.

    Returns:
        The letter; `msgspec.DecodeError` is raised if it is none.
    """
    return msgspec.json.decode(data, type=DeadLetter)


async def bury(bus: Publisher, letter: DeadLetter) -> None:
    """Keeps a dead letter; the same letter is kept once, however often it is buried.

    It must be kept, so if that fails (`StreamFull`, `Unavailable`), try again.

    Args:
        bus: The bus.
        letter: The letter.
    """
    try:
        await bus.publish(
            DEAD, encode_dead(letter), subject=letter.subject, expect_last=0
        )
    except AlreadyStored:
        return


def _token(text: str) -> str:
    """Makes a text one token of a subject; different texts give different tokens."""
    if _PLAIN.fullmatch(text) and len(text) <= 100:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:24]
    # The point of "=" is that no plain text contains it.
    return f"{re.sub('[^A-Za-z0-9_-]+', '-', text)[:40]}={digest}"
