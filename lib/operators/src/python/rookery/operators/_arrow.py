"""Arrow as the type checker is told of it."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

Array: TypeAlias = "pa.Array[Any]"

# The stubs type each kernel by the arrays it takes, and know a column of a batch only as
# an array of anything; so kernels go untyped, and results are typed where they are kept.
kernels: Any = pyarrow.compute
