"""Where matches go: standard output, or a file that is there once it is whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from io import IOBase
from pathlib import Path
from typing import BinaryIO, ClassVar, Final, Literal, cast

import pyarrow as pa

from rookery.matching._commands._input import STDIN, Misuse
from rookery.matching._commands._options import Output
from rookery.matching._errors import MatchingError

_BY_SUFFIX: Final = {
    ".csv": Output.CSV,
    ".json": Output.JSONL,
    ".jsonl": Output.JSONL,
    ".ndjson": Output.JSONL,
    ".parquet": Output.PARQUET,
    ".txt": Output.TABLE,
}
_PACKED: Final[dict[str, Literal["gzip", "zstd"]]] = {".gz": "gzip", ".zst": "zstd"}
_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)


class NotCreated(MatchingError):
    """A file cannot be made."""

    exit_code: ClassVar[int] = 73


class NotWritten(MatchingError):
    """What was to be written could not be."""

    exit_code: ClassVar[int] = 74


def output_for(to: Path | None, output: Output | None) -> Output:
    """Says what to write in.

    Args:
        to: The file to write; None for standard output.
        output: What was asked for, if anything was.

    Returns:
        That, or what the name of the file says; JSON lines where it says nothing.

    Raises:
        Misuse: Parquet in a compressed file.
    """
    path = to or STDIN
    packed = path.suffix.lower() in _PACKED
    suffix = Path(path.stem).suffix if packed else path.suffix
    chosen = output or _BY_SUFFIX.get(suffix.lower(), Output.JSONL)
    if packed and chosen is Output.PARQUET:
        raise Misuse(f"{to}: Parquet is compressed inside: name it .parquet")
    return chosen


@contextlib.contextmanager
def destination(to: Path | None) -> Iterator[BinaryIO]:
    """Opens what matches are written to.

    Args:
        to: A file: it gets its name when all went well, and nothing is left of it
            otherwise. None and `-` are standard output.

    Yields:
        Where to write.

    Raises:
        NotCreated: The file cannot be made.
    """
    if to is None or to == STDIN:
        with _errors("standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    # What a link points to is replaced, and not the link.
    target = Path(os.path.realpath(to))
    if target.is_dir():
        raise NotCreated(f"{to}: is a folder: name a file")
    if target.exists() and not target.is_file():
        # A pipe or a device has no other name.
        with _errors(str(to)), _opened(target, to) as file, _packing(file, to) as into:
            yield into
        return
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    with _errors(str(to)), _ended_by_signal():
        try:
            with _opened(part, to) as file:
                with _packing(file, to) as into:
                    yield into
            # Compression has closed it, so it is opened once more.
            with part.open("rb") as whole:
                os.fsync(whole.fileno())
            if target.exists():
                os.chmod(part, target.stat().st_mode & 0o7777)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)


def _opened(path: Path, to: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        reason = error.strerror or error
        raise NotCreated(f"{to}: cannot be created: {reason}") from error


@contextlib.contextmanager
def _packing(file: BinaryIO, to: Path) -> Iterator[BinaryIO]:
    packed = _PACKED.get(to.suffix.lower())
    if packed is None:
        yield file
        return
    with pa.CompressedOutputStream(cast(IOBase, file), packed) as into:
        yield cast(BinaryIO, into)


@contextlib.contextmanager
def _errors(name: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno is None:
            raise
        raise NotWritten(f"{name}: {error.strerror or error}") from error


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Lets a signal be an end like others, so that no half of a file stays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(signum: int, frame: object) -> None:
        del frame
        sys.exit(128 + signum)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        # Behind nohup, a hang-up is to be ignored.
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
