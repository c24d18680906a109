from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from rookery.records.testing import match_batch

settings.register_profile(
    "operators",
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("operators")

_START = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
# Few of each, so that posts meet in a cell; and times on both sides of a minute.
_TIMES = st.integers(-150_000_000, 150_000_000).map(
    lambda micros: _START + timedelta(microseconds=micros)
)
_MATCH = st.fixed_dictionaries(
    {},
    optional={
        "source": st.sampled_from(["a", "b"]),
        "language": st.sampled_from([None, "en", "es"]),
        "detected_language": st.sampled_from([None, "en", "fr"]),
        "created_at": _TIMES,
        "time_suspect": st.booleans(),
        "rules": st.lists(st.sampled_from(["r1", "r2", "ü"]), unique=True),
        "sentiment": st.none() | st.floats(-1, 1, width=32),
        "likes": st.none() | st.integers(0, 10**12),
        "reposts": st.none() | st.integers(0, 10**12),
        "replies": st.none() | st.integers(0, 10**12),
    },
)


# For the whole session, since a property cannot use what is made for each test.
@pytest.fixture(scope="session")
def any_matches() -> st.SearchStrategy[pa.RecordBatch]:
    return st.lists(_MATCH, max_size=30).map(match_batch)
