"""The contiguous commits of one dataset in one epoch, read once and kept."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Final

from rookery.lake._errors import LakeDamaged
from rookery.lake._model import Commit
from rookery.lake._names import commit_path, commits_path
from rookery.lake._records import End, decode_any
from rookery.lake._store import Store

# So many new commits are asked for one by one, which is cheaper than a listing.
_ONE_BY_ONE: Final = 3
_READERS: Final = 16


class Chain:
    """Commits from the first sequence of an epoch on, each continuing the one before.

    A commit is named after its first sequence, so the next one has a known name. That
    makes looking for news one request, and two commits with the same first impossible:
    a chain cannot fork.

    Args:
        store: The lake's files.
        dataset: Name of the dataset.
        epoch: Id of the epoch.
        start: First sequence of the epoch.
    """

    def __init__(self, store: Store, dataset: str, epoch: str, start: int) -> None:
        self.dataset = dataset
        self.epoch = epoch
        self.commits: list[Commit] = []
        self.positions: dict[str, bytes] = {}
        self.next = start
        self.ended = False
        self._store = store

    @property
    def watermark(self) -> int:
        """Last sequence that is committed; the one before the epoch if none is."""
        return self.next - 1

    def refresh(self) -> None:
        """Reads what was committed since."""
        for _ in range(_ONE_BY_ONE):
            if self.ended:
                return
            path = commit_path(self.dataset, self.epoch, self.next)
            data = self._store.get(path)
            if data is None:
                return
            self._take(path, data)
        if not self.ended:
            self._read_many()

    def _read_many(self) -> None:
        """Reads a long stretch: names by listing, contents side by side."""
        folder = commits_path(self.dataset, self.epoch)
        last = self.commits[-1].first
        after = commit_path(self.dataset, self.epoch, last)
        paths = [entry.path for entry in self._store.list(folder, after=after)]
        with ThreadPoolExecutor(_READERS, "lake-commits") as readers:
            for start in range(0, len(paths), _READERS * 8):
                some = paths[start : start + _READERS * 8]
                for path, data in zip(
                    some, readers.map(self._store.get, some), strict=True
                ):
                    if data is None or self.ended or not self._continues(path):
                        return
                    self._take(path, data)

    def _continues(self, path: str) -> bool:
        return PurePosixPath(path).stem == f"{self.next:020}"

    def _take(self, path: str, data: bytes) -> None:
        where = self._store.where(path)
        record = decode_any(data, where=where)
        if not isinstance(record, Commit | End) or (
            (record.dataset, record.epoch, record.first)
            != (self.dataset, self.epoch, self.next)
        ):
            raise LakeDamaged(
                f"{where} does not hold the commit of {self.dataset} that begins at "
                f"{self.next}: restore it from a copy"
            )
        if isinstance(record, End):
            self.ended = True
            return
        self.commits.append(record)
        self.positions.update(record.positions)
        self.next = record.last + 1
