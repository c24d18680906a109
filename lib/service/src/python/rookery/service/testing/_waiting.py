"""Waiting for a condition, with a deadline and without guessing how long."""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar, overload

import pytest

T = TypeVar("T")

POLL_SECONDS = 0.02


def eventually(
    condition: Callable[[], T | None], *, timeout: float = 10.0, message: str = ""
) -> T:
    """Waits until a condition holds.

    Args:
        condition: Called again and again, until what it returns is true.
        timeout: Seconds after which the test fails.
        message: What was waited for.

    Returns:
        What the condition returned.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            _too_late(timeout, message, value)
        time.sleep(POLL_SECONDS)
    return value


@overload
async def eventually_async(
    condition: Callable[[], Coroutine[Any, Any, T]],
    *,
    timeout: float = ...,
    message: str = ...,
) -> T: ...


@overload
async def eventually_async(
    condition: Callable[[], T], *, timeout: float = ..., message: str = ...
) -> T: ...


async def eventually_async(
    condition: Callable[[], Any], *, timeout: float = 10.0, message: str = ""
) -> Any:
    """Waits in an event loop until a condition, which may be a coroutine, holds.

    Args:
        condition: Called again and again, until what it returns is true.
        timeout: Seconds after which the test fails.
        message: What was waited for.

    Returns:
        What the condition returned.
    """
    deadline = time.monotonic() + timeout
    while True:
        returned = condition()
        value = await returned if inspect.isawaitable(returned) else returned
        if value:
            return value
        if time.monotonic() > deadline:
            _too_late(timeout, message, value)
        await asyncio.sleep(POLL_SECONDS)


def _too_late(timeout: float, message: str, value: object) -> NoReturn:
    waited = message or "the condition"
    pytest.fail(f"not within {timeout:g} s: {waited} (last: {value!r})")
