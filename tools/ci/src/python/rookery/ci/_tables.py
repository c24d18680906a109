"""Tables for terminals and for annotations."""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[str]


def columns(head: Row, rows: Sequence[Row]) -> list[str]:
    """Returns a table as aligned lines.

    Args:
        head: The names of the columns.
        rows: The cells, as many in each row.

    Returns:
        The lines, without line ends.
    """
    every = [head, *rows]
    widths = [max(len(row[place]) for row in every) for place in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in every
    ]


def markdown(head: Row, rows: Sequence[Row]) -> str:
    """Returns a table as Markdown.

    Args:
        head: The names of the columns.
        rows: The cells, as many in each row.

    Returns:
        The table, with its last line end.
    """
    every = [head, ["---"] * len(head), *rows]
    lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in every)
    return "".join(f"| {line} |\n" for line in lines)
