"""Whether everything that was taken in has been matched and archived."""

import asyncio

from rookery.bus import MATCHES, POSTS, Bus
from rookery.lake import Lake
from rookery.service import Settings

_MATCH_GROUP = "match"
_POLL_SECONDS = 0.25


async def everything_archived(bus: Bus, settings: Settings) -> str:
    """Waits until the lake holds what the log held when it was first looked at.

    Args:
        bus: The log, to which nobody publishes posts any more.
        settings: Where the lake is, and what is archived.

    Returns:
        What to tell about what the lake holds.
    """
    posts = (await bus.state(POSTS)).last
    while not await _is_matched(bus, posts):
        await asyncio.sleep(_POLL_SECONDS)
    # Each frame of posts was acknowledged after its result had been stored.
    matches = (await bus.state(MATCHES)).last
    wanted = {"matches": matches}
    if settings.archive == "all":
        wanted["posts"] = posts
    while not await asyncio.to_thread(_reaches, settings.lake_url, wanted):
        await asyncio.sleep(_POLL_SECONDS)
    return await asyncio.to_thread(_told, settings.lake_url)


async def _is_matched(bus: Bus, through: int) -> bool:
    if through == 0:
        return True
    group = await bus.consumer(POSTS, _MATCH_GROUP)
    return group is not None and group.ack_floor >= through


def _reaches(url: str, wanted: dict[str, int]) -> bool:
    lake = Lake.open(url)
    if lake.current_epoch() is None:
        return not any(wanted.values())
    watermarks = {
        "posts": lake.posts.watermark() if "posts" in wanted else 0,
        "matches": lake.matches.watermark(),
    }
    return all(watermarks[name] >= last for name, last in wanted.items())


def _told(url: str) -> str:
    lake = Lake.open(url)
    posts = lake.posts.snapshot().rows("posts")
    matches = lake.matches.snapshot().rows("matches")
    return f"the lake holds {posts:,} posts and {matches:,} that matched"
