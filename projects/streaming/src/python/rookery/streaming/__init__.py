"""Takes posts in, matches them and archives them, each counted once.

The processes run as `python -m rookery.streaming ingest|match-worker|archiver|peek`;
sources are in `rookery.streaming.sources`, formats in `rookery.streaming.formats`.
"""

from typing import TYPE_CHECKING

from rookery.service import lazy
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
    # Loaded when first used: the command line shows its help without sources.
    __getattr__ = lazy(__name__, {"sources": ("sample_rules", "source_name")})


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
