"""Bytes of files and of standard input, counted as they are read."""

from __future__ import annotations

import io
import select
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
from typing_extensions import override

from rookery.records import RecordsError

# What a file begins with that is not what it is taken for.
_MAGIC: Final = (
    (b"PAR1", "it is Parquet: say --format parquet"),
    (b"\x1f\x8b", "it is compressed with gzip: name it .gz, or unpack it with zcat"),
    (
        b"\x28\xb5\x2f\xfd",
        "it is compressed with Zstandard: name it .zst, or use zstdcat",
    ),
    (b"PK\x03\x04", "it is a ZIP archive: unpack it first"),
)


class Counted(io.FileIO):
    """A file that counts what is read of it."""

    def __init__(self, path: Path, count: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._count = count

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        """Reads some bytes, and counts them."""
        data = super().read(-1 if size is None else size)
        self._count(len(data))
        return data


class Pipe:
    """Standard input: gives what has come, and waits only where nothing has."""

    def __init__(self, file: BinaryIO, count: Callable[[int], None]) -> None:
        self._file = file
        self._count = count
        self._once = getattr(file, "read1", file.read)

    def read(self, size: int = -1, /) -> bytes:
        """Reads what has come, at most so many bytes; all there ever is if negative."""
        if size < 0:
            data: bytes = self._file.read()
        else:
            data = self._once(size)
            # A pipe holds little at a time, and many small pieces take long.
            while data and len(data) < size and self._has_more():
                more: bytes = self._once(size - len(data))
                data += more
                if not more:
                    break
        self._count(len(data))
        return data

    def _has_more(self) -> bool:
        try:
            return bool(select.select([self._file], [], [], 0)[0])
        except (OSError, ValueError, TypeError):
            return False


class Looked:
    """Text that is refused where its first bytes say that it is none."""

    def __init__(self, file: Pipe | Counted | pa.NativeFile) -> None:
        self._file = file
        self._is_first = True

    def read(self, size: int, /) -> bytes:
        """Reads some bytes; raises `RecordsError` where the first ones tell no text."""
        data: bytes = self._file.read(size)
        if self._is_first:
            self._is_first = False
            for magic, advice in _MAGIC:
                if data.startswith(magic):
                    raise RecordsError(f"is not what it was taken for; {advice}")
        return data
