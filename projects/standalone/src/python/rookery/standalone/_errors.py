"""What prevents the platform from running on this machine."""

import os
from typing import ClassVar


class StandaloneError(Exception):
    """The platform could not run on this machine."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class StateUnusable(StandaloneError):
    """The state folder cannot be used."""

    exit_code: ClassVar[int] = os.EX_CONFIG


class NotStandalone(StandaloneError):
    """The settings describe a platform on more than one machine."""

    exit_code: ClassVar[int] = os.EX_CONFIG


class ComponentFailed(StandaloneError):
    """A component does not stay up."""

    exit_code: ClassVar[int] = os.EX_UNAVAILABLE


class ComponentMisused(ComponentFailed):
    """A component was started with arguments that it cannot use."""

    exit_code: ClassVar[int] = os.EX_USAGE


class ComponentRefusedData(ComponentFailed):
    """A component was given data that it cannot use."""

    exit_code: ClassVar[int] = os.EX_DATAERR


class ComponentMisconfigured(ComponentFailed):
    """A component was started with settings that it cannot use."""

    exit_code: ClassVar[int] = os.EX_CONFIG


_FINAL: tuple[type[ComponentFailed], ...] = (
    ComponentMisused,
    ComponentRefusedData,
    ComponentMisconfigured,
)


def final_error(exit_code: int) -> type[ComponentFailed] | None:
    """Says whether it is in vain to start a component again.

    Args:
        exit_code: How it ended.

    Returns:
        The error to stop with, None if another start may go better.
    """
    return next((error for error in _FINAL if error.exit_code == exit_code), None)


def meaning(exit_code: int) -> str:
    """Says in words how a process ended.

    Args:
        exit_code: Its exit code, negative for a signal.

    Returns:
        Such as `was killed by signal 9` or `ended with code 70`.
    """
    if exit_code < 0:
        return f"was ended by signal {-exit_code}"
    return f"ended with code {exit_code}"
