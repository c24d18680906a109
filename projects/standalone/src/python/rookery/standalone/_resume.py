"""What was read of a source."""

import asyncio
import json

from rookery.bus import POSTS, Bus
from rookery.lake import Lake
from rookery.records import SourceOrigin, decode_origin
from rookery.service import Settings
from rookery.standalone._options import SYNTHETIC, Options
from rookery.streaming import source_name

_TOTALS = "INGEST"


def name_of(options: Options) -> str:
    """Returns the name of the source, as ingest chooses it.

    Args:
        options: What was asked for. That there is no such file is raised.

    Returns:
        The name under which its position is kept.
    """
    return options.name or source_name(list(options.sources) or [SYNTHETIC])


async def tell_resumed(bus: Bus, settings: Settings, name: str) -> str | None:
    """Says what was already read of a source.

    Args:
        bus: The bus.
        settings: Where the lake is.
        name: Name of the source.

    Returns:
        What to tell, None if the source is new.
    """
    position = await _position(bus, settings.lake_url, name)
    if position is None:
        return None
    told = _told(json.loads(position)["totals"])
    return (
        f"source {name}: goes on where it stopped, before it was {told}; "
        "--fresh removes all that is kept and starts anew"
    )


async def tell_read(bus: Bus, name: str) -> str:
    """Says what was read of a source whose ingest has ended.

    Args:
        bus: The bus.
        name: Name of the source.

    Returns:
        What to tell.
    """
    # Unlike the last frame it also counts what was refused behind that frame.
    value = await bus.values(_TOTALS).get(name)
    return "all was read" if value is None else _told(json.loads(value.data))


def _told(totals: dict[str, int]) -> str:
    return (
        f"read {totals['read']:,}: {totals['accepted']:,} accepted, "
        f"{totals['duplicates']:,} duplicates, {totals['rejected']:,} rejected"
    )


async def _position(bus: Bus, lake_url: str, name: str) -> bytes | None:
    """Where ingest goes on: behind its last frame in the log, else in the lake."""
    last = await bus.last(POSTS, f"posts.{name}")
    if last is None:
        lake = await asyncio.to_thread(Lake.open, lake_url)
        return await asyncio.to_thread(lake.posts.position, name)
    origin = decode_origin(last.data)
    return origin.position if isinstance(origin, SourceOrigin) else None
