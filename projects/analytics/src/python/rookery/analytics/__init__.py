"""Batch views: what is counted live, recomputed over the lake on Dask."""

from typing import TYPE_CHECKING

from rookery.analytics._errors import (
    AnalyticsError,
    EngineConfiguration,
    EngineUnavailable,
    NotEqual,
)
from rookery.analytics._options import By, Format
from rookery.service import lazy

if TYPE_CHECKING:
    from rookery.analytics._engine import Client, connect
    from rookery.analytics._views import view, write
    from rookery.analytics._volume import committed, compare, volume, volume_of
else:
    # Loaded when first used: the command line shows its help without Dask.
    __getattr__ = lazy(
        __name__,
        {
            "_engine": ("Client", "connect"),
            "_views": ("view", "write"),
            "_volume": ("committed", "compare", "volume", "volume_of"),
        },
    )


__all__ = [
    "AnalyticsError",
    "By",
    "Client",
    "EngineConfiguration",
    "EngineUnavailable",
    "Format",
    "NotEqual",
    "committed",
    "compare",
    "connect",
    "view",
    "volume",
    "volume_of",
    "write",
]
