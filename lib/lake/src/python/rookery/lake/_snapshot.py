"""What was committed at one moment, and reading it."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
from typing_extensions import override

from rookery.lake._errors import BlockRefused, LakeDamaged, LakeError, LakeUnavailable
from rookery.lake._filesystem import RequestFailed
from rookery.lake._model import PARTS, Commit, DataFile
from rookery.lake._parquet import between, opened, overlaps
from rookery.lake._url import open_store


@dataclass(frozen=True)
class Files:
    """Where the files of a dataset are read from.

    Attributes:
        dataset: Name of the dataset.
        url: Address of the lake.
        filesystem: The root of the lake.
    """

    dataset: str
    url: str
    filesystem: pafs.FileSystem

    @override
    def __reduce__(self) -> tuple[Callable[[str, str], "Files"], tuple[str, str]]:
        # Another process opens the lake itself, with the credentials of its environment.
        return _reopened, (self.dataset, self.url)


@functools.lru_cache(maxsize=16)
def _reopened(dataset: str, url: str) -> Files:
    return Files(dataset, url, open_store(url, read_only=True).filesystem())


@dataclass(frozen=True)
class Snapshot:
    """The commits of a dataset at one moment. It never changes, and can be pickled.

    Attributes:
        watermark: Last sequence of the log of the last epoch that it holds.
        epoch: Id of the last epoch, open or closed; None if the lake is empty.
        commits: The commits of all epochs, oldest first.
        files: Where they are read from.
    """

    watermark: int
    epoch: str | None
    commits: tuple[Commit, ...]
    files: Files = field(repr=False, compare=False)

    def rows(self, part: str) -> int:
        """Counts rows without reading any.

        Args:
            part: Name of the part.

        Returns:
            How many rows it has.
        """
        self._schema(part)
        return sum(commit.rows.get(part, 0) for commit in self.commits)

    def dataset(
        self, part: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> ds.Dataset:
        """Returns the committed files of a part, for Arrow or DuckDB to read.

        Args:
            part: Name of the part.
            start: Leaves out files all of whose posts are counted before; aware.
            end: Leaves out files all of whose posts are counted at it or later; aware.

        Returns:
            The dataset. Rows of a file that is not left out are not filtered.
        """
        files = [
            file
            for commit in self.commits
            if overlaps(commit.first_event, commit.last_event, start, end)
            for file in commit.files
            if file.part == part
        ]
        return opened(files, self._schema(part), self.files.filesystem)

    def table(
        self,
        part: str,
        *,
        columns: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pa.Table:
        """Reads a part.

        Args:
            part: Name of the part.
            columns: Names of columns; None for all.
            start: Only rows that are counted at this time or later; aware.
            end: Only rows that are counted before this time; aware.

        Returns:
            The rows, in the order of the log. `LakeDamaged` is raised if a committed
            file is missing or cannot be read, `LakeUnavailable` if there is no answer.
        """
        dataset = self.dataset(part, start=start, end=end)
        with self._errors(part):
            return dataset.to_table(
                columns=None if columns is None else list(columns),
                filter=between(part, start, end),
            )

    def batches(
        self,
        part: str,
        *,
        columns: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Reads a part piece by piece, however large it is, in the calling thread.

        Args:
            part: Name of the part.
            columns: Names of columns; None for all.
            start: Only rows that are counted at this time or later; aware.
            end: Only rows that are counted before this time; aware.

        Yields:
            The rows, in the order of the log; errors are those of `table`.
        """
        dataset = self.dataset(part, start=start, end=end)
        with self._errors(part):
            yield from dataset.to_batches(
                columns=None if columns is None else list(columns),
                filter=between(part, start, end),
                batch_readahead=1,
                fragment_readahead=1,
                use_threads=False,
            )

    def recent_ids(self, source: str, limit: int) -> list[str]:
        """Reads the ids of the newest posts of a source.

        Args:
            source: Name of the source.
            limit: How many at most.

        Returns:
            The ids, the newest last.
        """
        newest_first: list[list[str]] = []
        count = 0
        for commit in reversed(self.commits):
            if count >= limit:
                break
            if source not in commit.positions:
                continue
            ids = self._ids(commit.files, source)
            newest_first.append(ids)
            count += len(ids)
        found = [id_ for ids in reversed(newest_first) for id_ in ids]
        return found[max(0, len(found) - limit) :]

    def _ids(self, files: Sequence[DataFile], source: str) -> list[str]:
        schema = self._schema("posts")
        with self._errors("posts"):
            table = opened(files, schema, self.files.filesystem).to_table(
                columns=["id"], filter=ds.field("source") == source
            )
        return [str(id_) for id_ in table["id"].to_pylist()]

    def _schema(self, part: str) -> pa.Schema:
        schemas = PARTS[self.files.dataset]
        if part not in schemas:
            raise BlockRefused(
                f"the dataset {self.files.dataset} has no part {part!r}: it has "
                f"{', '.join(schemas)}"
            )
        return schemas[part]

    @contextlib.contextmanager
    def _errors(self, part: str) -> Iterator[None]:
        what = f"cannot read {part} of {self.files.url}"
        check = f"see `python -m rookery.lake check --lake {self.files.url}`"
        try:
            yield
        except LakeError:
            raise
        except FileNotFoundError as error:
            raise LakeDamaged(
                f"{what}: a committed file is missing ({error}); {check}"
            ) from error
        except pa.ArrowInvalid as error:
            raise LakeDamaged(
                f"{what}: a committed file is not what was written ({error}); {check}"
            ) from error
        except OSError as error:
            # Arrow gives an OSError for a damaged page as well, but without a number.
            if isinstance(error, RequestFailed) or error.errno is not None:
                raise LakeUnavailable(f"{what}: {error}") from error
            raise LakeDamaged(
                f"{what}: a committed file is not what was written ({error}); {check}"
            ) from error
