"""Where posts come from."""

from rookery.streaming.sources._clock import Clock
from rookery.streaming.sources._files import Files, expand
from rookery.streaming.sources._source import Source
from rookery.streaming.sources._spec import SourceSpec, open_source, source_name
from rookery.streaming.sources._stdin import Stdin
from rookery.streaming.sources._synthetic import Synthetic, generate, sample_rules

__all__ = [
    "Clock",
    "Files",
    "Source",
    "SourceSpec",
    "Stdin",
    "Synthetic",
    "expand",
    "generate",
    "open_source",
    "sample_rules",
    "source_name",
]
