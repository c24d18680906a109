"""The native kernel of `rookery.text`: Arrow buffers in, packed integers out."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers = npt.NDArray[np.int32]
Buffer = bytes | npt.NDArray[np.int32] | npt.NDArray[np.int64]

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
    """Phrases, ready to be found.

    A kind is 0 for words, 1 a prefix, 2 a substring; more by 4 if it has to stand at the
    start of a text, by 8 if at its end.
    """

    def __init__(self, phrases: Column, kinds: bytes) -> None: ...
    def find(self, texts: Column) -> bytes:
        """Finds: (row, phrase, start, end, first word, last word) of each hit, int32."""

class Expressions:
    """Boolean expressions over the phrases of a table and what else is true.

    Numbers are int32, lists of them the place of the first value of each list and one
    more, and the values of all. See `expressions.h`.
    """

    def __init__(
        self,
        table: Table,
        atoms: int,
        open: int,
        first_near: int,
        leaves: tuple[Integers, Integers],
        code: tuple[Integers, Integers],
        shape: Integers,
        anchored: tuple[Integers, Integers],
        triggers: tuple[Integers, Integers],
        near: tuple[Integers, Integers],
        others: Integers,
        near_of: tuple[Integers, Integers],
    ) -> None: ...
    def match(self, texts: Column, others: Buffer) -> tuple[bytes, bytes, bytes]:
        """Finds pairs that are true or open, what decides on these, and places.

        What else is true is row << 32 | atom, int64, sorted. Pairs are (row,
        expression, whether it is open), what decides (row, atom), and places (row,
        atom, start, end), int32.
        """

    def settle(
        self,
        pairs: Buffer,
        places: Buffer,
        others: Buffer,
        expressions: int,
        of_leaf: int,
        of_text: int,
    ) -> tuple[bytes, bytes, bytes]:
        """Says what is true, now that all is known, and where its leaves stand.

        Returns (row, how many expressions, how many spans) of each text; expressions;
        and spans, (expression, clause, start, end), int32.
        """

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
