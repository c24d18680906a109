"""Times out of Twitter's ids."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rookery.records._arrow import Array
from rookery.records._arrow import kernels as pc
from rookery.records._columns import strings
from rookery.records._schemas import TIME

# Of Snowflake, 2010-11-04T01:42:54.657Z: an id is the milliseconds since then and 22 bits.
TWITTER_EPOCH_MS = 1_288_834_974_657
_FURTHER_BITS = 22
_GREATEST = str(2**63 - 1)


def snowflake_times(ids: Array) -> Array:
    """Reads the time at which a Twitter id was given out.

    Args:
        ids: Whole numbers, or their digits as text.

    Returns:
        timestamp[us, UTC], exact to the millisecond; null where an id is no number from 0
        to 2^63 - 1, or is from before 2010-11-04, when ids held no time yet.
    """
    text = strings(ids, numbers=True).values
    digits = pc.match_substring_regex(text, "^[0-9]{1,19}$")
    # Of as many digits, text is in the order of its numbers.
    fits = pc.or_(pc.less(pc.binary_length(text), 19), pc.less_equal(text, _GREATEST))
    number = pc.if_else(pc.and_(digits, fits), text, None).cast(pa.int64())
    since = np.asarray(number.fill_null(0)) >> _FURTHER_BITS
    # Ids of before were counted up one by one, and had reached eleven digits.
    unknown = np.asarray(number.is_null()) | (since == 0)
    micros = (since + TWITTER_EPOCH_MS) * 1000
    return pa.array(micros, pa.int64(), mask=unknown).view(TIME)
