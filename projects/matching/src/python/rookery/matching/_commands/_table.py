"""A table for the eyes that grows as rows come."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Sequence
from typing import Any, BinaryIO, Final

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

# What other columns than the text may take of the width, in characters.
_WIDEST: Final = 32
_NO_LIMIT: Final = 100_000


def printable(text: str) -> str:
    """Replaces control characters by spaces, so that none reaches the terminal.

    Args:
        text: Any text.

    Returns:
        As many characters.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " for c in text)


def marked(text: str, spans: Sequence[tuple[int, int]]) -> Text:
    """Marks words of a text.

    Args:
        text: The text.
        spans: Where the words are: start and end in characters.

    Returns:
        The text without control characters.
    """
    shown = Text(printable(text))
    for start, end in spans:
        shown.stylize("bold yellow", start, end)
    return shown


class TableWriter:
    """Writes rows under a header, each column as wide as the first rows need it.

    Args:
        to: Where to. Rows are cut into lines for a terminal only.
    """

    def __init__(self, to: BinaryIO) -> None:
        self._to = to
        self._widths: dict[str, int] = {}

    def write(self, rows: pa.RecordBatch, marks: pa.Array[Any]) -> None:
        """Writes some rows.

        Args:
            rows: Their columns.
            marks: The spans to mark in the column `text`.
        """
        if not rows.num_rows:
            return
        names = rows.schema.names
        columns: list[list[Any]] = [column.to_pylist() for column in rows.columns]
        spans: list[Any] = marks.to_pylist()
        cells = [
            [_cell(name, value, at) for name, value in zip(names, row, strict=True)]
            for row, at in zip(zip(*columns, strict=True), spans, strict=True)
        ]
        is_first = not self._widths
        if is_first:
            self._measure(names, cells)
        table = Table(box=None, pad_edge=False, show_header=is_first)
        for name in names:
            width = None if name == "text" else self._widths[name]
            table.add_column(name, width=width, overflow="fold")
        for row in cells:
            table.add_row(*row)
        self._to.write(self._drawn(table).encode())

    def _measure(self, names: Sequence[str], cells: list[list[Text]]) -> None:
        for at, name in enumerate(names):
            widest = max((row[at].cell_len for row in cells), default=0)
            self._widths[name] = max(len(name), min(widest, _WIDEST))

    def _drawn(self, table: Table) -> str:
        is_terminal = self._to.isatty()
        width = shutil.get_terminal_size().columns if is_terminal else _NO_LIMIT
        sink = io.StringIO()
        console = Console(
            file=sink,
            width=width,
            force_terminal=is_terminal and "NO_COLOR" not in os.environ,
        )
        console.print(table, soft_wrap=not is_terminal)
        lines = sink.getvalue().split("\n")
        return "\n".join(line.rstrip() for line in lines)


def _cell(name: str, value: object, spans: Sequence[dict[str, Any]]) -> Text:
    if name == "text":
        return marked(str(value), [(one["start"], one["end"]) for one in spans])
    if value is None:
        return Text("")
    if name == "spans" and isinstance(value, list):
        return Text(" ".join(f"{one['start']}-{one['end']}" for one in value))
    if isinstance(value, list):
        return Text(printable(", ".join(map(str, value))))
    return Text(printable(str(value)))
