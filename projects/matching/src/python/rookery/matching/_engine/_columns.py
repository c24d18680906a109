"""What a post says of itself beside its text: language, links, media, entities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from rookery.matching._engine._program import Booleans, Integers
from rookery.matching._language._leaves import Has
from rookery.operators import identify
from rookery.text import entities


def languages(posts: pa.RecordBatch, rows: Integers) -> list[str | None]:
    """Says in which language posts are: declared, else identified.

    Args:
        posts: Posts.
        rows: Those that are asked for.

    Returns:
        A BCP 47 tag in lower case with hyphens for each; None where it is not known.
    """
    taken = pa.array(rows, pa.int64())
    declared = posts.column("language").take(taken).to_pylist()
    texts = posts.column("text")
    return [
        (
            language.lower().replace("_", "-")
            if language is not None
            else identify(texts[row].as_py())
        )
        for row, language in zip(rows.tolist(), declared, strict=True)
    ]


def has(posts: pa.RecordBatch, rows: Integers, what: Has) -> Booleans:
    """Tells which posts have something.

    Args:
        posts: Posts.
        rows: Those that are asked for.
        what: What they should have.

    Returns:
        Whether each has it, bool.
    """
    taken = pa.array(rows, pa.int64())
    if what is Has.MEDIA:
        return _filled(posts.column("media").take(taken))
    found = entities(posts.column("text").take(taken))
    match what:
        case Has.LINKS:
            return _filled(posts.column("links").take(taken)) | _filled(found.urls)
        case Has.MENTIONS:
            return _filled(found.mentions)
        case Has.HASHTAGS:
            return _filled(found.hashtags)
        case Has.CASHTAGS:
            return _filled(found.cashtags)


def _filled(lists: Any) -> Booleans:
    filled: Booleans = np.asarray(lists.value_lengths().fill_null(0)) > 0
    return filled
