"""What can go wrong between a process and the lake."""

import os
from typing import ClassVar


class LakeError(Exception):
    """The lake could not do what was asked of it."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class LakeUnavailable(LakeError):
    """The lake cannot be reached or has no room; what was asked may be asked again."""

    exit_code: ClassVar[int] = os.EX_UNAVAILABLE


class LakeConfiguration(LakeError):
    """The lake cannot be used as it is set up."""

    exit_code: ClassVar[int] = os.EX_CONFIG


class EpochMismatch(LakeError):
    """The lake continues another log than the one on the bus."""

    exit_code: ClassVar[int] = os.EX_CONFIG


class CommitConflict(LakeError):
    """Another writer has committed this block: discard it and read again."""

    exit_code: ClassVar[int] = os.EX_TEMPFAIL


class LakeDamaged(LakeError):
    """A committed file is missing or is not what was committed."""

    exit_code: ClassVar[int] = os.EX_DATAERR


class BlockRefused(LakeError):
    """A block does not continue the lake, or its tables have the wrong columns."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE
