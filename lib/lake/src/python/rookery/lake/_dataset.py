"""One dataset: its commits, and adding to them."""

import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import pyarrow as pa

from rookery.lake._chain import Chain
from rookery.lake._epochs import Epochs, repair_hint
from rookery.lake._errors import (
    BlockRefused,
    CommitConflict,
    EpochMismatch,
    LakeError,
    LakeUnavailable,
)
from rookery.lake._model import GRACE, PARTS, Block, Commit, DataFile, Epoch
from rookery.lake._names import commit_path, data_path
from rookery.lake._parquet import conform, event_range, ingest_day, write
from rookery.lake._records import End, decode, decode_any, encode
from rookery.lake._snapshot import Files, Snapshot
from rookery.lake._store import Store


class Dataset:
    """The blocks of one kind in a lake. Safe to use from several threads.

    Args:
        store: The lake's files.
        epochs: The lake's epochs.
        name: Name of the dataset.
    """

    def __init__(self, store: Store, epochs: Epochs, name: str) -> None:
        self.name = name
        self._store = store
        self._epochs = epochs
        self._lock = threading.Lock()
        self._chains: list[Chain] = []
        self._snapshot: Snapshot | None = None
        self._files = Files(name, store.url, store.filesystem())

    def watermark(self) -> int:
        """Reads up to where the log is in the lake.

        Returns:
            The last sequence of the current epoch that is committed, one before its
            start if none is; 0 if no epoch is open.
        """
        with self._lock:
            epochs = self._refresh()
            if not epochs or epochs[-1].closed is not None:
                return 0
            return self._chains[-1].watermark

    def position(self, source: str) -> bytes | None:
        """Reads how far a source is committed, over all epochs.

        Args:
            source: Name of the source.

        Returns:
            The position of its last committed frame, None if it has none.
        """
        with self._lock:
            self._refresh()
            for chain in reversed(self._chains):
                if source in chain.positions:
                    return chain.positions[source]
        return None

    def snapshot(self, *, at: int | None = None) -> Snapshot:
        """Reads which commits there are.

        Args:
            at: Of the last epoch only commits that end at this sequence or before.

        Returns:
            The contiguous commits of all epochs. A commit that is in one snapshot is in
            every later one, until compaction replaces it.
        """
        with self._lock:
            epochs = self._refresh()
            if not epochs:
                return Snapshot(0, None, (), self._files)
            commits = [c for chain in self._chains for c in chain.commits]
            last = self._chains[-1]
            known = self._snapshot
            if at is not None:
                kept = len(commits) - sum(1 for c in last.commits if c.last > at)
                ends = [c.last for c in last.commits if c.last <= at]
                start = epochs[-1].starts[self.name] - 1
                watermark = ends[-1] if ends else start
                return Snapshot(
                    watermark, last.epoch, tuple(commits[:kept]), self._files
                )
            if known is None or (known.epoch, known.watermark) != (
                last.epoch,
                last.watermark,
            ):
                known = Snapshot(
                    last.watermark, last.epoch, tuple(commits), self._files
                )
                self._snapshot = known
            return known

    def commit(self, block: Block) -> Commit:
        """Adds the next block, whole or not at all.

        First its files are written, which nobody reads; then the record that names
        them, under a name that only one writer can take. A crash between leaves files
        that `check` reports.

        What is raised says what to do. `CommitConflict`: another writer has committed
        its first sequence, so discard it and go on behind the new watermark.
        `LakeUnavailable`: the lake cannot be reached or is full, so try again; if it was
        committed even so, that gives `CommitConflict`. `EpochMismatch`: its epoch is not
        the current one. `BlockRefused`: it leaves a gap, or its tables have the wrong
        columns.

        Args:
            block: The block; it begins behind the watermark.

        Returns:
            The commit.
        """
        tables = conform(self.name, block.parts)
        self._admit(block)
        commit_id, now = uuid.uuid4().hex, datetime.now(UTC)
        posts = tables[next(iter(tables))]
        span = event_range(posts)
        files = self._write(tables, ingest_day(posts, default=now), commit_id)
        commit = Commit(
            id=commit_id,
            dataset=self.name,
            epoch=block.epoch,
            first=block.first,
            last=block.last,
            files=tuple(files),
            rows={part: table.num_rows for part, table in tables.items()},
            origin=block.origin,
            positions=dict(block.positions),
            first_event=span[0] if span else None,
            last_event=span[1] if span else None,
            committed_at=now,
            posts=block.posts,
        )
        return self._publish(commit)

    def _write(
        self, tables: Mapping[str, pa.Table], day: date, commit_id: str
    ) -> list[DataFile]:
        """Writes the files of a commit that does not exist yet."""
        files: list[DataFile] = []
        try:
            for part, table in tables.items():
                if table.num_rows:
                    path = data_path(self.name, part, day, commit_id)
                    file, data = write(part, path, table)
                    files.append(file)
                    self._store.create(path, data)
        except LakeError:
            self._discard(files)
            raise
        return files

    def _publish(self, commit: Commit) -> Commit:
        """Makes a commit exist, or removes its files."""
        path = commit_path(self.name, commit.epoch, commit.first)
        record = encode("commit", commit)
        if datetime.now(UTC) - commit.committed_at > GRACE / 2:
            # This process slept. Past the grace its files may be swept away.
            self._discard(commit.files)
            raise LakeUnavailable(
                f"writing the files of {self._store.where(path)} took too long: try again"
            )
        try:
            created = self._store.create(path, record)
        except LakeError:
            if self._store.outcome_is_known:
                self._discard(commit.files)
            raise
        if not created and not self._is_ours(path, commit.id):
            self._discard(commit.files)
            raise self._conflict(commit.first)
        return decode(record, Commit, where=self._store.where(path))

    def end(self, epoch: Epoch) -> None:
        """Takes the place of the next commit, so that none can follow in an epoch.

        Args:
            epoch: The epoch that is being closed.
        """
        while True:
            with self._lock:
                self._refresh()
                chain = self._chains[epoch.n - 1]
                if chain.ended:
                    return
                first = chain.next
            record = End(
                uuid.uuid4().hex, self.name, epoch.epoch, first, datetime.now(UTC)
            )
            path = commit_path(self.name, epoch.epoch, first)
            if self._store.create(path, encode("end", record)):
                return

    def _admit(self, block: Block) -> None:
        if not 1 <= block.first <= block.last:
            raise BlockRefused(
                f"a block cannot go from sequence {block.first} to {block.last}"
            )
        with self._lock:
            epochs = self._refresh()
            if not epochs or epochs[-1].closed is not None:
                raise EpochMismatch(
                    f"no epoch of {self._store.url} is open: start the archiver again, "
                    "which opens one"
                )
            current, chain = epochs[-1], self._chains[-1]
        if current.epoch != block.epoch:
            raise EpochMismatch(
                f"the lake {self._store.url} continues the log of epoch "
                f"{current.epoch}, not {block.epoch}: {repair_hint(self._store.url)}"
            )
        if chain.ended:
            raise EpochMismatch(
                f"the epoch {current.epoch} of {self._store.url} is being closed: run "
                f"`python -m rookery.lake repair --lake {self._store.url}` to its end"
            )
        if block.first <= chain.watermark:
            raise self._conflict(block.first)
        if block.first > chain.next:
            raise BlockRefused(
                f"a block of {self.name} begins at sequence {block.first}, but the "
                f"next one to commit is {chain.next}"
            )

    def _conflict(self, first: int) -> CommitConflict:
        return CommitConflict(
            f"{self.name} from sequence {first} on is committed by another "
            "writer: discard the block and go on behind the watermark"
        )

    def _is_ours(self, path: str, commit_id: str) -> bool:
        """Whether the record is there because a try before had succeeded unnoticed."""
        data = self._store.get(path)
        if data is None:
            return False
        record = decode_any(data, where=self._store.where(path))
        return isinstance(record, Commit) and record.id == commit_id

    def _discard(self, files: Sequence[DataFile]) -> None:
        """Removes files that no commit names; what is left over `check` reports."""
        for file in files:
            try:
                self._store.delete(file.path)
            except LakeError:
                return

    def _refresh(self) -> list[Epoch]:
        epochs = self._epochs.all()
        for epoch in epochs[len(self._chains) :]:
            start = epoch.starts[self.name]
            self._chains.append(Chain(self._store, self.name, epoch.epoch, start))
        for chain in self._chains:
            chain.refresh()
        return epochs


def datasets(store: Store, epochs: Epochs) -> dict[str, Dataset]:
    """Makes every dataset of a lake.

    Args:
        store: The lake's files.
        epochs: The lake's epochs.

    Returns:
        The datasets by name.
    """
    return {name: Dataset(store, epochs, name) for name in PARTS}
