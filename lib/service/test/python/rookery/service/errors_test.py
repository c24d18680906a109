import asyncio
from typing import ClassVar

import pytest
import typer
from typer.exceptions import TyperException

from rookery.service import (
    DrainTimeout,
    PortTaken,
    ServiceError,
    SettingsInvalid,
    describe,
    exit_code_of,
)


class _BadData(Exception):
    """The data are bad.

    More about it.
    """

    exit_code: ClassVar[int] = 65


class _WithACodeOfItsOwnMeaning(Exception):
    exit_code = "not a number"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsInvalid(), 78),
        (PortTaken(), 69),
        (DrainTimeout(), 75),
        (ServiceError(), 70),
        (_BadData(), 65),
        (typer.BadParameter("no"), 64),
        (TyperException("no"), 64),
        (typer.Exit(3), 3),
        (SystemExit(4), 4),
        (SystemExit("text"), 1),
        (SystemExit(None), 0),
        (KeyboardInterrupt(), 130),
        (asyncio.CancelledError(), 130),
        (ValueError("x"), 70),
        (OSError(2, "x"), 70),
        (_WithACodeOfItsOwnMeaning(), 70),
        (ExceptionGroup("g", [_BadData(), PortTaken()]), 65),
        (ExceptionGroup("g", [ExceptionGroup("h", [_BadData()])]), 65),
        (ExceptionGroup("a bug is not hidden", [_BadData(), KeyError("x")]), 70),
    ],
)
def test_an_error_has_the_exit_code_of_its_kind(
    error: BaseException, code: int
) -> None:
    assert exit_code_of(error) == code


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PortTaken(), "The port to listen on is used by another process."),
        (_BadData(), "The data are bad."),
        (_BadData("row 3: no id"), "row 3: no id"),
        (KeyError("x"), "unexpected, a bug: KeyError: 'x'"),
        (ValueError(), "unexpected, a bug: ValueError: Inappropriate argument value"),
        (ExceptionGroup("g", [_BadData("a"), PortTaken("b")]), "a; b"),
        (ExceptionGroup("g", [_BadData("a"), _BadData("a")]), "a"),
        (
            ExceptionGroup("g", [_BadData("a"), KeyError("x")]),
            "unexpected, a bug: KeyError: 'x'",
        ),
        (typer.BadParameter("too big"), "Invalid value: too big"),
    ],
)
def test_the_text_says_what_went_wrong(error: BaseException, text: str) -> None:
    assert describe(error).startswith(text)
