"""What the lake has committed, counted in memory and kept up with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from rookery.lake import Commit, Dataset, Snapshot
from rookery.serving._parts import Names, Part, encode, merged, merged_part

# A part that is this large is left alone: merging it again would cost more memory and
# time than it saves, and its months are covered by its coarse resolutions.
SEALED_ROWS = 1_000_000
# So many rows of cubes are read at once, with all their names.
READ_ROWS = 500_000


@dataclass(frozen=True)
class History:
    """A snapshot of the committed matches with its counts. It never changes.

    Attributes:
        names: What the codes in the parts stand for.
        snapshot: The commits.
        parts: Their counts, the largest part first.
        covered: Which commits are counted.
    """

    names: Names
    snapshot: Snapshot
    parts: tuple[Part, ...] = ()
    covered: frozenset[str] = frozenset()

    @property
    def watermark(self) -> int:
        """The last sequence of MATCHES that is committed."""
        return self.snapshot.watermark

    def advance(self, snapshot: Snapshot) -> "History":
        """Counts what was committed since.

        Commits never change, so only new ones are read.

        Args:
            snapshot: A newer snapshot of the same dataset.

        Returns:
            Its history.
        """
        if snapshot is self.snapshot and self.covered:
            return self
        known = frozenset(commit.id for commit in snapshot.commits)
        if not self.covered <= known:
            # Compacted, or another lake: what was counted stands for other commits.
            return History(self.names, snapshot).advance(snapshot)
        new = [commit for commit in snapshot.commits if commit.id not in self.covered]
        if not new and snapshot.watermark == self.snapshot.watermark:
            return self
        parts = self.parts
        for commits in _portions(new):
            some = replace(snapshot, commits=commits)
            counted = encode(some.table("cube"), self.names)
            parts = add_part(parts, merged_part([counted]))
        return History(self.names, snapshot, parts, known)

    def around(self, minutes: Sequence[int]) -> Snapshot:
        """Leaves out the commits that cannot have posts of certain minutes.

        Args:
            minutes: Minutes since 1970.

        Returns:
            The snapshot with the commits that may have some.
        """
        commits = self.snapshot.commits
        wanted = np.sort(np.asarray(minutes, dtype=np.int64))
        low = np.array([_minute(c.first_event) for c in commits], dtype=np.int64)
        high = np.array([_minute(c.last_event) for c in commits], dtype=np.int64)
        # A commit is needed if a wanted minute lies between its first and its last.
        hit = np.searchsorted(wanted, low, "left") < np.searchsorted(
            wanted, high, "right"
        )
        return replace(
            self.snapshot, commits=tuple(commits[i] for i in np.flatnonzero(hit))
        )


def _portions(commits: Sequence[Commit]) -> Iterator[tuple[Commit, ...]]:
    """Groups commits so that the memory to read them does not grow with the lake."""
    portion: list[Commit] = []
    rows = 0
    for commit in commits:
        portion.append(commit)
        rows += commit.rows.get("cube", 0)
        if rows >= READ_ROWS:
            yield tuple(portion)
            portion, rows = [], 0
    if portion:
        yield tuple(portion)


def opened(dataset: Dataset, names: Names) -> History:
    """Counts everything a dataset has committed.

    Args:
        dataset: The matches.
        names: Gives codes to what is counted by.

    Returns:
        The history at its present watermark.
    """
    snapshot = dataset.snapshot()
    return History(names, snapshot).advance(snapshot)


def _minute(moment: datetime | None) -> int:
    # A commit without posts lies before everything, so no minute needs it.
    return -1 if moment is None else int(moment.astimezone(UTC).timestamp()) // 60


def add_part(parts: tuple[Part, ...], part: Part) -> tuple[Part, ...]:
    """Appends a part, and merges it with those that are not much larger.

    Each row is merged a logarithmic number of times, and there are few parts.

    Args:
        parts: The parts so far, the largest first.
        part: The next one.

    Returns:
        Parts with the same sum.
    """
    pending = [part]
    rows = part.rows
    kept = list(parts)
    while kept and kept[-1].rows < min(4 * rows, SEALED_ROWS):
        pending.append(kept.pop())
        rows += pending[-1].rows
    kept.append(merged(pending) if len(pending) > 1 else part)
    return tuple(kept)
