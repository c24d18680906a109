"""Bytes in, record batches out: pure functions, no files, no clocks."""

from rookery.streaming._options import Format
from rookery.streaming.formats._cut import Cutter, Piece
from rookery.streaming.formats._ends import csv_ends, line_ends
from rookery.streaming.formats._format import Columns, detect, parse_columns
from rookery.streaming.formats._text import Step, TextParser, read_header

__all__ = [
    "Columns",
    "Cutter",
    "Format",
    "Piece",
    "Step",
    "TextParser",
    "csv_ends",
    "detect",
    "line_ends",
    "parse_columns",
    "read_header",
]
