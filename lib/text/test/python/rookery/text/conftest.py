"""Offers a profile for a thorough run of the property tests, and arrays without slack.

With `ROOKERY_TIGHT=1`, which lib/text/sanitize sets, the kernel reads copies of buffers
that have not a byte more than they need, so that a sanitizer sees the first byte that is
read too far. The README tells how to run both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

from rookery.text import _columns
from rookery.text.testing import tight
from rookery.text_native import kernel

settings.register_profile(
    "thorough",
    deadline=None,
    max_examples=100_000,
    suppress_health_check=[HealthCheck.too_slow],
)


def _tight_column(
    validity: pa.Buffer | None,
    offsets: pa.Buffer | None,
    data: pa.Buffer | None,
    first: int,
    length: int,
    wide: bool,
) -> kernel.Column:
    return kernel.Column(
        tight(validity), tight(offsets), tight(data), first, length, wide
    )


@pytest.fixture(autouse=os.environ.get("ROOKERY_TIGHT") == "1", scope="session")
def _tight_columns() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_columns, "kernel", SimpleNamespace(Column=_tight_column))
        yield
