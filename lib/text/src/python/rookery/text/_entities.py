"""Hashtags, mentions, lists, cashtags and URLs in texts, as twitter-text defines them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from rookery.text._columns import Array, Integers, column, integers
from rookery.text._errors import ColumnError
from rookery.text._threads import over_slices
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


def entities(texts: Array, *, threads: int = 1) -> Entities:
    """Finds entities, in linear time; the GIL is released meanwhile.

    Args:
        texts: Array of string or large_string.
        threads: How many slices of the texts are read at the same time; the entities
            are the same for any number.

    Returns:
        The entities of each text.

    Raises:
        ColumnError: If the array does not hold text, is damaged, or has more than 2 GiB
            of entities of a kind.
        ValueError: If there is to be no thread.
    """
    if threads < 1:
        raise ValueError(f"{threads} threads find nothing: give at least one")
    try:
        parts = over_slices(_find, texts, threads)
    except ValueError as error:
        raise ColumnError(f"the array is damaged: {error}") from error
    except OverflowError as error:
        raise ColumnError(str(error)) from error
    _, (places, lists) = parts[0]
    if len(parts) > 1:
        places = _joined([(first, places) for first, (places, _) in parts])
        columns = zip(*(lists for _, (_, lists) in parts), strict=True)
        try:
            lists = [pa.concat_arrays(several) for several in columns]
        except pa.ArrowInvalid as error:
            raise ColumnError(
                "more than 2 GiB of results: give fewer texts at once"
            ) from error
    hashtags, mentions, names, cashtags, urls, domains = lists
    place = Places(*places)
    return Entities(hashtags, mentions, names, cashtags, urls, domains, place)


def _find(texts: Array) -> tuple[list[Integers], list[Lists]]:
    packed, columns = kernel.entities(column(texts))
    return list(integers(packed, 4)), [_lists(*buffers) for buffers in columns]


def _joined(parts: Sequence[tuple[int, list[Integers]]]) -> list[Integers]:
    columns = [
        np.concatenate(several)
        for several in zip(*(places for _, places in parts), strict=True)
    ]
    at = 0
    for first, (rows, *_) in parts:
        columns[0][at : at + len(rows)] += first
        at += len(rows)
    for values in columns:
        values.flags.writeable = False
    return columns


def _lists(rows: bytes, values: bytes, data: bytes) -> Lists:
    strings = pa.StringArray.from_buffers(
        len(values) // 4 - 1, pa.py_buffer(values), pa.py_buffer(data)
    )
    offsets = pa.array(np.frombuffer(rows, np.int32), pa.int32())
    return pa.ListArray.from_arrays(offsets, strings)
