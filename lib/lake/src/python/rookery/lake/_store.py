"""Files under one root, in a folder or in a bucket, through obstore."""

import contextlib
import errno
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import obstore
import pyarrow.fs as pafs
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, S3Store

from rookery.lake._errors import LakeConfiguration, LakeError, LakeUnavailable
from rookery.lake._filesystem import bucket_filesystem
from rookery.lake._names import STAGING
from rookery.lake._reasons import reason_of

_NOT_ALLOWED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_FOLDER: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR})
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED: Final = frozenset({401, 403})
# What a bucket in another region, or a server of another kind, answers.
_MISDIRECTED: Final = frozenset({301, 307, 308, 400, 405})
_NO_BUCKET: Final = "NoSuchBucket"
_LIST_CHUNK: Final = 1000


@dataclass(frozen=True)
class Entry:
    """One file in a listing.

    Attributes:
        path: Its path from the root.
        size: Bytes.
        modified: When it was written.
    """

    path: str
    size: int
    modified: datetime


class Store:
    """What the lake needs of a folder or a bucket.

    Every method raises `LakeUnavailable` where asking again may help, and
    `LakeConfiguration` where it will not.

    Args:
        store: The folder or bucket.
        url: Its address, for errors.
    """

    def __init__(self, store: LocalStore | S3Store, url: str) -> None:
        self._store = store
        self.url = url
        self._root = store.prefix if isinstance(store, LocalStore) else None

    @property
    def outcome_is_known(self) -> bool:
        """Whether a write that failed has certainly not happened.

        A request to a bucket may be carried out after its answer was given up.
        """
        return self._root is not None

    def where(self, path: str) -> str:
        """Names a file to a person.

        Args:
            path: Its path from the root.

        Returns:
            Its address.
        """
        return f"{self.url.rstrip('/')}/{path}"

    def get(self, path: str) -> bytes | None:
        """Reads a file.

        Args:
            path: Its path from the root.

        Returns:
            What it holds, None if there is none.
        """
        with self._errors("read", path):
            return self._get(path)

    def _get(self, path: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError as error:
            if _NO_BUCKET in str(error):
                raise
            return None

    def create(self, path: str, data: bytes) -> bool:
        """Writes a file if there is none, whole or not at all.

        When it returns, the file outlives a loss of power.

        Args:
            path: Its path from the root.
            data: What it is to hold.

        Returns:
            False if there was one already.
        """
        with self._errors("write", path):
            try:
                if self._root is None:
                    obstore.put(self._store, path, data, mode="create")
                else:
                    self._create_durably(self._root, path, data)
            except AlreadyExistsError:
                return False
        return True

    def _create_durably(self, root: Path, path: str, data: bytes) -> None:
        # The bytes must be on the disk before the name is, or a loss of power leaves a
        # commit without content; and the name before the caller trims its log.
        staged = f"{STAGING}/{uuid.uuid4().hex}"
        obstore.put(self._store, staged, data, mode="create")
        try:
            _flush(root / staged)
            folder = (root / path).parent
            missing = [f for f in (folder, *folder.parents) if not f.exists()]
            obstore.rename(self._store, staged, path, overwrite=False)
        except BaseException:
            with contextlib.suppress(FileNotFoundError, BaseError):
                obstore.delete(self._store, staged)
            raise
        for made in {folder, *(each.parent for each in missing)}:
            _flush(made)

    def delete(self, path: str) -> None:
        """Removes a file, if it is there.

        Args:
            path: Its path from the root.
        """
        with self._errors("remove", path), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, path)

    def list(self, folder: str, *, after: str | None = None) -> list[Entry]:
        """Lists the files in a folder and below it.

        Args:
            folder: Its path from the root; the empty text is the root.
            after: Only files whose path sorts behind this one.

        Returns:
            The files, sorted by path.
        """
        with self._errors("list", folder):
            chunks = obstore.list(
                self._store, folder or None, offset=after, chunk_size=_LIST_CHUNK
            )
            found = [
                Entry(meta["path"], meta["size"], meta["last_modified"])
                for chunk in chunks
                for meta in chunk
            ]
        return sorted(found, key=lambda entry: entry.path)

    def filesystem(self) -> pafs.FileSystem:
        """Returns the root as what pyarrow reads from."""
        if self._root is not None:
            return pafs.SubTreeFileSystem(str(self._root), pafs.LocalFileSystem())
        return bucket_filesystem(self._store)

    @contextlib.contextmanager
    def _errors(self, verb: str, path: str) -> Iterator[None]:
        try:
            yield
        except LakeError:
            raise
        except (BaseError, OSError) as error:
            raise self._described(error, f"cannot {verb} {self.where(path)}") from error

    def _described(self, error: Exception, what: str) -> LakeError:
        reason = reason_of(error)
        status = _status(reason)
        if status in _REFUSED or isinstance(
            error, PermissionDeniedError | UnauthenticatedError
        ):
            return LakeConfiguration(
                f"{what}: not allowed ({reason}); check the rights on it and, for a "
                "bucket, the AWS_* credentials in the environment"
            )
        if _NO_BUCKET in str(error):
            return LakeConfiguration(
                f"{what}: there is no such bucket; create it, or correct ROOKERY_LAKE"
            )
        if status in _MISDIRECTED or "Received redirect" in reason:
            return LakeConfiguration(
                f"{what}: {reason}; check AWS_REGION and AWS_ENDPOINT_URL"
            )
        number = _errno(error, reason)
        if number in _NO_ROOM:
            return LakeUnavailable(f"{what}: no room ({reason}); free some space")
        if number in _NOT_ALLOWED or number in _NO_FOLDER:
            return LakeConfiguration(
                f"{what}: {reason}; check that the folder exists and may be written"
            )
        return LakeUnavailable(f"{what}: {reason}")


def _errno(error: Exception, reason: str) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = re.search(r"\(os error (\d+)\)", reason)
    return int(found[1]) if found else None


def _status(reason: str) -> int | None:
    found = re.search(r"status code: (\d{3})", reason)
    return int(found[1]) if found else None


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
