"""Shows what flows, as JSON lines."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

import msgspec

from rookery.bus import DEAD, MATCHES, POSTS, Bus, decode_dead
from rookery.records import decode, to_jsonl
from rookery.streaming._options import What

_RAW_CHARACTERS = 4096


_STREAMS = {What.POSTS: POSTS, What.MATCHES: MATCHES, What.DEAD: DEAD}


def post_lines(data: bytes) -> list[bytes]:
    """Gives the rows of a frame.

    Args:
        data: The frame.

    Returns:
        One JSON object for each row.
    """
    return to_jsonl(decode(data).batch).splitlines()


def dead_lines(data: bytes) -> list[bytes]:
    """Gives a dead letter.

    Args:
        data: The message.

    Returns:
        One JSON object; what is not UTF-8 in `raw` is replaced, what is long cut.
    """
    letter = dataclasses.asdict(decode_dead(data))
    letter["raw"] = letter["raw"].decode("utf-8", "replace")[:_RAW_CHARACTERS]
    return [msgspec.json.encode(letter)]


_LINES: dict[What, Callable[[bytes], list[bytes]]] = {
    What.POSTS: post_lines,
    What.MATCHES: post_lines,
    What.DEAD: dead_lines,
}


async def peek(
    bus: Bus, what: What, *, limit: int, follow: bool = False
) -> AsyncGenerator[bytes, None]:
    """Reads the newest of what is in a log, and what comes then.

    Args:
        bus: The bus.
        what: The log.
        limit: How many of those that are there are shown at most.
        follow: Whether to go on with what comes.

    Yields:
        JSON objects without line feeds, the oldest first.
    """
    stream, lines = _STREAMS[what], _LINES[what]
    state = await bus.state(stream)
    for line in await _newest(bus, stream, lines, state.first, state.last, limit):
        yield line
    if not follow:
        return
    async with aclosing(bus.read(stream, start=state.last + 1)) as messages:
        async for message in messages:
            for line in lines(message.data):
                yield line


async def _newest(
    bus: Bus,
    stream: str,
    lines: Callable[[bytes], list[bytes]],
    first: int,
    last: int,
    limit: int,
) -> Iterator[bytes]:
    """Reads backwards until there are enough."""
    found: list[bytes] = []
    sequence = last
    while len(found) < limit and sequence >= first:
        message = await bus.get(stream, sequence)
        if message is not None:
            found += reversed(lines(message.data))
        sequence -= 1
    return reversed(found[:limit])
