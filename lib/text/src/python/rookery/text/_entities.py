"""Hashtags, mentions, lists, cashtags and URLs in texts, as twitter-text defines them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from rookery.text._columns import Array, Integers, column, integers
from rookery.text._errors import ColumnError
from rookery.text_native import kernel

Lists: TypeAlias = "pa.ListArray[Any]"


class EntityKind(IntEnum):
    """What an entity is."""

    HASHTAG = 0
    MENTION = 1
    LIST = 2
    CASHTAG = 3
    URL = 4


@dataclass(frozen=True, eq=False)
class Places:
    """Where entities stand, sorted by row and start; none stands within another.

    Attributes:
        row: Index of the text, int32.
        kind: Its `EntityKind`, int32.
        start: Where it begins, with its sign, in characters (code points), int32.
        end: Where it ends, exclusive, in characters, int32.
    """

    row: Integers
    kind: Integers
    start: Integers
    end: Integers

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, eq=False)
class Entities:
    """What stands in texts, each as a list per text, in the order of the text.

    An entity that stands there twice is there twice. A null text has empty lists.

    Attributes:
        hashtags: Without their `#`, as they are written.
        mentions: Without their `@`, as they are written.
        lists: `name/list`, without the `@`, as they are written; they are no mentions.
        cashtags: Without their `$`, as they are written.
        urls: As they are written, with a scheme or without one.
        domains: The host of each URL, in lower case and without `www.`.
        places: Where each entity stands.
    """

    hashtags: Lists
    mentions: Lists
    lists: Lists
    cashtags: Lists
    urls: Lists
    domains: Lists
    places: Places


def entities(texts: Array) -> Entities:
    """Finds entities; the GIL is released meanwhile.

    Args:
        texts: Array of string or large_string.

    Returns:
        The entities of each text.

    Raises:
        ColumnError: If the array does not hold text, or is damaged.
    """
    try:
        packed, columns = kernel.entities(column(texts))
    except ValueError as error:
        raise ColumnError(f"the array is damaged: {error}") from error
    except OverflowError as error:
        raise ColumnError(str(error)) from error
    hashtags, mentions, lists, cashtags, urls, domains = (
        _lists(*buffers) for buffers in columns
    )
    places = Places(*integers(packed, 4))
    return Entities(hashtags, mentions, lists, cashtags, urls, domains, places)


def _lists(rows: bytes, values: bytes, data: bytes) -> Lists:
    strings = pa.StringArray.from_buffers(
        len(values) // 4 - 1, pa.py_buffer(values), pa.py_buffer(data)
    )
    offsets = pa.array(np.frombuffer(rows, np.int32), pa.int32())
    return pa.ListArray.from_arrays(offsets, strings)
