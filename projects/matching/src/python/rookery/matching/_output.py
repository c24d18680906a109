"""Matches to standard output, for the command line."""

from __future__ import annotations

from io import IOBase
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rookery.matching._input import InputError
from rookery.matching._options import Output
from rookery.records import MATCH, empty, to_csv, to_jsonl


class Writer:
    """Writes matches as they come.

    Args:
        output: What they are written in.
        to: Where to.

    Raises:
        InputError: If Parquet is to go to a terminal.
    """

    def __init__(self, output: Output, to: BinaryIO) -> None:
        if output is Output.PARQUET and to.isatty():
            raise InputError("Parquet is not for the eyes: send it to a file with >")
        self._output = output
        self._to = to
        self._begun = False
        self._parquet: pyarrow.parquet.ParquetWriter | None = None

    def write(self, matches: pa.RecordBatch) -> None:
        """Writes some.

        Args:
            matches: A batch of `MATCH`.
        """
        match self._output:
            case Output.JSONL:
                self._to.write(to_jsonl(matches))
            case Output.CSV:
                header, _, records = to_csv(matches).partition(b"\n")
                self._to.write(records if self._begun else header + b"\n" + records)
            case Output.PARQUET:
                if self._parquet is None:
                    # A pipe cannot tell where it stands, so Arrow is told.
                    self._parquet = pyarrow.parquet.ParquetWriter(
                        pa.PythonFile(cast(IOBase, self._to), mode="w"),
                        MATCH,
                        compression="zstd",
                    )
                self._parquet.write_batch(matches)
            case Output.TABLE:
                _print(matches)
        self._begun = True
        self._to.flush()

    def close(self) -> None:
        """Writes what belongs at the end, and what there has to be without a match."""
        if not self._begun and self._output in (Output.CSV, Output.PARQUET):
            self.write(empty(MATCH))
        if self._parquet is not None:
            self._parquet.close()
        self._to.flush()


def _print(matches: pa.RecordBatch) -> None:
    table = Table("id", "rules", "text", box=None, pad_edge=False, show_header=False)
    columns = matches.select(["id", "rules", "text", "spans"])
    for match in columns.to_pylist():
        table.add_row(match["id"], ", ".join(match["rules"]), marked(match))
    Console().print(table)


def marked(match: dict[str, Any]) -> Text:
    """Marks the words that matched.

    Args:
        match: A row of `MATCH`.

    Returns:
        Its text without control characters, so that none reaches the terminal.
    """
    shown = "".join(c if c.isprintable() else " " for c in match["text"])
    text = Text(shown)
    for span in match["spans"]:
        text.stylize("bold yellow", span["start"], span["end"])
    return text
