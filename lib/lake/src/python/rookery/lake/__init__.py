"""Parquet datasets with a chain of commits, in a folder or a bucket.

A block of posts exists once its commit was created, which exactly one writer can do.
Readers open only committed files, so whoever crashes, wherever, nothing is seen twice or
half.
"""

from rookery.lake._dataset import Dataset
from rookery.lake._errors import (
    BlockRefused,
    CommitConflict,
    EpochMismatch,
    LakeConfiguration,
    LakeDamaged,
    LakeError,
    LakeUnavailable,
)
from rookery.lake._lake import Lake
from rookery.lake._model import Block, Commit, DataFile, Epoch
from rookery.lake._snapshot import Snapshot

__all__ = [
    "Block",
    "BlockRefused",
    "Commit",
    "CommitConflict",
    "DataFile",
    "Dataset",
    "Epoch",
    "EpochMismatch",
    "Lake",
    "LakeConfiguration",
    "LakeDamaged",
    "LakeError",
    "LakeUnavailable",
    "Snapshot",
]
