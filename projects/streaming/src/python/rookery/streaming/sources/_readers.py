"""Reads one file: text by bytes, Parquet by rows. Blocking, for use in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from rookery.records import Parsed, posts_from_columns
from rookery.streaming._errors import SourceFormatError, SourceUnreadable
from rookery.streaming.formats import Columns, Format, TextParser, detect, read_header
from rookery.streaming.formats._cut import MAX_RECORD_BYTES, MAX_RECORDS
from rookery.streaming.sources._state import (
    HEAD_BYTES,
    FileState,
    cannot_read,
    check_text,
    check_whole,
    read_at,
    text_identity,
    whole_identity,
)

_Column: TypeAlias = "pa.Array[Any]"

READ_BYTES = 1024 * 1024


class Reader(Protocol):
    """Reads one file from where it was left."""

    def read(self, now: datetime, *, final: bool) -> Parsed | None:
        """Reads on.

        Args:
            now: The time at which posts are taken in.
            final: Whether the file is complete, so that its last line needs no line
                feed.

        Returns:
            At most about a thousand posts, or None at the end.
        """

    def state(self) -> FileState | None:
        """How far it was read; None if nothing was."""

    def close(self) -> None:
        """Closes the file."""


def open_reader(
    path: Path,
    *,
    source: str,
    name: str,
    file_format: Format | None,
    columns: Columns,
    state: FileState | None,
) -> Reader:
    """Opens a file where it was left.

    Args:
        path: The file.
        source: Name of the source.
        name: What to call the file in the `where` of a record that is no post.
        file_format: Its format, None to find out.
        columns: Where the columns of a post come from.
        state: How far it was read, None if it is new.

    Returns:
        What reads it.
    """
    found = file_format or detect(name, read_at(path, 0, 64))
    if found is Format.PARQUET:
        return ParquetReader(
            path, source=source, name=name, columns=columns, state=state
        )
    return TextReader(
        path, found, source=source, name=name, columns=columns, state=state
    )


class TextReader:
    """Reads JSON lines or CSV in bounded memory.

    Args:
        path: The file.
        text_format: Its format.
        source: Name of the source.
        name: What to call it in the `where` of a record that is no post.
        columns: Where the columns of a post come from.
        state: How far it was read, None if it is new.

    Raises:
        SourceUnreadable: If it cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        text_format: Format,
        *,
        source: str,
        name: str,
        columns: Columns,
        state: FileState | None,
    ) -> None:
        self._path = path
        self._state = state
        header = b""
        if state is not None:
            check_text(state)
            if text_format is Format.CSV:
                header = read_header(read_at(path, 0, MAX_RECORD_BYTES))
        self._parser = TextParser(
            text_format,
            columns,
            source=source,
            name=name,
            line=state.line if state else 1,
            header=header,
        )
        try:
            # The file is held as long as it is read.
            self._file = path.open("rb", buffering=0)
            self._file.seek(state.offset if state else 0)
        except OSError as error:
            raise SourceUnreadable(cannot_read(path, error)) from error

    def read(self, now: datetime, *, final: bool) -> Parsed | None:
        """Reads on; see `Reader`.

        Args:
            now: The time at which posts are taken in.
            final: Whether the file is complete.

        Returns:
            The next posts, or None at the end.

        Raises:
            SourceUnreadable: If it cannot be read any more.
        """
        while (step := self._parser.next(now)) is None:
            try:
                data = self._file.read(READ_BYTES)
            except OSError as error:
                raise SourceUnreadable(cannot_read(self._path, error)) from error
            if data:
                self._parser.feed(data)
                continue
            step = self._parser.next(now, final=True) if final else None
            if step is None:
                self._check()
                return None
            break
        before = self._state
        offset = (before.offset if before else 0) + step.consumed
        if before and before.offset >= HEAD_BYTES:
            identity = before.identity
        else:
            identity = text_identity(self._path, offset)
        self._state = FileState(str(self._path), offset, step.line, identity)
        return step.parsed

    def _check(self) -> None:
        if self._state is not None:
            check_text(self._state)

    def state(self) -> FileState | None:
        """How far it was read; None if nothing was."""
        return self._state

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class ParquetReader:
    """Reads Parquet, row group by row group.

    Args:
        path: The file.
        source: Name of the source.
        name: What to call it in the `where` of a record that is no post.
        columns: Where the columns of a post come from.
        state: How far it was read, None if it is new.

    Raises:
        SourceUnreadable: If it cannot be opened.
        SourceFormatError: If it is not Parquet.
    """

    def __init__(
        self,
        path: Path,
        *,
        source: str,
        name: str,
        columns: Columns,
        state: FileState | None,
    ) -> None:
        if state is not None:
            check_whole(state)
        self._path = path
        self._source = source
        self._name = name
        self._columns = columns
        self._row = state.offset if state else 0
        self._identity = state.identity if state else whole_identity(path)
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SourceFormatError(f"{path} is not a Parquet file: {error}") from error
        except OSError as error:
            raise SourceUnreadable(cannot_read(path, error)) from error
        self._batches = self._iterate()

    def _iterate(self) -> Iterator[pa.RecordBatch]:
        groups, skip = self._remaining()
        for batch in self._file.iter_batches(
            MAX_RECORDS, row_groups=groups, use_threads=False
        ):
            if skip >= batch.num_rows:
                skip -= batch.num_rows
                continue
            yield batch.slice(skip)
            skip = 0

    def _remaining(self) -> tuple[list[int], int]:
        """The row groups not read to their end, and the rows to skip in the first."""
        metadata = self._file.metadata
        skip = self._row
        for group in range(metadata.num_row_groups):
            rows = metadata.row_group(group).num_rows
            if skip < rows:
                return list(range(group, metadata.num_row_groups)), skip
            skip -= rows
        return [], 0

    def read(self, now: datetime, *, final: bool) -> Parsed | None:
        """Reads on; see `Reader`.

        Args:
            now: The time at which posts are taken in.
            final: Has no meaning here: a Parquet file is complete.

        Returns:
            The next posts, or None at the end.

        Raises:
            SourceFormatError: If the file is damaged.
        """
        try:
            batch = next(self._batches, None)
        except (pa.ArrowInvalid, OSError) as error:
            raise SourceFormatError(
                f"{self._path} is damaged behind row {self._row:,}: {error}"
            ) from error
        if batch is None:
            return None
        first = self._row + 1
        self._row += batch.num_rows
        return posts_from_columns(
            self._renamed(batch),
            source=self._source,
            ingested_at=now,
            where=lambda row: f"{self._name}:{first + row}",
        )

    def _renamed(self, batch: pa.RecordBatch) -> dict[str, _Column]:
        theirs = dict(zip(batch.schema.names, batch.columns, strict=True))
        renamed = set(self._columns.names.values())
        ours = {n: c for n, c in theirs.items() if n not in renamed}
        for name, their_name in self._columns.names.items():
            if their_name in theirs:
                ours[name] = theirs[their_name]
        if self._columns.time and self._columns.time in theirs:
            ours["created_at"] = theirs[self._columns.time]
        return ours

    def state(self) -> FileState | None:
        """How far it was read; None if nothing was."""
        if not self._row:
            return None
        return FileState(str(self._path), self._row, self._row + 1, self._identity)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
