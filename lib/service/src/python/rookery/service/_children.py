"""How a process of the platform starts another one."""

import os
import sys
from collections.abc import Mapping
from typing import Final

from rookery.service._parent import PARENT_VARIABLE


def module_command(module: str, *arguments: str) -> list[str]:
    """Returns the command that runs a module with this interpreter.

    Args:
        module: Name of the module, such as `rookery.streaming`.
        *arguments: Its arguments. Never a secret: every user can list processes.

    Returns:
        The command, for a child with `child_environment`.
    """
    return [sys.executable, "-m", module, *arguments]


def _began_in() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        # It was removed, so that nothing relative is there any more.
        return os.sep


# What is relative in the module path is so to where the process began, and not to where
# it has gone since.
_BEGAN_IN: Final = _began_in()


def child_environment(
    extra: Mapping[str, str] | None = None, *, bound: bool = True
) -> dict[str, str]:
    """Returns the environment in which a child finds the same modules.

    Args:
        extra: Variables to add or replace.
        bound: Whether the child ends when this process does.

    Returns:
        This environment with the module path, and the number of this process where
        the child is bound to it.
    """
    environment = dict(os.environ)
    # In a zipapp the interpreter alone finds nothing; "" would be the child's folder,
    # and so would a relative path, which a sandbox has, if the child starts elsewhere.
    paths = [
        os.path.normpath(os.path.join(_BEGAN_IN, path)) for path in sys.path if path
    ]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment["PYTHONUNBUFFERED"] = "1"
    environment.pop(PARENT_VARIABLE, None)
    if bound:
        environment[PARENT_VARIABLE] = str(os.getpid())
    return environment | dict(extra or {})
