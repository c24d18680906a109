"""The native kernel of `rookery.text`: Arrow buffers in, packed integers out."""

import pyarrow as pa

UNICODE_VERSION: str

class Column:
    """The buffers of one Arrow string or large_string array."""

    def __init__(
        self,
        validity: pa.Buffer | None,
        offsets: pa.Buffer | None,
        data: pa.Buffer | None,
        first: int,
        length: int,
        wide: bool,
    ) -> None: ...

class Table:
    """Phrases, ready to be found; a kind is 0 for words, 1 a prefix, 2 a substring."""

    def __init__(self, phrases: Column, kinds: bytes) -> None: ...
    def find(self, texts: Column) -> bytes:
        """Finds: (row, phrase, start, end, first word, last word) of each hit, int32."""

def words(texts: Column) -> bytes:
    """Finds all words: (row, start, end) of each, int32."""

def entities(
    texts: Column,
) -> tuple[bytes, list[tuple[bytes, bytes, bytes]]]:
    """Finds entities: (row, kind, start, end) of each, and six columns of values.

    A column is where the values of each text end, where each value ends, and UTF-8.
    """

def fold(text: str) -> str:
    """Folds the case of each code point."""

def character_class(character: str) -> int:
    """Says what a character may be part of, as `rookery.text.tables` has it."""

def label_size(label: str) -> int:
    """Says how many characters a label of a host has in Punycode; 64 if too many."""
