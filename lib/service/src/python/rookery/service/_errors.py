"""Errors of this package, and the exit code and the text of anybody's error."""

import asyncio
import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import ClassVar

from typer.exceptions import Exit, TyperException


class ServiceError(Exception):
    """A process could not do its work."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class SettingsInvalid(ServiceError):
    """A setting has a value that cannot be used."""

    exit_code: ClassVar[int] = os.EX_CONFIG


class BuildInvalid(ServiceError):
    """What a build says of itself cannot be used."""

    exit_code: ClassVar[int] = os.EX_CONFIG


class PortTaken(ServiceError):
    """The port to listen on is used by another process."""

    exit_code: ClassVar[int] = os.EX_UNAVAILABLE


class DrainTimeout(ServiceError):
    """The work in hand was not finished before the drain deadline."""

    exit_code: ClassVar[int] = os.EX_TEMPFAIL


class Forced(ServiceError):
    """A second signal ended the process before it had drained."""

    exit_code: ClassVar[int] = 128
    signum: int = 0


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yields the errors inside exception groups, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def exit_code_of(error: BaseException) -> int:
    """Says with which exit code a process ends because of an error.

    An error root of the platform carries its code as `exit_code` (sysexits). Of a
    group the code of a bug wins, because it must not be hidden; otherwise the first.

    Args:
        error: What reached the top of the process.

    Returns:
        The exit code: 64 for wrong usage, 130 for an interrupt, the error's own
        `exit_code`, and 70 for everything unexpected.
    """
    codes = [_exit_code_of_one(leaf) for leaf in leaves(error)]
    return os.EX_SOFTWARE if os.EX_SOFTWARE in codes else codes[0]


def _exit_code_of_one(error: BaseException) -> int:
    match error:
        case Exit():
            return error.exit_code
        case TyperException():
            return os.EX_USAGE
        case KeyboardInterrupt() | asyncio.CancelledError():
            return 130
        case Forced():
            return 128 + error.signum
        case SystemExit():
            return error.code if isinstance(error.code, int) else int(bool(error.code))
    code = getattr(type(error), "exit_code", None)
    return code if isinstance(code, int) else os.EX_SOFTWARE


def is_expected(error: BaseException) -> bool:
    """Tells an error that speaks for itself from one that needs a traceback."""
    return all(
        not isinstance(leaf, Exception)
        or isinstance(leaf, TyperException | Exit)
        or isinstance(getattr(type(leaf), "exit_code", None), int)
        for leaf in leaves(error)
    )


def describe(error: BaseException) -> str:
    """Says in one line (more only where the error itself has more) what went wrong.

    Args:
        error: What reached the top of the process.

    Returns:
        The text that stands behind `error: `.
    """
    if is_expected(error):
        return "; ".join(dict.fromkeys(_text(leaf) for leaf in leaves(error)))
    unexpected = [leaf for leaf in leaves(error) if not is_expected(leaf)]
    return "unexpected, a bug: " + "; ".join(
        f"{type(leaf).__name__}: {_text(leaf)}" for leaf in unexpected
    )


def _text(error: BaseException) -> str:
    if isinstance(error, TyperException):
        return error.format_message()
    default = (type(error).__doc__ or type(error).__name__).strip()
    return str(error) or default.partition("\n")[0]


def reader_is_gone() -> bool:
    """Whether nobody reads standard output any more, as behind `| head`.

    Returns:
        True if it is a pipe without a reader; what is left to write goes nowhere then,
        so that the interpreter does not complain about it at its end.
    """
    with contextlib.suppress(OSError, ValueError):
        descriptor = sys.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, 0)
        if any(event & select.POLLERR for _, event in poll.poll(0)):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
            return True
    return False
