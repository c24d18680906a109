"""Hands Arrow arrays to the kernel without copying them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rookery.text._errors import ColumnError
from rookery.text_native import kernel

Array: TypeAlias = "pa.Array[Any]"
Integers: TypeAlias = npt.NDArray[np.int32]


def column(texts: Array) -> kernel.Column:
    """Wraps the buffers of an array of text.

    Args:
        texts: An array of string or large_string, which may be a slice and have nulls.
            Text in another layout (dictionary, string_view) is brought into this one,
            which copies it.

    Returns:
        What the kernel reads; it keeps the buffers alive.

    Raises:
        ColumnError: If it does not hold text, is damaged, has 2^31 - 1 texts or more, or
            a text of more than 2 GiB.
    """
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        texts = _plain(texts)
    validity, offsets, data = texts.buffers()
    wide = pa.types.is_large_string(texts.type)
    try:
        return kernel.Column(
            validity if texts.null_count else None,
            offsets,
            data,
            texts.offset,
            len(texts),
            wide,
        )
    except ValueError as error:
        raise ColumnError(f"the array is damaged: {error}") from error
    except OverflowError as error:
        raise ColumnError(str(error)) from error


def _plain(texts: Array) -> Array:
    kind = texts.type
    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    if not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    ):
        raise ColumnError(f"an array of {texts.type} holds no text: give one of string")
    return texts.cast(pa.large_string())


def integers(packed: bytes, width: int) -> Iterator[Integers]:
    """Reads what the kernel found.

    Args:
        packed: Groups of 32-bit integers.
        width: How many are in a group.

    Returns:
        So many arrays, int32, read-only, each contiguous.
    """
    table = np.frombuffer(packed, np.int32).reshape(-1, width)
    columns = np.ascontiguousarray(table.T)
    columns.flags.writeable = False
    return iter(columns)
