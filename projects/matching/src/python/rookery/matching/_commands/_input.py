"""Posts out of files and standard input, for the command line."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ClassVar, Final, Literal

import pyarrow as pa

from rookery.matching._commands._bytes import Counted, Looked, Pipe
from rookery.matching._commands._options import Format
from rookery.matching._errors import MatchingError
from rookery.records import (
    POST,
    Parsed,
    RecordsError,
    SchemaError,
    stream_csv,
    stream_jsonl,
    stream_parquet,
)

STDIN: Final = Path("-")

_PAIR: Final = re.compile(
    r"""\s*(?P<ours>\w+)\s*=\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^,'"][^,]*))
    \s*(?:,|$)""",
    re.VERBOSE,
)


class InputError(MatchingError):
    """Posts cannot be read."""


class Misuse(MatchingError):
    """What was asked for cannot be done like that."""

    exit_code: ClassVar[int] = 64


class Unreadable(InputError):
    """A file cannot be opened or read."""

    exit_code: ClassVar[int] = 69


class Forbidden(InputError):
    """A file may not be read."""

    exit_code: ClassVar[int] = 77


_BY_SUFFIX: Final = {
    ".csv": Format.CSV,
    ".json": Format.JSONL,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".parquet": Format.PARQUET,
}
_PACKED: Final[dict[str, Literal["gzip", "zstd", "bz2", "lz4"]]] = {
    ".gz": "gzip",
    ".zst": "zstd",
    ".bz2": "bz2",
    ".lz4": "lz4",
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
        stdin: Standard input.
        count: Called with the number of bytes whenever some were read.
    """

    format: Format | None
    columns: Mapping[str, str]
    time: str | None
    source: str | None
    now: datetime
    stdin: BinaryIO = field(default_factory=lambda: sys.stdin.buffer)
    count: Callable[[int], None] = lambda size: None

    def check(self, paths: Sequence[Path]) -> int | None:
        """Looks whether files can be read at all, before the first one is.

        Args:
            paths: The files.

        Returns:
            How many bytes they have; None where that is not known, as of a pipe.

        Raises:
            Misuse: The options do not fit a file.
        """
        known: int | None = 0
        for path in paths:
            kind = self._format_of(path)
            if kind is Format.JSONL and (self.columns or self.time):
                raise Misuse(
                    f"{path}: JSON lines have our names of columns: --columns and --time "
                    "are for CSV and Parquet"
                )
            if kind is Format.PARQUET and path.suffix.lower() in _PACKED:
                raise Misuse(f"{path}: Parquet is compressed inside: unpack the file")
            for ours in self.columns:
                if ours not in POST.names:
                    raise Misuse(
                        f"--columns: a post has no column {ours!r}; it has "
                        f"{', '.join(POST.names)}"
                    )
            if path == STDIN:
                known = None
                continue
            with _reasons(path), path.open("rb"):
                is_file, size = path.is_file(), path.stat().st_size
            known = known + size if is_file and known is not None else None
        return known

    def read(self, path: Path) -> Iterator[Parsed]:
        """Reads a file, piece by piece.

        Args:
            path: The file; `-` is standard input.

        Yields:
            Its posts, and the records that are none. `InputError` is raised if it cannot
            be read, or is in no format that posts come in.
        """
        with _reasons(path):
            if path == STDIN:
                yield from self._posts(Pipe(self.stdin, self.count), path)
                return
            with Counted(path, self.count) as file:
                packed = _PACKED.get(path.suffix.lower())
                if packed is None:
                    yield from self._posts(file, path)
                    return
                with pa.CompressedInputStream(file, packed) as unpacked:
                    yield from self._posts(unpacked, path)

    def _posts(
        self, file: Pipe | Counted | pa.NativeFile, path: Path
    ) -> Iterator[Parsed]:
        where = _where(path)
        source = self.source or _slug(path)
        match self._format_of(path):
            case Format.JSONL:
                yield from stream_jsonl(
                    Looked(file), source=source, ingested_at=self.now, where=where
                )
            case Format.CSV:
                yield from stream_csv(
                    Looked(file),
                    source=source,
                    ingested_at=self.now,
                    where=where,
                    columns=self.columns,
                    time=self.time,
                )
            case Format.PARQUET:
                yield from stream_parquet(
                    # Its end is read first, so that a pipe has to be read as a whole.
                    file if isinstance(file, Counted) else io.BytesIO(file.read()),
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
            return _BY_SUFFIX[_suffix(path)]
        except KeyError:
            if path.is_dir():
                raise Misuse(_is_folder(path)) from None
            if not path.exists():
                raise Unreadable(f"{path}: there is no such file") from None
            known = ", ".join(_BY_SUFFIX)
            raise Misuse(
                f"{path}: its name does not say what format it is in ({known}); "
                "say so with --format"
            ) from None


@contextlib.contextmanager
def _reasons(path: Path) -> Iterator[None]:
    """Says of which file an error is, and what to do about it."""
    try:
        yield
    except FileNotFoundError as error:
        raise Unreadable(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise Misuse(_is_folder(path)) from error
    except PermissionError as error:
        raise Forbidden(f"{path}: this user may not read it") from error
    except SchemaError as error:
        raise InputError(
            f"{path}: {error}. Name columns with --columns "
            "id='Tweet ID',text='Tweet Text' and --time snowflake|COLUMN"
        ) from error
    except RecordsError as error:
        said = (
            str(error)
            .removeprefix(f"{_where(path)} ")
            .removeprefix(f"{_where(path)}: ")
        )
        raise InputError(f"{path}: {said}") from error
    except (pa.ArrowException, EOFError) as error:
        raise InputError(f"{path}: cannot be unpacked: {error}") from error
    except OSError as error:
        if error.errno is None:
            # Arrow's, of a compressed file that is damaged.
            raise InputError(f"{path}: cannot be unpacked: {error}") from error
        raise Unreadable(f"{path}: {error.strerror or error}") from error


def _is_folder(path: Path) -> str:
    return f"{path}: is a folder: name the files in it, as in {path}/*.jsonl"


def parse_columns(text: str) -> dict[str, str]:
    """Reads what `--columns` takes.

    Args:
        text: `ours=theirs` with commas between; a name with a comma in it stands in
            quotes: `id='Tweet ID',text='Tweet Text'`.

    Returns:
        Our name to theirs.

    Raises:
        Misuse: If the text is not of this form, or names a column twice.
    """
    columns: dict[str, str] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            raise Misuse(
                f"--columns: expected ours=theirs at column {at + 1} of {text!r}, as in "
                "id='Tweet ID',text='Tweet Text'"
            )
        if pair["ours"] in columns:
            raise Misuse(f"--columns names {pair['ours']!r} twice")
        theirs = pair["single"] or pair["double"] or pair["bare"] or ""
        columns[pair["ours"]] = theirs.strip()
        at = pair.end()
    return columns


def _where(path: Path) -> str:
    return "<stdin>" if path == STDIN else path.name


def _suffix(path: Path) -> str:
    packed = path.suffix.lower() in _PACKED
    return (Path(path.stem) if packed else path).suffix.lower()


def _slug(path: Path) -> str:
    name = "stdin" if path == STDIN else path.stem
    if path.suffix.lower() in _PACKED:
        name = Path(name).stem
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "file"
