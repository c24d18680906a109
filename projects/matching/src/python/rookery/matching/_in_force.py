"""What the commands do that read and change the rules in force."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from rookery.matching._errors import MatchingError
from rookery.matching._input import STDIN
from rookery.matching._rules import RuleSet


class NoRules(MatchingError):
    """There are no rules where some were expected."""


def put_rules(
    path: Path, *, allow_empty: bool, if_none: bool = False
) -> tuple[RuleSet, str]:
    """Puts the rules of a file in force.

    Args:
        path: The file; `-` is standard input.
        allow_empty: Whether no rules at all are meant.
        if_none: Whether rules that are in force already are to stay.

    Returns:
        The rules of the file, and the version that is in force now.

    Raises:
        NoRules: There is none in it, and that is not said to be meant.
    """
    rules = _read_stdin() if path == STDIN else RuleSet.load(path)
    if not rules and not allow_empty:
        raise NoRules(
            f"{path}: there are no rules in it, so nothing would be matched any more; "
            "say --allow-empty if that is meant"
        )
    # Imported late: most commands of this program need no bus.
    from rookery.bus import connect
    from rookery.matching import store
    from rookery.service import Settings, configure_logging

    settings = Settings()
    configure_logging(settings, process="match")

    async def publish() -> str:
        async with connect(settings.bus, name="rules", state=settings.state) as bus:
            return await store.publish(bus, rules, if_none=if_none)

    return rules, asyncio.run(publish())


def _read_stdin() -> RuleSet:
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise MatchingError(f"<stdin>: byte {error.start} is not UTF-8") from error
    return RuleSet.parse(text.split("\n"), where="<stdin>")


def current_rules() -> RuleSet | None:
    """Reads the rules in force.

    Returns:
        The rules; None where none were ever put in force.
    """
    from rookery.bus import connect
    from rookery.matching import store
    from rookery.service import Settings, configure_logging

    settings = Settings()
    configure_logging(settings, process="match")

    async def read() -> RuleSet | None:
        async with connect(settings.bus, name="rules", state=settings.state) as bus:
            return await store.current(bus)

    return asyncio.run(read())
