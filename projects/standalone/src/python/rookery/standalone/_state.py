"""The folder of everything that outlives the platform on this machine."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from rookery.standalone._errors import StateUnusable

# What the platform keeps. Nothing else in the folder is ever removed.
STORES = ("bus", "lake")


def prepare_state(state: Path) -> Path:
    """Makes sure that the state folder exists and can be written to.

    Args:
        state: The folder.

    Returns:
        Its absolute path.

    Raises:
        StateUnusable: It cannot be created or written to.
    """
    folder = state.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StateUnusable(
            f"the state folder {folder} cannot be written to: {error.strerror or error}; "
            "choose another one with --state or ROOKERY_STATE"
        ) from error
    return folder.resolve()


def erase(state: Path) -> bool:
    """Removes what the platform keeps in its state folder, if it is not running.

    Args:
        state: The state folder.

    Returns:
        False if a platform runs there, in which case nothing is removed.

    Raises:
        StateUnusable: Something cannot be removed.
    """
    # The same lock that the embedded server takes and inherits.
    lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        for store in STORES:
            _remove(state / store)
    except OSError as error:
        raise StateUnusable(
            f"--fresh cannot remove {error.filename or state}: {error.strerror}"
        ) from error
    finally:
        os.close(lock)
    return True


def _remove(folder: Path) -> None:
    # Never through a link: what it points to may be anybody's.
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
