"""What the platform shows: named lines of its components, and how it is doing."""

import sys
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan")
_NAME_WIDTH = 8


class Screen:
    """Writes lines; on a terminal the progress stands below them and is renewed.

    Args:
        stream: Where to write; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        # Only a terminal gets colours and a line that moves. NO_COLOR is Rich's to obey.
        self._console = Console(file=self._stream, highlight=False, soft_wrap=True)
        self.is_live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._live: Live | None = None
        self._colours: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end_progress()

    def line(self, name: str, text: str) -> None:
        """Writes a line of a component.

        Args:
            name: The component.
            text: What it said; escape sequences for colours are kept on a terminal.
        """
        if not self.is_live:
            self._plain(f"{name:<{_NAME_WIDTH}} | {Text.from_ansi(text).plain}")
            return
        colour = self._colours.setdefault(
            name, _COLOURS[len(self._colours) % len(_COLOURS)]
        )
        shown = Text.assemble((f"{name:<{_NAME_WIDTH}} | ", colour))
        self._console.print(shown.append_text(Text.from_ansi(text)))

    def say(self, text: str) -> None:
        """Writes a line of the platform itself.

        Args:
            text: What a person should know.
        """
        if self.is_live:
            self._console.print(Text(text, style="bold"))
        else:
            self._plain(text)

    def progress(self, text: str) -> None:
        """Shows how the platform is doing, in place of what it showed before.

        Args:
            text: One line.
        """
        if not self.is_live:
            self._plain(text)
            return
        shown = Text(text, style="reverse", no_wrap=True, overflow="ellipsis")
        if self._live is None:
            self._live = Live(
                shown, console=self._console, auto_refresh=False, transient=True
            )
            self._live.start()
        self._live.update(shown, refresh=True)

    def end_progress(self) -> None:
        """Takes the progress away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _plain(self, text: str) -> None:
        print(text, file=self._stream, flush=True)
