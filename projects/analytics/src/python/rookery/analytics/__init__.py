"""Batch views: what is counted live, recomputed over the lake on Dask."""

from importlib import import_module
from typing import TYPE_CHECKING

from rookery.analytics._errors import (
    AnalyticsError,
    EngineConfiguration,
    EngineUnavailable,
    NotEqual,
)
from rookery.analytics._options import By, Format

if TYPE_CHECKING:
    from rookery.analytics._engine import Client, connect
    from rookery.analytics._views import view, write
    from rookery.analytics._volume import committed, compare, volume, volume_of
else:
    # Loaded when first used: the command line shows its help without Dask.
    _NAMES = {
        "_engine": ("Client", "connect"),
        "_views": ("view", "write"),
        "_volume": ("committed", "compare", "volume", "volume_of"),
    }
    _WHERE = {name: module for module, names in _NAMES.items() for name in names}

    def __getattr__(name):
        if name not in _WHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


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
