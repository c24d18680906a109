"""Texts as Hypothesis makes them, and arrays in which every byte too far is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

# Of 256 pieces, so many are any characters, and so many make a text null.
_ANY, _NULL = 36, 4
_LARGE: Final = 64 << 20
# Hypothesis makes few long strings of bytes where it may make short ones.
_PLANS: Final = st.one_of(
    st.binary(max_size=16),
    st.binary(min_size=16, max_size=48),
    st.binary(min_size=40, max_size=120),
)


def columns_of(
    pieces: Sequence[str], *, length: int = 10
) -> st.SearchStrategy[list[str | None]]:
    """Makes columns of texts that are put together from pieces and any characters.

    A column is decided by one string of bytes, two for each piece, which costs a tenth
    of a list of lists of pieces and shrinks as well.

    Args:
        pieces: What texts are made of, some thousands; one that is there more often
            is taken more often.
        length: How many pieces a text has, roughly, if the column goes on behind it.

    Returns:
        A strategy for columns, in which a text may be null.
    """
    return st.builds(
        _column, st.just(pieces), st.just(256 // length), _PLANS, st.text(max_size=12)
    )


def _column(
    pieces: Sequence[str], new: int, plan: bytes, anything: str
) -> list[str | None]:
    column: list[str | None] = [""]
    for first, second in zip(plan[::2], plan[1::2], strict=False):
        if first < new:
            column.append("")
        elif first < new + _NULL:
            column[-1] = None
        else:
            piece = pieces[(first << 8 | second) % len(pieces)]
            if first < new + _NULL + _ANY:
                piece = anything[second % len(anything)] if anything else ""
            column[-1] = (column[-1] or "") + piece
    return column


def tight(buffer: pa.Buffer | None) -> pa.Buffer | None:
    """Copies a buffer into memory that has not a byte more.

    Arrow rounds sizes up, and so a sanitizer does not see a byte that is read behind the
    end; of memory of its own it does.

    Args:
        buffer: A buffer of an array, if there is one.

    Returns:
        Its copy; what has more than 64 MiB is left as it is.
    """
    if buffer is None or buffer.size > _LARGE:
        return buffer
    copy = np.empty(buffer.size, np.uint8)
    if buffer.size:
        copy[:] = np.frombuffer(buffer.to_pybytes(), np.uint8)
    return pa.py_buffer(copy.data)
