"""The ids of a source that came last, so that what comes again is known."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

WINDOW_IDS = 1_000_000
_EVICTED_AT_ONCE = 65_536


class Window:
    """Remembers at least the last ids of one source, exactly.

    All ids of a source begin with its name, so that only the rest is kept, and that as a
    number if it is one: about 80 bytes each.

    Args:
        source: Name of the source.
        size: How many ids are remembered at least.
    """

    def __init__(self, source: str, *, size: int = WINDOW_IDS) -> None:
        self._prefix = f"{source}:"
        self._size = size
        self._slack = min(_EVICTED_AT_ONCE, size)
        # A dictionary remembers the order in which its keys came.
        self._ids: dict[int | str, None] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: Iterable[str]) -> NDArray[np.bool_]:
        """Adds ids.

        Args:
            ids: The ids in the order in which they came.

        Returns:
            bool[n]: Whether the id is new: neither remembered nor earlier among these.
        """
        known = self._ids
        start = len(self._prefix)
        new = []
        for text in ids:
            native = _compact(text[start:])
            is_new = native not in known
            if is_new:
                known[native] = None
            new.append(is_new)
        self._forget()
        return np.array(new, np.bool_)

    def _forget(self) -> None:
        surplus = len(self._ids) - self._size
        if surplus < self._slack:
            return
        # Many at a time: the first key is only found by going over those deleted before.
        for native in list(islice(self._ids, surplus)):
            del self._ids[native]


def _compact(text: str) -> int | str:
    """Gives an id as a number if it is one; no other id gives the same."""
    if text.isdecimal() and text.isascii() and text[0] != "0" and len(text) < 40:
        return int(text)
    return text
