"""A child that does not outlive who started it."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

PARENT_VARIABLE = "ROOKERY_PARENT"

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.25


def watched_parent() -> int | None:
    """The process this one must not outlive, if whoever started it named one."""
    named = os.environ.get(PARENT_VARIABLE, "")
    return int(named) if named.isdecimal() and int(named) > 0 else None


def watch_parent(pid: int, on_death: Callable[[], None]) -> None:
    """Calls back, from a thread, when a process is gone.

    Where the kernel can tell (Linux, a direct parent) it also sends SIGTERM at once;
    polling covers other systems, other ancestors, and a parent that was gone before
    this was called.

    Args:
        pid: The process to watch.
        on_death: Called once, from another thread.
    """
    if sys.platform == "linux" and pid == os.getppid():
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    was_parent = pid == os.getppid()

    def poll() -> None:
        while is_alive(pid) and (not was_parent or os.getppid() == pid):
            time.sleep(_POLL_SECONDS)
        on_death()

    threading.Thread(target=poll, name="parent-watch", daemon=True).start()


def is_alive(pid: int) -> bool:
    """Whether a process of this number exists.

    Args:
        pid: Number of the process.

    Returns:
        True as long as it exists, be it somebody else's.
    """
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
