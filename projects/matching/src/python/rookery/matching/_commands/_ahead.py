"""Does what comes next in a thread of its own, so that stages overlap."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

DEPTH: Final = 3
_PATIENCE: Final = 0.1


class _End:
    """Stands behind the last item; has the error, if that is why it was the last."""

    def __init__(self, error: BaseException | None) -> None:
        self._error = error

    def check(self) -> None:
        if self._error is not None:
            raise self._error


def ahead(items: Iterable[T], *, depth: int = DEPTH) -> Generator[T, None, None]:
    """Makes items in a thread, a few ahead of those that are taken.

    Args:
        items: What to iterate over, in that thread only.
        depth: How many may wait; then the thread does.

    Yields:
        The items, in order. An error of theirs is raised where they end.
    """
    ready: queue.Queue[T | _End] = queue.Queue(depth)
    stop = threading.Event()
    thread = threading.Thread(
        target=_fill, args=(iter(items), ready, stop), name="ahead", daemon=True
    )
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
        item.check()
    finally:
        stop.set()
        # It may be waiting for standard input, which nobody can end.
        thread.join(_PATIENCE * 2)


def _fill(
    items: Iterator[T], ready: queue.Queue[T | _End], stop: threading.Event
) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            if not _put(item, ready, stop):
                break
    except BaseException as caught:  # noqa: B036 - raised by whoever takes items
        error = caught
    finally:
        if isinstance(items, Generator):
            items.close()
    _put(_End(error), ready, stop)


def _put(item: T | _End, ready: queue.Queue[T | _End], stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            ready.put(item, timeout=_PATIENCE)
        except queue.Full:
            continue
        return True
    return False
