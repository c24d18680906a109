"""Files as a source."""

from __future__ import annotations

import asyncio
import glob
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from rookery.records import Parsed
from rookery.streaming._errors import SourceSpecError
from rookery.streaming.formats import Columns, Format
from rookery.streaming.sources._clock import Clock
from rookery.streaming.sources._readers import Reader, open_reader
from rookery.streaming.sources._state import FilesPosition, FileState

# Each file read takes about a hundred bytes in the header of every frame.
MAX_FILES = 1000
_POLL_SECONDS = 0.5


def expand(patterns: Sequence[str]) -> list[Path]:
    """Finds the files that paths and patterns name.

    Args:
        patterns: Paths, or patterns with `*`, `?`, `[...]`, and `**` for folders.

    Returns:
        The files, resolved, each once, sorted.

    Raises:
        SourceSpecError: If one of them names no file, or all of them too many.
    """
    found: set[Path] = set()
    for pattern in patterns:
        path = Path(pattern)
        # A path that exists is meant as it stands, brackets and all.
        names = (
            [path] if path.exists() else map(Path, glob.iglob(pattern, recursive=True))
        )
        files = {name.resolve() for name in names if not name.is_dir()}
        if not files:
            raise SourceSpecError(_nothing(pattern))
        found |= files
    if len(found) > MAX_FILES:
        raise SourceSpecError(
            f"{len(found):,} files in one source, at most {MAX_FILES:,} are possible: "
            "split them over several sources with a --name each"
        )
    return sorted(found)


def display_name(path: Path, among: Sequence[Path]) -> str:
    """Says how to call a file so that it is not taken for another one.

    Args:
        path: The file.
        among: All files of the source.

    Returns:
        Its name, or its path below the folder they all have in common where several
        have the same name.
    """
    if sum(other.name == path.name for other in among) < 2:
        return path.name
    common = os.path.commonpath([other.parent for other in among])
    return path.relative_to(common).as_posix()


def _nothing(pattern: str) -> str:
    if Path(pattern).is_dir():
        return (
            f"--source {pattern} is a folder: name its files, as in '{pattern}/*.csv'"
        )
    if glob.has_magic(pattern):
        return f"--source {pattern} matches no file"
    return f"--source {pattern}: there is no such file"


class Files:
    """Files in sorted order, one behind the other, as one source.

    Args:
        patterns: Paths and patterns.
        name: Name of the source.
        file_format: Format of all files, None to find out for each.
        columns: Where the columns of a post come from.
        follow: Whether to wait for more, in these files and in new ones, at their end.
        clock: Time.
    """

    overlap = timedelta(0)

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        name: str,
        file_format: Format | None = None,
        columns: Columns | None = None,
        follow: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._patterns = tuple(patterns)
        self._format = file_format
        self._columns = columns or Columns()
        self._follow = follow
        self._clock = clock or Clock()
        self._states: dict[Path, FileState] = {}
        self._all: list[Path] = []
        self._waiting: list[Path] = []
        self._reader: Reader | None = None
        self._path = Path()

    async def open(self, position: bytes | None) -> None:
        """Begins with the first file that was not read to its end.

        Args:
            position: Where to go on, None for the beginning.
        """
        await asyncio.to_thread(self._open, position)

    def _open(self, position: bytes | None) -> None:
        read = FilesPosition.decode(position).files if position else ()
        self._states = {Path(state.path): state for state in read}
        self._find()

    def _find(self) -> None:
        self._all = expand(self._patterns)
        self._waiting = list(self._all)

    async def next_batch(self) -> Parsed | None:
        """Reads on; following, it waits at the end of the last file.

        Returns:
            At most a thousand posts, None behind the last file. A file that is not the
            one that was read before raises `SourceChanged`.
        """
        while (parsed := await asyncio.to_thread(self._read)) is None:
            if not self._follow:
                return None
            await self._clock.sleep(_POLL_SECONDS)
            await asyncio.to_thread(self._find)
        return parsed

    def _read(self) -> Parsed | None:
        while True:
            if self._reader is None:
                if not self._waiting:
                    return None
                self._path = self._waiting.pop(0)
                self._reader = open_reader(
                    self._path,
                    source=self.name,
                    name=display_name(self._path, self._all),
                    file_format=self._format,
                    columns=self._columns,
                    state=self._states.get(self._path),
                )
            parsed = self._reader.read(self._clock.now(), final=not self._follow)
            state = self._reader.state()
            if state is not None:
                self._states[self._path] = state
            if parsed is not None:
                return parsed
            self._reader.close()
            self._reader = None

    def position(self) -> bytes:
        """How far each file was read."""
        states = tuple(self._states[path] for path in sorted(self._states))
        return FilesPosition(states).encode()

    async def close(self) -> None:
        """Closes the file in hand."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
