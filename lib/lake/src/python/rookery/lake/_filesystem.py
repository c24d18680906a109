"""A bucket as pyarrow reads it: one client, one set of credentials for everything."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import obstore
import pyarrow as pa
import pyarrow.fs as pafs
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store
from typing_extensions import override

from rookery.lake._reasons import reason_of

# Up to this size one request for the whole file is quicker than several for its parts.
WHOLE_BYTES: Final = 16 * 1024 * 1024


class RequestFailed(OSError):
    """A bucket did not answer a request for a file, or refused it."""


class _Bucket(pafs.FileSystemHandler):
    """Reads the files of a store; everything else is refused."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bucket) and self._store == other._store

    @override
    def __ne__(self, other: object) -> bool:
        return not self == other

    @override
    def get_type_name(self) -> str:
        return "rookery-lake"

    @override
    def normalize_path(self, path: str) -> str:
        return path

    @override
    def get_file_info(self, paths: str | list[str]) -> list[pafs.FileInfo]:
        names = [paths] if isinstance(paths, str) else paths
        return [self._info(name) for name in names]

    def _info(self, path: str) -> pafs.FileInfo:
        try:
            size = obstore.head(self._store, path)["size"]
        except FileNotFoundError:
            return pafs.FileInfo(path, pafs.FileType.NotFound)
        return pafs.FileInfo(path, pafs.FileType.File, size=size)

    @override
    def open_input_file(self, path: str) -> pa.NativeFile:
        with _os_errors():
            found = obstore.get(self._store, path)
            size = found.meta["size"]
            if size <= WHOLE_BYTES:
                return pa.BufferReader(pa.py_buffer(bytes(found.bytes())))
        return pa.PythonFile(_Ranges(self._store, path, size), mode="r")

    @override
    def open_input_stream(self, path: str) -> pa.NativeFile:
        return self.open_input_file(path)

    @override
    def get_file_info_selector(self, selector: pafs.FileSelector) -> NoReturn:
        self._refuse()

    @override
    def create_dir(self, path: str, recursive: bool) -> NoReturn:
        self._refuse()

    @override
    def delete_dir(self, path: str) -> NoReturn:
        self._refuse()

    @override
    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> NoReturn:
        self._refuse()

    @override
    def delete_root_dir_contents(self) -> NoReturn:
        self._refuse()

    @override
    def delete_file(self, path: str) -> NoReturn:
        self._refuse()

    @override
    def move(self, src: str, dest: str) -> NoReturn:
        self._refuse()

    @override
    def copy_file(self, src: str, dest: str) -> NoReturn:
        self._refuse()

    @override
    def open_output_stream(self, path: str, metadata: Any) -> NoReturn:
        self._refuse()

    @override
    def open_append_stream(self, path: str, metadata: Any) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotImplementedError("committed files are only read")


class _Ranges(io.RawIOBase):
    """A large file of which only the ranges that are asked for are fetched."""

    def __init__(self, store: LocalStore | S3Store, path: str, size: int) -> None:
        self._store = store
        self._path = path
        self._size = size
        self._at = 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        with _os_errors():
            data = obstore.get_range(
                self._store, self._path, start=self._at, length=wanted
            )
        self._at += wanted
        return bytes(data)

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}
        self._at = base[whence] + offset
        return self._at

    @override
    def tell(self) -> int:
        return self._at


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    # pyarrow passes an OSError on as it is.
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(reason_of(error)) from error
    except BaseError as error:
        raise RequestFailed(reason_of(error)) from error


def bucket_filesystem(store: LocalStore | S3Store) -> pafs.FileSystem:
    """Makes a read-only file system of a store.

    Args:
        store: The store.

    Returns:
        What pyarrow reads files from; their paths are those in the store.
    """
    return pafs.PyFileSystem(_Bucket(store))
