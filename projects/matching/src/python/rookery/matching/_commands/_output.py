"""Matches out, in what was asked for."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from io import IOBase
from typing import Any, BinaryIO, Final, cast

import pyarrow as pa
import pyarrow.parquet

from rookery.matching._commands._input import Misuse
from rookery.matching._commands._options import Output
from rookery.matching._commands._table import TableWriter
from rookery.records import MATCH, empty, to_csv, to_jsonl

# A column that can be asked for: the version of the rules that a match was found with.
RULESET: Final = "ruleset"
RULESET_KEY: Final = b"rookery.ruleset"
_ROW_GROUP: Final = 64 * 1024
_IN_TABLE: Final = ("id", "rules", "text")


def parse_select(text: str | None) -> tuple[str, ...] | None:
    """Reads what `--select` takes.

    Args:
        text: Names of columns of `MATCH`, and `ruleset`, with commas between; None if
            nothing was asked for.

    Returns:
        The names; None for all.

    Raises:
        Misuse: There is no such column, or it is named twice.
    """
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    known = (*MATCH.names, RULESET)
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else ""
            raise Misuse(
                f"--select: there is no column {name!r}; "
                + (hint or f"there are {', '.join(known)}")
            )
        if names.count(name) > 1:
            raise Misuse(f"--select names {name} twice")
    return names


class Writer:
    """Writes matches as they come.

    Args:
        output: What they are written in.
        to: Where to.
        select: Which columns; None for all (of a table, those that fit).
        version: The version of the rules they were found with.

    Raises:
        Misuse: If Parquet is to go to a terminal.
    """

    def __init__(
        self,
        output: Output,
        to: BinaryIO,
        *,
        select: Sequence[str] | None = None,
        version: str = "",
    ) -> None:
        if output is Output.PARQUET and to.isatty():
            raise Misuse("Parquet is not for the eyes: send it to a file with --to")
        if select is None:
            select = _IN_TABLE if output is Output.TABLE else MATCH.names
        self._output = output
        self._to = to
        self._select = select
        self._version = version
        self._begun = False
        self._waiting: list[pa.RecordBatch] = []
        self._parquet: pyarrow.parquet.ParquetWriter | None = None
        self._table = TableWriter(to) if output is Output.TABLE else None

    @property
    def _schema(self) -> pa.Schema:
        extra = pa.field(RULESET, pa.string())
        fields = [extra if n == RULESET else MATCH.field(n) for n in self._select]
        metadata: dict[bytes | str, bytes | str] = {}
        if self._select == MATCH.names:
            metadata |= {name: value for name, value in (MATCH.metadata or {}).items()}
        metadata[RULESET_KEY] = self._version.encode()
        return pa.schema(fields, metadata)

    def write(self, matches: pa.RecordBatch) -> None:
        """Writes some.

        Args:
            matches: A batch of `MATCH`.
        """
        match self._output:
            case Output.JSONL:
                self._to.write(to_jsonl(self._chosen(matches)))
            case Output.CSV:
                self._to.write(to_csv(self._chosen(matches), header=not self._begun))
            case Output.PARQUET:
                self._write_parquet(self._chosen(matches))
            case Output.TABLE:
                assert self._table is not None  # nosec B101
                marks = matches.column("spans")
                self._table.write(self._chosen(matches), marks)
        self._begun = True
        self._to.flush()

    def _chosen(self, matches: pa.RecordBatch) -> pa.RecordBatch:
        columns: list[pa.Array[Any]] = [
            (
                pa.array([self._version] * matches.num_rows, pa.string())
                if name == RULESET
                else matches.column(name)
            )
            for name in self._select
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _write_parquet(self, matches: pa.RecordBatch) -> None:
        # Many small groups of rows make a large and slow file.
        self._waiting.append(matches)
        if sum(batch.num_rows for batch in self._waiting) >= _ROW_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        if self._parquet is None:
            # A pipe cannot tell where it stands, so Arrow is told.
            self._parquet = pyarrow.parquet.ParquetWriter(
                pa.PythonFile(cast(IOBase, self._to), mode="w"),
                self._schema,
                compression="zstd",
            )
        self._parquet.write_table(pa.Table.from_batches(self._waiting, self._schema))
        self._waiting = []

    def close(self) -> None:
        """Writes what belongs at the end, and what there has to be without a match."""
        if self._output is Output.CSV and not self._begun:
            self._to.write(to_csv(empty(self._schema)))
        if self._output is Output.PARQUET:
            self._write_group()
        if self._parquet is not None:
            self._parquet.close()
        self._to.flush()
