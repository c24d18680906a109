"""Takes posts in, matches them and archives them, each counted once.

The processes run as `python -m rookery.streaming ingest|match-worker|archiver|peek`;
sources are in `rookery.streaming.sources`, formats in `rookery.streaming.formats`.
"""

from typing import TYPE_CHECKING

from rookery.streaming._errors import (
    SourceChanged,
    SourceFormatError,
    SourceInUse,
    SourceSpecError,
    SourceUnreadable,
    StreamingError,
)

if TYPE_CHECKING:
    from rookery.streaming.sources import sample_rules, source_name
else:

    def __getattr__(name):
        # Loaded when first used: the command line shows its help without sources.
        if name not in {"sample_rules", "source_name"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from rookery.streaming import sources

        return getattr(sources, name)


__all__ = [
    "SourceChanged",
    "SourceFormatError",
    "SourceInUse",
    "SourceSpecError",
    "SourceUnreadable",
    "StreamingError",
    "sample_rules",
    "source_name",
]
