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
    """Phrases, ready to be found."""

    def __init__(self, phrases: Column, boundaries: bool) -> None: ...
    def find(self, texts: Column) -> bytes:
        """Finds: (row, phrase, start, end) of each hit, int32 each."""

def words(texts: Column) -> bytes:
    """Finds all words: (row, start, end, 0) of each, int32 each."""

def marks(texts: Column) -> bytes:
    """Says which signs occur in each text: 1 `#`, 2 `@`, 4 `$`, 8 `://`."""

def fold(text: str) -> str:
    """Folds the case of each code point."""

def word_class(character: str) -> int:
    """Says 1 if a character continues a word, plus 2 if it begins one."""
