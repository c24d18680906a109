"""What was read of the source before."""

import json

from rookery.bus import Bus
from rookery.standalone._options import SYNTHETIC, Options
from rookery.streaming import source_name

# Where ingest keeps what it did with each source.
_BUCKET = "INGEST"


def name_of(options: Options) -> str:
    """Returns the name of the source, as ingest chooses it.

    Args:
        options: What was asked for. That there is no such file is raised.

    Returns:
        The name under which its position is kept.
    """
    return options.name or source_name(list(options.sources) or [SYNTHETIC])


async def tell_resumed(bus: Bus, name: str) -> str | None:
    """Says what was already read of a source.

    Args:
        bus: The bus.
        name: Name of the source.

    Returns:
        What to tell, None if the source is new.
    """
    value = await bus.values(_BUCKET).get(name)
    if value is None:
        return None
    totals = json.loads(value.data)
    return (
        f"source {name}: goes on where it stopped, {totals['read']:,} records were read "
        f"before ({totals['accepted']:,} accepted, {totals['duplicates']:,} duplicates, "
        f"{totals['rejected']:,} rejected); --fresh removes all that is kept and starts "
        "anew"
    )
