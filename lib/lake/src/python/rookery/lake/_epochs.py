"""The epochs of a lake, one after the other."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from rookery.lake._errors import EpochMismatch, LakeConfiguration, LakeDamaged
from rookery.lake._model import PARTS, Epoch
from rookery.lake._names import closed_path, epoch_path, is_id
from rookery.lake._records import Closed, decode, encode
from rookery.lake._store import Store


class Epochs:
    """Reads and writes the records of epochs. An epoch opens when the last is closed.

    Args:
        store: The lake's files.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: list[Epoch] = []

    def all(self) -> list[Epoch]:
        """Reads which epochs there are, oldest first."""
        with self._lock:
            # Only the newest known one can have been closed since.
            if self._known and self._known[-1].closed is None:
                self._known[-1] = self._with_closed(self._known[-1])
            while (epoch := self._read(len(self._known) + 1)) is not None:
                self._known.append(epoch)
            return list(self._known)

    def current(self) -> Epoch | None:
        """Reads which epoch is open; None if the lake is empty or the last is closed."""
        epochs = self.all()
        return epochs[-1] if epochs and epochs[-1].closed is None else None

    def open(self, epoch: str, starts: Mapping[str, int]) -> Epoch:
        """Opens the next epoch, or returns the current one if that is it.

        Args:
            epoch: Id of the logs.
            starts: By dataset, the first sequence that belongs to it.

        Returns:
            The epoch, with the starts that it was first opened with.

        Raises:
            EpochMismatch: If another one is open, or this one was closed before.
        """
        _check(epoch, starts)
        epochs = self.all()
        if epochs and epochs[-1].closed is None:
            return self._same(epochs[-1], epoch)
        if any(known.epoch == epoch for known in epochs):
            raise EpochMismatch(
                f"the epoch {epoch} of {self._store.url} was closed, and an epoch is "
                "opened once: renew the epoch of the log first"
            )
        opened = Epoch(len(epochs) + 1, epoch, dict(starts))
        if self._store.create(epoch_path(opened.n), encode("epoch", opened)):
            return opened
        return self._same(self.all()[opened.n - 1], epoch)

    def close(self, epoch: Epoch, reason: str) -> None:
        """Marks an epoch as closed.

        Args:
            epoch: The epoch.
            reason: Why.
        """
        mark = Closed(epoch.n, epoch.epoch, reason, datetime.now(UTC))
        self._store.create(closed_path(epoch.n), encode("closed", mark))

    def _same(self, current: Epoch, epoch: str) -> Epoch:
        if current.epoch == epoch:
            return current
        raise EpochMismatch(
            f"the lake {self._store.url} continues the log of epoch {current.epoch}, not "
            f"{epoch}: {repair_hint(self._store.url)}"
        )

    def _read(self, n: int) -> Epoch | None:
        path = epoch_path(n)
        data = self._store.get(path)
        if data is None:
            return None
        where = self._store.where(path)
        epoch = decode(data, Epoch, where=where)
        if (
            epoch.n != n
            or not is_id(epoch.epoch)
            or not PARTS.keys() <= epoch.starts.keys()
        ):
            raise LakeDamaged(f"{where} does not describe epoch {n}: restore it")
        return self._with_closed(epoch)

    def _with_closed(self, epoch: Epoch) -> Epoch:
        path = closed_path(epoch.n)
        data = self._store.get(path)
        if data is None:
            return epoch
        mark = decode(data, Closed, where=self._store.where(path))
        return replace(epoch, closed=mark.reason)


def repair_hint(url: str) -> str:
    """Says what a person does about a lake and a log that do not belong together."""
    return (
        "if the log was replaced or lost its end for good, close the epoch with "
        f"`python -m rookery.lake repair --lake {url}` and start again"
    )


def _check(epoch: str, starts: Mapping[str, int]) -> None:
    if not is_id(epoch):
        raise LakeConfiguration(
            f"{epoch!r} cannot be the id of an epoch: expected up to 64 letters, "
            "digits, - and _"
        )
    wrong = [name for name in PARTS if starts.get(name, 0) < 1]
    if wrong or starts.keys() != PARTS.keys():
        raise LakeConfiguration(
            f"an epoch needs a first sequence, 1 or greater, for each of "
            f"{', '.join(PARTS)}, not {dict(starts)}"
        )
