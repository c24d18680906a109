"""Where a source of files stands: how far each file was read, and which file it was."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from rookery.streaming._errors import SourceChanged, SourceUnreadable

HEAD_BYTES = 4096


class FileState(msgspec.Struct, frozen=True, array_like=True):
    """How far a file was read.

    Attributes:
        path: The file, resolved.
        offset: What was read: bytes of a text, rows of a Parquet file.
        line: Number of the line that comes next, from 1; of the row in Parquet.
        identity: Digest that tells whether it is still this file.
    """

    path: str
    offset: int
    line: int
    identity: str


class FilesPosition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Position of a source of files.

    Attributes:
        files: The files of which anything was read.
    """

    files: tuple[FileState, ...]

    def encode(self) -> bytes:
        """The position as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, position: bytes) -> FilesPosition:
        """Reads what `encode` wrote.

        Args:
            position: The bytes.

        Returns:
            The position.

        Raises:
            SourceChanged: If it is the position of another kind of source.
        """
        try:
            return msgspec.json.decode(position, type=cls)
        except msgspec.DecodeError as error:
            raise SourceChanged(
                "the source of this name was not read from files before "
                f"({error}): give it another --name"
            ) from error


def text_identity(path: Path, offset: int) -> str:
    """Identifies a text by its beginning, so that it stays the same when it grows.

    Args:
        path: The file.
        offset: How much of it was read, bytes; what comes behind is left out.

    Returns:
        A digest of up to the first 4 KiB.
    """
    return _digest(read_at(path, 0, min(offset, HEAD_BYTES)))


def whole_identity(path: Path) -> str:
    """Identifies a file that is written once: by its size, beginning and end.

    Args:
        path: The file.

    Returns:
        The digest.
    """
    size = file_size(path)
    tail = max(size - HEAD_BYTES, 0)
    return _digest(
        size.to_bytes(8, "big")
        + read_at(path, 0, HEAD_BYTES)
        + read_at(path, tail, HEAD_BYTES)
    )


def check_text(state: FileState) -> None:
    """Refuses to resume a text that is not the one that was read.

    Args:
        state: How far it was read.

    Raises:
        SourceChanged: If it has become shorter than that, or begins differently.
    """
    path = Path(state.path)
    size = file_size(path)
    if size < state.offset:
        raise SourceChanged(
            f"{path} has {size:,} bytes, but {state.offset:,} were read before: it was "
            "cut short or replaced. Give it another --name to read it as a new source"
        )
    if text_identity(path, state.offset) != state.identity:
        raise SourceChanged(_replaced(path))


def check_whole(state: FileState) -> None:
    """Refuses to resume a file that is not, byte for byte, the one that was read.

    Args:
        state: How far it was read.

    Raises:
        SourceChanged: If it was changed.
    """
    path = Path(state.path)
    if whole_identity(path) != state.identity:
        raise SourceChanged(_replaced(path))


def read_at(path: Path, offset: int, size: int) -> bytes:
    """Reads a part of a file.

    Args:
        path: The file.
        offset: Where the part begins, bytes.
        size: How long it is; less is returned at the end of the file.

    Returns:
        The part.

    Raises:
        SourceUnreadable: If it cannot be read.
    """
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            parts = []
            while size > 0 and (part := file.read(size)):
                parts.append(part)
                size -= len(part)
            return b"".join(parts)
    except OSError as error:
        raise SourceUnreadable(cannot_read(path, error)) from error


def file_size(path: Path) -> int:
    """Gives the size of a file in bytes.

    Args:
        path: The file.

    Returns:
        Its size.

    Raises:
        SourceUnreadable: If it is not there.
    """
    try:
        return os.stat(path).st_size
    except OSError as error:
        raise SourceUnreadable(cannot_read(path, error)) from error


def cannot_read(path: Path, error: OSError) -> str:
    """Says why a file cannot be read.

    Args:
        path: The file.
        error: What the operating system said.

    Returns:
        The text of an error.
    """
    return f"cannot read {path}: {error.strerror or error}"


def _replaced(path: Path) -> str:
    return (
        f"{path} is not the file that was read before: its content was replaced. Give "
        "it another --name to read it as a new source"
    )


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
