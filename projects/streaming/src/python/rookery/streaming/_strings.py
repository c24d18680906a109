"""Columns of text as Python strings."""

from __future__ import annotations

from typing import Any, cast

import pyarrow as pa


def strings(column: pa.Array[Any] | pa.ChunkedArray[Any]) -> list[str]:
    """Gives the values of a column that holds no nulls.

    Args:
        column: string[n] without nulls, as the schema promises.

    Returns:
        Its values.
    """
    # The stubs do not know of columns that hold no nulls.
    return cast("list[str]", column.to_pylist())
