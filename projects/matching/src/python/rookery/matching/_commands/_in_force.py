"""What the commands do that read and change the rules in force."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from rookery.bus import Bus, connect
from rookery.matching import store
from rookery.matching._commands._input import STDIN
from rookery.matching._errors import MatchingError
from rookery.matching._files._formats import RuleFormat
from rookery.matching._rules import RuleSet
from rookery.matching._store._changes import MAX_BY
from rookery.matching._store._edits import NoRules, check_known, tidy
from rookery.service import Settings, configure_logging

_T = TypeVar("_T")


def read_file(path: Path, format: RuleFormat | None, *, allow_empty: bool) -> RuleSet:
    """Reads a file of rules.

    Args:
        path: The file; `-` is standard input.
        format: What it is written in; None to go by its name.
        allow_empty: Whether no rules at all are meant.

    Returns:
        The rules.

    Raises:
        NoRules: There is none in it, and that is not said to be meant.
    """
    if path == STDIN:
        rules = _read_stdin(format or RuleFormat.TEXT)
    else:
        rules = RuleSet.load(path, format=format)
    if not rules and not allow_empty:
        raise NoRules(
            f"{path}: there are no rules in it, so nothing would be matched any more; "
            "say --allow-empty if that is meant"
        )
    return rules


def _read_stdin(format: RuleFormat) -> RuleSet:
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise MatchingError(f"<stdin>: byte {error.start} is not UTF-8") from error
    return RuleSet.read(text, format, where="<stdin>")


def given_rules(
    given: Sequence[str],
    format: RuleFormat | None,
    *,
    tags: Sequence[str],
    disabled: bool,
) -> RuleSet:
    """Reads rules of the command line.

    Args:
        given: One rule each, or `-` alone for those on standard input.
        format: What those on standard input are written in.
        tags: What all of them are tagged with besides.
        disabled: Whether none of them is to match anything.

    Returns:
        The rules.

    Raises:
        NoRules: There are none.
    """
    if list(given) == ["-"]:
        rules = _read_stdin(format or RuleFormat.TEXT)
    else:
        rules = RuleSet.parse(given, where="<argument>")
    if not rules:
        raise NoRules("there are no rules to add")
    return RuleSet(
        tuple(
            replace(
                rule,
                tags=tidy([*rule.tags, *tags]),
                enabled=rule.enabled and not disabled,
            )
            for rule in rules.rules
        )
    )


def given_expression(name: str, expression: str) -> RuleSet:
    """Reads the new expression of a rule.

    Args:
        name: The name of the rule.
        expression: Its expression, or the whole line with its name.

    Returns:
        The one rule.

    Raises:
        MatchingError: It is none, or that of another rule.
    """
    rules = RuleSet.parse([expression], where="<argument>")
    if len(rules) != 1:
        raise MatchingError("there is no expression to change it to")
    (rule,) = rules.rules
    if rule.id not in (rule.text, name):
        raise MatchingError(
            f"the rule {name!r} keeps its name: give its expression without "
            f"`{rule.id} =`, or remove it and add the other one"
        )
    return rules


def signature(by: str | None, note: str) -> store.Signature:
    """Says who changes rules, and why.

    Args:
        by: Who; None for whoever is logged in.
        note: Why.

    Returns:
        The signature.
    """
    return store.Signature(_user()[:MAX_BY] if by is None else by, note)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return str(os.getuid())


def on_bus(use: Callable[[Bus], Awaitable[_T]]) -> _T:
    """Does something with the bus that the settings name.

    Args:
        use: What to do.

    Returns:
        What came of it.
    """
    settings = Settings()
    configure_logging(settings, process="match")

    async def connected() -> _T:
        async with connect(settings.bus, name="rules", state=settings.state) as bus:
            return await use(bus)

    return asyncio.run(connected())


async def edit(
    bus: Bus, change: store.Edit, signed: store.Signature, expect: str | None
) -> store.Done:
    """Changes the rules in force.

    Args:
        bus: The bus.
        change: What to change.
        signed: Who does it, and why.
        expect: The beginning of the version that has to be in force; None: any.

    Returns:
        What became of it.
    """
    expect = await _complete(bus, expect)
    return await store.edit(bus, change, signature=signed, expect=expect)


async def put(
    bus: Bus,
    rules: RuleSet,
    signed: store.Signature,
    expect: str | None,
    *,
    if_none: bool,
) -> str:
    """Replaces all rules.

    Args:
        bus: The bus.
        rules: The rules from now on.
        signed: Who does it, and why.
        expect: The beginning of the version that has to be in force; None: any.
        if_none: Whether rules that are in force already are to stay.

    Returns:
        The version that is in force now.
    """
    expect = await _complete(bus, expect)
    return await store.publish(
        bus, rules, if_none=if_none, signature=signed, expect=expect
    )


async def restore(
    bus: Bus, version: str, signed: store.Signature, expect: str | None
) -> store.Done:
    """Puts rules in force again.

    Args:
        bus: The bus.
        version: The beginning of their version.
        signed: Who does it, and why.
        expect: The beginning of the version that has to be in force; None: any.

    Returns:
        What became of it.
    """
    version = await store.find_version(bus, version)
    expect = await _complete(bus, expect)
    return await store.restore(bus, version, signature=signed, expect=expect)


async def listing(bus: Bus, version: str | None = None) -> store.Listing | None:
    """Reads rules as they are stored.

    Args:
        bus: The bus.
        version: The beginning of their version; None: those in force.

    Returns:
        The rules; None where none were ever put in force.
    """
    if version is not None:
        return await store.listing(bus, await store.find_version(bus, version))
    pointer = await store.pointer(bus)
    return None if pointer is None else await store.listing(bus, pointer.version)


def chosen(listing: store.Listing, names: Sequence[str]) -> store.Listing:
    """Picks rules by name; unknown ones are an error.

    Args:
        listing: The rules.
        names: Names; none: all rules.

    Returns:
        Those rules, in the order of the names.
    """
    if not names:
        return listing
    check_known(names, listing)
    return store.Listing({name: listing.rules[name] for name in names})


async def _complete(bus: Bus, version: str | None) -> str | None:
    return None if version is None else await store.find_version(bus, version)
