"""A group of commands of which one need not be named."""

from __future__ import annotations

from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typing_extensions import override

DEFAULT: Final = "match"


class DefaultGroup(TyperGroup):
    """Takes what does not begin with the name of a command for the default one's."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the arguments, with the name of the default command where it fails."""
        own = {name for option in self.get_params(ctx) for name in option.opts}
        if args and args[0] not in self.commands and args[0] not in own:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


class _DefaultContext(typer.Context):
    @property
    @override
    def command_path(self) -> str:
        """What a person types: without the name that need not be given."""
        return super().command_path if self.parent is None else self.parent.command_path


class DefaultCommand(TyperCommand):
    """The command that need not be named."""

    context_class = _DefaultContext
