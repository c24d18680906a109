"""Python's collector of cycles, held off while much is made at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Holds off the search for cycles: what rules are made of has none.

    The collector would go through all that is there again and again while hundreds of
    thousands of objects are made, and take a third of the time. It is left as it was.

    Yields:
        Nothing.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
