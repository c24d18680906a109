"""Columns as JSON, column by column: no value becomes an object of Python's.

A struct array is the columns of a table, so that a batch as JSON lines is a column of
texts that is put together out of those of its columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

from rookery.records._arrow import Array
from rookery.records._arrow import kernels as pc

_QUOTE, _BACKSLASH, _SPACE = b'"\\ '
# What JSON has a short form for; other control characters are written by number.
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    **{chr(code): f"\\u{code:04x}" for code in range(_SPACE)},
    **_SHORT,
}


def json_texts(column: Array) -> Array:
    """Writes each value of a column as JSON.

    Args:
        column: Text, numbers, booleans, times, or lists or structs of them.

    Returns:
        string, without nulls.
    """
    texts = _texts(column)
    if isinstance(texts, str):
        return pa.array([texts] * len(column), pa.string())
    return texts


def json_lines(batch: pa.RecordBatch) -> Array:
    """Writes each row of a batch as a line of JSON.

    Args:
        batch: Columns of what `json_texts` takes.

    Returns:
        string: an object with its line feed, a row.
    """
    texts = _objects(batch.columns, batch.schema.names, "}\n")
    if isinstance(texts, str):
        return pa.array([texts] * batch.num_rows, pa.string())
    return texts


def plain(column: Array) -> Array:
    """Makes text of times, which needs no time zones of the machine this way.

    Args:
        column: Any column.

    Returns:
        RFC 3339 in UTC where it holds times; else the column.
    """
    if not pa.types.is_timestamp(column.type):
        return column
    text = column.cast(pa.timestamp("us")).cast(pa.string())
    written: Array = pc.binary_join_element_wise(
        pc.replace_substring(text, " ", "T", max_replacements=1), "Z", ""
    )
    return written


def _texts(column: Array) -> Array | str:
    """Like `json_texts`; one text where all values are the same."""
    kind = column.type
    if column.null_count == len(column):
        return "null"
    if pa.types.is_list(kind):
        texts = _lists(column)
    elif pa.types.is_struct(kind):
        fields = [pc.struct_field(column, at) for at in range(column.type.num_fields)]
        texts = _objects(fields, [field.name for field in column.type], "}")
    elif pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        texts = column.cast(pa.string())
    elif pa.types.is_floating(kind):
        values = map(msgspec.json.encode, column.to_pylist())
        return pa.array([value.decode() for value in values], pa.string())
    else:
        texts = _quoted(plain(column))
    if column.null_count:
        if isinstance(texts, str):
            texts = pa.array([texts] * len(column), pa.string())
        texts = pc.if_else(column.is_null(), "null", texts)
    return texts


def _quoted(text: Array) -> Array:
    quoted: Array = pc.binary_join_element_wise('"', _escaped(text), '"', "")
    return quoted


def _escaped(text: Array) -> Array:
    for character in _special(text):
        text = pc.replace_substring(text, character, _ESCAPES[character])
    return text


def _special(text: Array) -> list[str]:
    """Finds what must be escaped, the backslash first."""
    _, offsets, data = text.buffers()
    if offsets is None or data is None:
        return []
    # A null may have any bytes behind it, which costs time at most.
    ends = np.frombuffer(memoryview(offsets), np.int32)[
        [text.offset, text.offset + len(text)]
    ]
    values = np.frombuffer(memoryview(data), np.uint8)[ends[0] : ends[1]]
    mask = values < _SPACE
    mask |= values == _QUOTE
    mask |= values == _BACKSLASH
    found = set(np.unique(values[mask]).tolist())
    return [character for character in _ESCAPES if ord(character) in found]


def _lists(column: Array) -> Array | str:
    lengths = pc.list_value_length(column)
    if not column.null_count and pc.max(lengths).as_py() == 0:
        return "[]"
    flat = pc.list_flatten(column)
    elements = json_texts(flat)
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(np.asarray(lengths.fill_null(0)), out=offsets[1:])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), elements)
    texts: Array = pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")
    return texts


def _objects(columns: Sequence[Array], names: Sequence[str], end: str) -> Array | str:
    pieces: list[Array | str] = []
    text = ""
    for name, column in zip(names, columns, strict=True):
        text += f"{',' if pieces or text else '{'}{msgspec.json.encode(name).decode()}:"
        values = _texts(column)
        if isinstance(values, str):
            text += values
        else:
            pieces += [text, values]
            text = ""
    text = (text if pieces or text else "{") + end
    if not pieces:
        return text
    texts: Array = pc.binary_join_element_wise(*pieces, text, "")
    return texts
