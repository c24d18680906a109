"""The lock of a state folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from rookery.bus._errors import StateLocked


class StateLock:
    """Makes sure that one platform at a time runs on a state folder.

    The lock belongs to the open file, not to a process: a server that was given the
    file descriptor keeps the folder locked even when its parent is gone.

    Args:
        state: The state folder; it is created if it is missing.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / "lock"
        self._fd: int | None = None

    @property
    def fd(self) -> int | None:
        """The open file that is locked, None if it is not."""
        return self._fd

    def acquire(self) -> None:
        """Takes the lock and notes this process as its holder.

        Raises:
            StateLocked: If somebody has it.
        """
        if self._fd is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise StateLocked(*self._holder()) from error
        self._fd = fd
        self.note(server=None)

    def note(self, *, server: int | None) -> None:
        """Writes down who holds the lock, for whoever finds it taken.

        Args:
            server: Process id of the server that inherited it, if there is one.
        """
        if self._fd is None:
            return
        text = f"{os.getpid()}\n" + (f"{server}\n" if server else "")
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)

    def release(self) -> None:
        """Gives the lock up, unless a server that inherited it still runs."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _holder(self) -> tuple[str, int | None]:
        """What to say about who has the lock, and its process id."""
        folder = self._path.parent
        try:
            noted = [int(word) for word in self._path.read_text().split()]
        except (OSError, ValueError):
            noted = []
        owner, server = (*noted, 0, 0)[:2]
        if owner and is_alive(owner):
            return (
                f"{folder} is in use by process {owner}: stop it, or choose another "
                "folder with ROOKERY_STATE"
            ), owner
        if server and is_alive(server):
            return (
                f"{folder} is in use by process {server}, a nats-server whose parent "
                f"is gone: end it with `kill {server}`, or choose another folder with "
                "ROOKERY_STATE"
            ), server
        return f"{folder} is in use by a process that is not known", None


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists.

    Args:
        pid: Its id.

    Returns:
        True also if it belongs to somebody else.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
