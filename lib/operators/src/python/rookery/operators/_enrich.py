"""What is found out about a matched post beside that it matched."""

from __future__ import annotations

import pyarrow as pa

from rookery.operators._arrow import Array
from rookery.operators._arrow import kernels as pc
from rookery.operators._language import identify
from rookery.operators._sentiment import polarity
from rookery.records import MATCH
from rookery.text import entities

_ENGLISH = "^[eE][nN]([-_].*)?$"


def enrich(matches: pa.RecordBatch) -> pa.RecordBatch:
    """Fills in language, sentiment and entities.

    Args:
        matches: Of schema `MATCH`.

    Returns:
        The same rows with `detected_language` (ISO 639; where none is declared, and the
        model is sure), `sentiment` (-1 to 1, VADER; null where the text is not English,
        by the declared language, else the identified one), `hashtags`, `mentions` and
        `domains`.
    """
    if not matches.num_rows:
        return matches
    texts = matches.column("text")
    declared = matches.column("language")
    detected = _languages(texts, declared)
    found = entities(texts)
    columns: dict[str, Array] = {
        "detected_language": detected,
        "sentiment": _sentiments(texts, pc.coalesce(declared, detected)),
        "hashtags": found.hashtags,
        "mentions": found.mentions,
        "domains": found.domains,
    }
    return pa.RecordBatch.from_arrays(
        [columns.get(name, matches.column(name)) for name in MATCH.names], schema=MATCH
    )


def _languages(texts: Array, declared: Array) -> Array:
    if not declared.null_count:
        return pa.nulls(len(texts), pa.string())
    undeclared = pc.if_else(declared.is_null(), texts, None).to_pylist()
    found = [None if text is None else identify(text) for text in undeclared]
    return pa.array(found, pa.string())


def _sentiments(texts: Array, languages: Array) -> Array:
    english = pc.match_substring_regex(languages, _ENGLISH).fill_null(False)
    scored = pc.if_else(english, texts, None).to_pylist()
    scores = [None if text is None else polarity(text) for text in scored]
    return pa.array(scores, pa.float32())
