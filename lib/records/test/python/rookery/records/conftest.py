from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from rookery.records.testing import match_batch, post_batch

settings.register_profile(
    "records",
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("records")

Batches = st.SearchStrategy[pa.RecordBatch]

_TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
_WORDS = _TEXT.filter(lambda text: text.strip() != "")
_TIME = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))
_MAYBE = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
_COUNT = st.none() | st.integers(0, 10**12)
_POST = {
    "author": _MAYBE,
    "author_name": _MAYBE,
    "text": _WORDS,
    "language": st.none() | st.sampled_from(["en", "pt-BR", "und"]),
    "created_at": _TIME,
    "likes": _COUNT,
    "followers": _COUNT,
    "links": st.lists(_TEXT, max_size=3),
    "media": st.lists(_TEXT, max_size=2),
}
_SPAN = st.fixed_dictionaries(
    {
        "rule": _TEXT,
        "clause": st.integers(0, 2**15 - 1),
        "start": st.integers(0, 2**31 - 1),
        "end": st.integers(0, 2**31 - 1),
    }
)
_MATCH = _POST | {
    "rules": st.lists(_TEXT, max_size=3),
    "spans": st.lists(_SPAN, max_size=3),
    "detected_language": _MAYBE,
    "sentiment": st.none() | st.floats(-1, 1, width=32),
    "hashtags": st.lists(_TEXT, max_size=3),
}


def _batches(
    make: Callable[[list[dict[str, Any]]], pa.RecordBatch],
    columns: dict[str, st.SearchStrategy[Any]],
) -> Batches:
    return st.lists(st.fixed_dictionaries({}, optional=columns), max_size=6).map(make)


# For the whole session, since a property cannot use what is made for each test.
@pytest.fixture(scope="session")
def any_posts() -> Batches:
    return _batches(post_batch, _POST)


@pytest.fixture(scope="session")
def any_matches() -> Batches:
    return _batches(match_batch, _MATCH)


@pytest.fixture
def posts() -> pa.RecordBatch:
    texts = ["one", "zwei", "три", "四"] * 25
    return post_batch(
        {"text": text, "likes": n, "links": ["https://example.org"] * (n % 3)}
        for n, text in enumerate(texts)
    )
