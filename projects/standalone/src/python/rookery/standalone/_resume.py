"""What was read of the source before."""

import asyncio
import json

from rookery.bus import POSTS, Bus
from rookery.lake import Lake
from rookery.records import SourceOrigin, decode_origin
from rookery.service import Settings
from rookery.standalone._options import SYNTHETIC, Options
from rookery.streaming import source_name


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
    totals = json.loads(position)["totals"]
    return (
        f"source {name}: goes on where it stopped, {totals['read']:,} records were read "
        f"before ({totals['accepted']:,} accepted, {totals['duplicates']:,} duplicates, "
        f"{totals['rejected']:,} rejected); --fresh removes all that is kept and starts "
        "anew"
    )


async def _position(bus: Bus, lake_url: str, name: str) -> bytes | None:
    """Where ingest goes on: behind its last frame in the log, else in the lake."""
    last = await bus.last(POSTS, f"posts.{name}")
    if last is None:
        lake = await asyncio.to_thread(Lake.open, lake_url)
        return await asyncio.to_thread(lake.posts.position, name)
    origin = decode_origin(last.data)
    return origin.position if isinstance(origin, SourceOrigin) else None
