"""Batch views: what is counted live, recomputed over the lake on Dask."""

from rookery.analytics._engine import Client, connect
from rookery.analytics._errors import (
    AnalyticsError,
    EngineConfiguration,
    EngineUnavailable,
    NotEqual,
)
from rookery.analytics._views import By, Format, view, write
from rookery.analytics._volume import committed, compare, volume, volume_of

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
