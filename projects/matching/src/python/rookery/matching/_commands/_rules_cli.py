"""The commands that read and change the rules in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rookery.matching._files._formats import RuleFormat

if TYPE_CHECKING:
    from rookery.matching.store import Done, Edit

# What a command works with is imported when it is called: help needs none of it.

app = typer.Typer(no_args_is_help=True)

Names = Annotated[list[str], typer.Argument(metavar="NAME", help="Names of rules.")]
Note = Annotated[str, typer.Option("--note", help="Why, for the history.")]
Who = Annotated[
    str | None,
    typer.Option(
        "--as", help="Who, for the history.", show_default="the name of your login"
    ),
]
IfVersion = Annotated[
    str | None,
    typer.Option("--if-version", help="Only if this version is in force."),
]
AllowEmpty = Annotated[
    bool, typer.Option("--allow-empty", help="Also if no rules are left.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", help="A tag; can be given several times.")
]
InputFormat = Annotated[
    RuleFormat | None,
    typer.Option("--format", help="What they are written in, if the name says not."),
]


@app.callback()
def rules_in_force() -> None:
    """Reads and changes the rules that match workers use.

    A change is in force within a second, and stands in the history. If
    somebody else changes the same rules at the same moment, one of you is told,
    and nothing is lost.

    ROOKERY_BUS says where they are; embedded: is the server of the folder
    ROOKERY_STATE.

    Exit codes: 0 done; 1 nothing to show, or rules differ; 64 wrong usage;
    65 rules or names that are wrong; 69 no bus; 75 somebody else was faster.
    """


@app.command()
def add(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="RULE",
            help="Rules such as 'fires = \"big fire\" -drill'; - for standard input.",
        ),
    ],
    tag: Tags = None,
    disabled: Annotated[
        bool, typer.Option("--disabled", help="They match nothing until enabled.")
    ] = False,
    format: InputFormat = None,
    note: Note = "",
    by: Who = None,
    if_version: IfVersion = None,
) -> None:
    """Adds rules to those in force: all of them, or none."""
    if "-" in given and len(given) > 1:
        raise typer.BadParameter("- stands alone: rules are read, or given")
    from rookery.matching._commands._in_force import given_rules
    from rookery.matching.store import Add

    rules = given_rules(given, format, tags=tag or (), disabled=disabled)
    _edit(Add(rules), note, by, if_version)


@app.command()
def change(
    name: Annotated[str, typer.Argument(help="The name of a rule.")],
    expression: Annotated[
        str | None,
        typer.Argument(help="Its expression from now on.", show_default="as it is"),
    ] = None,
    tag: Tags = None,
    no_tags: Annotated[
        bool, typer.Option("--no-tags", help="Take all its tags away.")
    ] = False,
    note: Note = "",
    by: Who = None,
    if_version: IfVersion = None,
) -> None:
    """Changes the expression of a rule in force, or its tags, or both."""
    if tag and no_tags:
        raise typer.BadParameter("--tag and --no-tags contradict each other")
    if expression is None and not tag and not no_tags:
        raise typer.BadParameter(
            "say what to change: an expression, --tag or --no-tags"
        )
    from rookery.matching._commands._in_force import given_expression
    from rookery.matching.store import Change

    rules = None if expression is None else given_expression(name, expression)
    tags = tuple(tag or ()) if tag or no_tags else None
    _edit(Change(name, rules, tags), note, by, if_version)


@app.command()
def enable(
    names: Names, note: Note = "", by: Who = None, if_version: IfVersion = None
) -> None:
    """Has rules match again that were disabled."""
    from rookery.matching.store import Switch

    _edit(Switch(tuple(names), enabled=True), note, by, if_version)


@app.command()
def disable(
    names: Names, note: Note = "", by: Who = None, if_version: IfVersion = None
) -> None:
    """Keeps rules in the set, but has them match nothing."""
    from rookery.matching.store import Switch

    _edit(Switch(tuple(names), enabled=False), note, by, if_version)


@app.command()
def remove(
    names: Names,
    allow_empty: AllowEmpty = False,
    note: Note = "",
    by: Who = None,
    if_version: IfVersion = None,
) -> None:
    """Removes rules from those in force: all of them, or none."""
    from rookery.matching.store import Remove

    _edit(Remove(tuple(names), allow_empty), note, by, if_version)


@app.command()
def put(
    rules: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A file of rules: text, one a line, or YAML, JSON lines, CSV; - for "
            "standard input.",
            show_default=False,
        ),
    ],
    format: InputFormat = None,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Also if there are no rules in it.")
    ] = False,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Only if no rules are in force yet.")
    ] = False,
    note: Note = "",
    by: Who = None,
    if_version: IfVersion = None,
) -> None:
    """Puts rules in force, in place of all that were; within a second they are used.

    If one of them cannot be read, all errors are named and nothing changes.
    """
    from rookery.matching._commands import _in_force

    read = _in_force.read_file(rules, format, allow_empty=allow_empty)
    signed = _in_force.signature(by, note)
    version = _in_force.on_bus(
        lambda bus: _in_force.put(bus, read, signed, if_version, if_none=if_none)
    )
    if version == read.version:
        typer.echo(f"{len(read):,} rules are in force, version {version}")
    else:
        typer.echo(f"rules are in force already, version {version}: nothing changed")


@app.command()
def show(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]", help="Names of rules.", show_default="all"),
    ] = None,
    format: Annotated[
        RuleFormat, typer.Option("--format", help="What to write them in.")
    ] = RuleFormat.TEXT,
    version: Annotated[
        str | None,
        typer.Option(help="Those of this version.", show_default="in force"),
    ] = None,
) -> int:
    """Writes the rules in force, as a file of rules; exits with 1 if there are none."""
    from rookery.matching._commands import _in_force
    from rookery.matching._commands._rules_shown import write_rules

    found = _in_force.on_bus(lambda bus: _in_force.listing(bus, version))
    if found is None:
        return _none_yet()
    chosen = _in_force.chosen(found, names or ())
    typer.echo(write_rules(chosen, format), nl=False)
    number = f"{len(chosen):,} of " if names else ""
    typer.echo(f"{number}{len(found):,} rules, version {found.version}", err=True)
    return 0


@app.command()
def history(
    rule: Annotated[
        str | None, typer.Option(help="Only the changes of this rule.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Only so many, the newest.", show_default=True)
    ] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON lines, with everything.")
    ] = False,
) -> int:
    """Shows who has changed rules, when, how and why, newest first.

    Exits with 1 if there is nothing to show. The newest 10,000 changes are kept.
    """
    from rookery.matching import store
    from rookery.matching._commands import _in_force
    from rookery.matching._commands._rules_shown import entry_fields, write_entry

    found = _in_force.on_bus(lambda bus: store.history(bus, rule=rule, limit=limit))
    for entry in found:
        if as_json:
            typer.echo(json.dumps(entry_fields(entry), ensure_ascii=False))
        else:
            for line in write_entry(entry):
                typer.echo(line)
    if found:
        return 0
    if rule is None:
        return _none_yet()
    typer.echo(f"no change of a rule {rule!r} is known", err=True)
    return 1


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="VERSION", help="A version.")],
    after: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERSION]", help="Another version.", show_default="in force"
        ),
    ] = None,
) -> int:
    """Shows how two versions differ: - what was, + what is; exits with 1 if they do.

    The first characters of a version are enough.
    """
    from rookery.bus import Bus
    from rookery.matching import store
    from rookery.matching._commands import _in_force
    from rookery.matching._commands._rules_shown import counted, summary, write_changes

    async def read(bus: Bus) -> tuple[store.Listing | None, store.Listing | None]:
        first = await _in_force.listing(bus, before)
        return first, await _in_force.listing(bus, after)

    old, new = _in_force.on_bus(read)
    if old is None or new is None:
        return _none_yet()
    changes = store.compare(old, new)
    for line in write_changes(changes):
        typer.echo(line)
    said = summary(counted(changes)) if changes else "no difference"
    typer.echo(f"{said}, from version {old.version} to {new.version}", err=True)
    return 1 if changes else 0


@app.command()
def restore(
    version: Annotated[
        str, typer.Argument(help="A version of the history, or how it begins.")
    ],
    note: Note = "",
    by: Who = None,
    if_version: IfVersion = None,
) -> None:
    """Puts the rules of a former version in force again."""
    from rookery.matching._commands import _in_force

    signed = _in_force.signature(by, note)
    _tell(
        _in_force.on_bus(
            lambda bus: _in_force.restore(bus, version, signed, if_version)
        )
    )


def _edit(change: Edit, note: str, by: str | None, if_version: str | None) -> None:
    from rookery.matching._commands import _in_force

    signed = _in_force.signature(by, note)
    _tell(_in_force.on_bus(lambda bus: _in_force.edit(bus, change, signed, if_version)))


def _tell(done: Done) -> None:
    from rookery.matching._commands._rules_shown import summary

    said = "nothing changed"
    if done.entry is not None and done.entry.counts is not None:
        said = summary(done.entry.counts)
    typer.echo(f"{said}: {done.rules:,} rules are in force, version {done.version}")


def _none_yet() -> int:
    typer.echo("no rules are in force yet; put some: match rules put FILE", err=True)
    return 1
