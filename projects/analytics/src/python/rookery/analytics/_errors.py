"""What can go wrong in a batch computation."""

import os
from typing import ClassVar


class AnalyticsError(Exception):
    """The computation could not be done."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class EngineUnavailable(AnalyticsError):
    """The Dask scheduler or its workers cannot be reached."""

    exit_code: ClassVar[int] = os.EX_UNAVAILABLE


class EngineConfiguration(AnalyticsError):
    """The address of the batch engine cannot be used."""

    exit_code: ClassVar[int] = os.EX_CONFIG


class NotEqual(AnalyticsError):
    """What was counted live is not what batch counts."""

    exit_code: ClassVar[int] = os.EX_DATAERR
