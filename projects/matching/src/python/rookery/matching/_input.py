"""Posts out of files and standard input, for the command line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from rookery.matching._errors import MatchingError
from rookery.matching._options import Format
from rookery.records import Parsed, RecordsError, read_csv, read_jsonl, read_parquet

STDIN: Final = Path("-")

# Lines are matched as they come, this many bytes at a time at most. A longer line is no
# post, whose text is 64 KiB at most.
_PIECE_BYTES: Final = 4 * 1024 * 1024

_PAIR: Final = re.compile(
    r"""\s*(?P<ours>\w+)\s*=\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^,'"][^,]*))
    \s*(?:,|$)""",
    re.VERBOSE,
)


class InputError(MatchingError):
    """Posts cannot be read."""


_BY_SUFFIX: Final = {
    ".csv": Format.CSV,
    ".json": Format.JSONL,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".parquet": Format.PARQUET,
}


@dataclass(frozen=True)
class Reading:
    """How posts are to be read.

    Attributes:
        format: What they are written in; None to go by the name of the file.
        columns: Our name of a column to theirs; what is not here goes by our name.
        time: Their name of `created_at`; `snowflake` if it is in the id.
        source: What to call the source; None to go by the name of the file.
        now: When they are read.
    """

    format: Format | None
    columns: Mapping[str, str]
    time: str | None
    source: str | None
    now: datetime
    stdin: BinaryIO = field(default_factory=lambda: sys.stdin.buffer)

    def read(self, path: Path) -> Iterator[Parsed]:
        """Reads a file.

        Args:
            path: The file; `-` is standard input.

        Yields:
            Its posts in pieces: JSON lines as they come, the other formats as a whole.

        Raises:
            InputError: If it cannot be read, or is in no format that posts come in.
        """
        try:
            if path == STDIN:
                yield from self._pieces(self.stdin, path)
            else:
                with path.open("rb") as file:
                    yield from self._pieces(file, path)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from error
        except RecordsError as error:
            raise InputError(f"{path}: {error}") from error

    def _pieces(self, file: BinaryIO, path: Path) -> Iterator[Parsed]:
        kind = self._format_of(path)
        where = "<stdin>" if path == STDIN else path.name
        source = self.source or _slug(path)
        if kind is Format.JSONL:
            if self.columns or self.time:
                raise InputError("JSON lines have our columns: --columns is for others")
            for data, line in _lines(file, where):
                yield read_jsonl(
                    data,
                    source=source,
                    ingested_at=self.now,
                    where=where,
                    first_line=line,
                )
            return
        read = read_csv if kind is Format.CSV else read_parquet
        yield read(
            file.read(),
            source=source,
            ingested_at=self.now,
            where=where,
            columns=self.columns,
            time=self.time,
        )

    def _format_of(self, path: Path) -> Format:
        if self.format is not None:
            return self.format
        if path == STDIN:
            return Format.JSONL
        try:
            return _BY_SUFFIX[path.suffix.lower()]
        except KeyError:
            known = ", ".join(_BY_SUFFIX)
            raise InputError(
                f"{path}: its name does not say what format it is in ({known}); "
                "say so with --format"
            ) from None


def parse_columns(text: str) -> dict[str, str]:
    """Reads what `--columns` takes.

    Args:
        text: `ours=theirs` with commas between; a name with a comma in it stands in
            quotes: `id='Tweet ID',text='Tweet Text'`.

    Returns:
        Our name to theirs.

    Raises:
        InputError: If the text is not of this form, or names a column twice.
    """
    columns: dict[str, str] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            raise InputError(
                f"--columns: expected ours=theirs at column {at + 1} of {text!r}, as in "
                "id='Tweet ID',text='Tweet Text'"
            )
        if pair["ours"] in columns:
            raise InputError(f"--columns names {pair['ours']!r} twice")
        theirs = pair["single"] or pair["double"] or pair["bare"] or ""
        columns[pair["ours"]] = theirs.strip()
        at = pair.end()
    return columns


def _lines(file: BinaryIO, where: str) -> Iterator[tuple[bytes, int]]:
    """Whole lines as soon as they are there, and the number of the first of them."""
    # A pipe gives what has come; a file gives all that was asked for.
    read = getattr(file, "read1", file.read)
    rest = b""
    line = 1
    while data := read(_PIECE_BYTES):
        rest += data
        end = rest.rfind(b"\n") + 1
        if not end:
            if len(rest) > _PIECE_BYTES:
                raise InputError(f"{where}:{line}: the line has no end; is this JSONL?")
            continue
        yield rest[:end], line
        line += rest.count(b"\n", 0, end)
        rest = rest[end:]
    if rest:
        yield rest, line


def _slug(path: Path) -> str:
    name = "stdin" if path == STDIN else path.stem
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "file"
