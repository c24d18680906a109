"""How commits and epochs are written down: JSON with a version and a checksum."""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from rookery.lake._errors import LakeConfiguration, LakeDamaged
from rookery.lake._model import Commit, Epoch

VERSION = 1
_T = TypeVar("_T")


class End(msgspec.Struct, frozen=True):
    """Takes the place of the next commit: the dataset ends here in this epoch.

    Attributes:
        id: Unique id.
        dataset: Name of the dataset.
        epoch: Id of the logs.
        first: The sequence that will not be committed.
        at: When it was written.
    """

    id: str
    dataset: str
    epoch: str
    first: int
    at: datetime


class Closed(msgspec.Struct, frozen=True):
    """Why an epoch was closed.

    Attributes:
        n: Its place.
        epoch: Its id.
        reason: Why.
        at: When.
    """

    n: int
    epoch: str
    reason: str
    at: datetime


class _Envelope(msgspec.Struct, frozen=True):
    lake: int
    kind: str
    checksum: str
    body: msgspec.Raw


Kind = Literal["commit", "end", "epoch", "closed"]
_TYPES: dict[str, type] = {
    "commit": Commit,
    "end": End,
    "epoch": Epoch,
    "closed": Closed,
}


def encode(kind: Kind, record: Commit | End | Epoch | Closed) -> bytes:
    """Writes a record.

    Args:
        kind: What it is.
        record: The record. The checksum of a commit is left out: it is what is computed.

    Returns:
        One line of JSON.
    """
    body = msgspec.json.encode(record)
    envelope = _Envelope(VERSION, kind, _digest(body), msgspec.Raw(body))
    return msgspec.json.encode(envelope) + b"\n"


def decode(data: bytes, type_: type[_T], *, where: str) -> _T:
    """Reads a record of one type.

    Args:
        data: What was written.
        type_: Which type of record it has to be.
        where: Where it lies, for the error.

    Returns:
        The record.

    Raises:
        LakeDamaged: If it is not what was written, or another type of record.
    """
    record = decode_any(data, where=where)
    if not isinstance(record, type_):
        kind = type(record).__name__
        raise LakeDamaged(_damage(where, f"it holds a record of type {kind}"))
    return record


def decode_any(data: bytes, *, where: str) -> Commit | End | Epoch | Closed:
    """Reads a record.

    Args:
        data: What was written.
        where: Where it lies, for the error.

    Returns:
        The record; a commit with its checksum.

    Raises:
        LakeDamaged: If it is not what was written.
        LakeConfiguration: If a newer version has written it.
    """
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LakeDamaged(_damage(where, str(error))) from error
    if envelope.lake > VERSION:
        raise LakeConfiguration(_newer(where, envelope.lake))
    body = bytes(envelope.body)
    if _digest(body) != envelope.checksum:
        raise LakeDamaged(_damage(where, "its checksum does not fit"))
    type_ = _TYPES.get(envelope.kind)
    if type_ is None:
        raise LakeDamaged(
            _damage(where, f"it is of the unknown kind {envelope.kind!r}")
        )
    try:
        record: Commit | End | Epoch | Closed = msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LakeDamaged(_damage(where, str(error))) from error
    if isinstance(record, Commit):
        return replace(record, checksum=envelope.checksum)
    return record


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _damage(where: str, reason: str) -> str:
    return (
        f"{where} is damaged: {reason}; restore it from a copy, and see what else is "
        "with `python -m rookery.lake check`"
    )


def _newer(where: str, version: int) -> str:
    return (
        f"{where} was written by a newer version (format {version}, this program reads "
        f"up to {VERSION}): upgrade this program"
    )
