"""Whether the log and the lake belong together, and where an epoch of the lake begins.

Sequences of a log mean something only within its epoch, the random id that the bus keeps
with `POSTS`. The lake has a chain of epochs; the last one is current unless `lake repair`
has closed it. The rules:

- The lake has a current epoch: it must be that of the bus, and neither log may end before
  the watermark. Otherwise the state folder was wiped, or a crash of the machine took the
  end of the log. To go on would archive some posts twice or miss some, so that is exit
  code 78, and a person runs `lake repair`. Ingest looks too, before it extends a log that
  lost its end and hides that.
- There is none (an empty lake, or closed by `repair`): a new one begins. If the bus still
  goes by the id of a closed epoch, it gets a new id first, since an id is used once.
- Where the new epoch begins, for each log: what the lake has already must not be archived
  again, and a log that is another one must be archived from its first message. Ids cannot
  tell (a crash may fall between the renewal and the opening), so the content does: a log
  is the one of the last epoch if the newest committed frame that is still present is the
  one that was committed. For `POSTS` the commit knows the position of that frame's
  source; a frame of `MATCHES` carries an epoch of its log, which no other log has (perhaps
  an earlier one: a worker learns of a renewal only when it connects anew). If it is the
  same log, the new epoch begins behind the last sequence that is both committed and
  present, else at the first one present. If no committed frame is present, both are the
  same place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from rookery.bus import MATCHES, POSTS, Bus, StreamState
from rookery.lake import Commit, Epoch, EpochMismatch, Lake
from rookery.records import RecordsError, SourceOrigin, decode_origin

_STREAMS = {"posts": POSTS, "matches": MATCHES}
# The watermark moves on between two looks as long as an archiver runs.
_LOOKS = 3


async def check_log(bus: Bus, lake: Lake) -> None:
    """Refuses a log that is not the one of the lake's current epoch.

    Args:
        bus: The bus.
        lake: The lake.

    Raises:
        EpochMismatch: If it is another log, or lost its end.
    """
    for look in range(1, _LOOKS + 1):
        if await asyncio.to_thread(lake.current_epoch) is None:
            return
        states = await _states(bus)
        last = {dataset: state.last for dataset, state in states.items()}
        try:
            # As it is now: an archiver may have renewed it since this process connected.
            epoch = await bus.read_epoch()
            await asyncio.to_thread(lake.check_epoch, epoch, log_last=last)
            return
        except EpochMismatch:
            if look == _LOOKS:
                raise


async def establish(bus: Bus, lake: Lake) -> Epoch:
    """Finds the lake's epoch for a log, opening a new one if there is none.

    Args:
        bus: The bus.
        lake: The lake.

    Returns:
        The current epoch; `EpochMismatch` is raised if it is not the one of the log.
    """
    await check_log(bus, lake)
    current = await asyncio.to_thread(lake.current_epoch)
    if current is not None:
        return current
    epochs = await asyncio.to_thread(lake.epochs)
    starts = await _starts(bus, lake, epochs)
    if any(epoch.epoch == bus.epoch for epoch in epochs):
        await bus.renew_epoch()
    return await asyncio.to_thread(lake.open_epoch, bus.epoch, starts=starts)


async def _states(bus: Bus) -> dict[str, StreamState]:
    return {name: await bus.state(stream) for name, stream in _STREAMS.items()}


async def _starts(bus: Bus, lake: Lake, epochs: Sequence[Epoch]) -> dict[str, int]:
    """Finds the first sequence of each log that is not in the lake."""
    starts = {}
    for name, state in (await _states(bus)).items():
        starts[name] = max(state.first, 1)
        if not epochs:
            continue
        known = {epoch.epoch for epoch in epochs}
        last_epoch = epochs[-1].epoch
        dataset = lake.posts if name == "posts" else lake.matches
        snapshot = await asyncio.to_thread(dataset.snapshot)
        commits = [c for c in snapshot.commits if c.epoch == last_epoch]
        present = [c for c in commits if state.first <= c.last <= state.last]
        if present and await _is_same(bus, _STREAMS[name], present[-1], known):
            starts[name] = min(state.last, commits[-1].last) + 1
    return starts


async def _is_same(
    bus: Bus, stream: str, commit: Commit, known: Collection[str]
) -> bool:
    """Whether the last frame of a commit is the one that is in the log."""
    message = await bus.get(stream, commit.last)
    if message is None:
        return False
    try:
        origin = decode_origin(message.data)
    except RecordsError:
        # It is covered as a frame that cannot be read, and would be so again.
        return False
    if isinstance(origin, SourceOrigin):
        return commit.positions.get(origin.source) == origin.position
    return origin.epoch in known
