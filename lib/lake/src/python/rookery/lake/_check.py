"""Whether a lake is whole, and what in it nobody needs."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from rookery.lake._errors import LakeConfiguration, LakeDamaged
from rookery.lake._lake import Lake
from rookery.lake._model import GRACE, PARTS, Commit, DataFile, Epoch
from rookery.lake._names import STAGING, commits_path
from rookery.lake._records import End, decode_any
from rookery.lake._store import Entry, Store

Kind = Literal["damaged", "unreachable", "unneeded", "pending"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        kind: `damaged`: something committed is lost or changed. `unreachable`: a commit
            that continues nothing, so that it is not read. `unneeded`: a file that no
            commit names and that is old enough to be removed. `pending`: one that is
            not, whose commit may be about to come.
        path: Which file, from the root of the lake.
        reason: What is wrong with it.
    """

    kind: Kind
    path: str
    reason: str


@dataclass(frozen=True)
class Report:
    """What a check has found.

    Attributes:
        epochs: How many epochs there are.
        commits: How many commits are reachable.
        files: How many files they name.
        rows: How many rows are in them.
        size: Bytes of the files.
        findings: What is not as it should be, by path.
    """

    epochs: int
    commits: int
    files: int
    rows: int
    size: int
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        """Whether everything that was committed is there, and readable."""
        return not any(
            finding.kind in ("damaged", "unreachable") for finding in self.findings
        )


def check(lake: Lake, *, now: datetime | None = None) -> Report:
    """Reads all of a lake and compares it with its commits.

    Args:
        lake: The lake.
        now: Up to when files count as old; the present if None.

    Returns:
        What was found. A writer may be at work meanwhile.
    """
    now = now or datetime.now(UTC)
    epochs = lake.epochs()
    # Files first: a file that is committed after the listing is in no listing.
    listed = {name: lake.store.list(f"{name}/data") for name in PARTS}
    findings: list[Finding] = []
    commits: list[Commit] = []
    for name in PARTS:
        for epoch in epochs:
            chain, wrong = _chain(lake.store, name, epoch)
            commits += chain
            findings += wrong
        findings += _foreign(lake.store, name, epochs)
    files = [file for commit in commits for file in commit.files]
    for file in files:
        findings += _damage(lake.store, file)
    named = {file.path for file in files}
    for entries in (*listed.values(), lake.store.list(STAGING)):
        findings += _unnamed(entries, named, now)
    return Report(
        epochs=len(epochs),
        commits=len(commits),
        files=len(files),
        rows=sum(file.rows for file in files),
        size=sum(file.size for file in files),
        findings=tuple(sorted(findings, key=lambda finding: finding.path)),
    )


def sweep(lake: Lake, report: Report) -> int:
    """Removes the files that a check has found to be unneeded.

    Args:
        lake: The lake.
        report: What the check has found.

    Returns:
        How many files were removed.

    Raises:
        LakeDamaged: If the lake is not whole: a commit that cannot be read may name them.
    """
    if not report.is_whole:
        raise LakeDamaged(
            f"the lake {lake.url} is not whole, so a file that no commit seems to name "
            "may be needed: nothing was removed; restore what is damaged first"
        )
    unneeded = [f.path for f in report.findings if f.kind == "unneeded"]
    for path in unneeded:
        lake.store.delete(path)
    return len(unneeded)


def _chain(store: Store, name: str, epoch: Epoch) -> tuple[list[Commit], list[Finding]]:
    """Reads every commit of an epoch, also those that readers do not reach."""
    commits: list[Commit] = []
    findings: list[Finding] = []
    expected: int | None = epoch.starts[name]
    for entry in store.list(commits_path(name, epoch.epoch)):
        data = store.get(entry.path)
        try:
            record = decode_any(data or b"", where=store.where(entry.path))
        except (LakeDamaged, LakeConfiguration) as error:
            findings.append(Finding("damaged", entry.path, str(error)))
            expected = None
            continue
        if not isinstance(record, Commit | End) or record.first != expected:
            why = (
                "it comes after a damaged commit or the end"
                if expected is None
                else f"the next commit has to begin at {expected}"
            )
            findings.append(Finding("unreachable", entry.path, why))
            # Its files are needed again once the gap is closed.
            if isinstance(record, Commit):
                commits.append(record)
            continue
        if isinstance(record, End):
            expected = None
            continue
        commits.append(record)
        expected = record.last + 1
    return commits, findings


def _foreign(store: Store, name: str, epochs: Sequence[Epoch]) -> Iterator[Finding]:
    """Finds commits of epochs that were never opened."""
    folders = tuple(f"{commits_path(name, epoch.epoch)}/" for epoch in epochs)
    for entry in store.list(f"{name}/commits"):
        if not entry.path.startswith(folders):
            yield Finding("unreachable", entry.path, "its epoch was never opened")


def _damage(store: Store, file: DataFile) -> Iterator[Finding]:
    data = store.get(file.path)
    if data is None:
        yield Finding("damaged", file.path, "it is missing; restore it from a copy")
    elif len(data) != file.size:
        yield Finding(
            "damaged", file.path, f"it has {len(data)} bytes, not {file.size}"
        )
    elif hashlib.sha256(data).hexdigest() != file.sha256:
        yield Finding("damaged", file.path, "its bytes are not those committed")
    else:
        rows = pq.read_metadata(pa.BufferReader(pa.py_buffer(data))).num_rows
        if rows != file.rows:
            yield Finding("damaged", file.path, f"it has {rows} rows, not {file.rows}")


def _unnamed(
    entries: Sequence[Entry], named: set[str], now: datetime
) -> Iterator[Finding]:
    for entry in entries:
        if entry.path in named:
            continue
        if now - entry.modified > GRACE:
            yield Finding("unneeded", entry.path, "no commit names it")
        else:
            yield Finding(
                "pending", entry.path, "no commit names it, but one may be coming"
            )
