"""Counts in memory, with small integers for names, at several resolutions."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rookery.serving import _sql
from rookery.serving._filters import MINUTE_US

Column: TypeAlias = "pa.ChunkedArray[Any] | pa.Array[Any]"

NOTHING = -1
COARSE = (60, 10)
SMALL_ROWS = 50_000

_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("minute", pa.int32()),
    pa.field("rule", pa.int32()),
    pa.field("source", pa.int32()),
    pa.field("language", pa.int32()),
    pa.field("posts", pa.int32()),
    pa.field("positive", pa.int32()),
    pa.field("negative", pa.int32()),
    pa.field("sentiment_sum", pa.float64()),
    pa.field("engagement", pa.int64()),
]
CODED = pa.schema(_FIELDS)


class Names:
    """Gives each name a small integer, for as long as the process lives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: list[str] = []
        self._codes: dict[str, int] = {}

    def encode(self, column: Column) -> np.ndarray[Any, Any]:
        """Replaces names by their codes, and gives codes to new names.

        Args:
            column: Names, string.

        Returns:
            The codes, int32, `NOTHING` where the name is null.
        """
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        coded: Any = column.dictionary_encode()
        with self._lock:
            codes = [self._add(name) for name in coded.dictionary.to_pylist()]
        table = np.array([*codes, NOTHING], dtype=np.int32)
        indices = coded.indices.fill_null(len(codes))
        return np.asarray(table[indices.to_numpy(zero_copy_only=False)])

    def _add(self, name: str) -> int:
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = len(self._names)
            self._names.append(name)
        return code

    def code(self, name: str) -> int | None:
        """Returns the code of a name, None if it was never seen."""
        return self._codes.get(name)

    def name(self, code: int) -> str | None:
        """Returns the name of a code, None for `NOTHING`."""
        return None if code < 0 else self._names[code]


@dataclass(frozen=True)
class Grain:
    """The same counts at one or more resolutions.

    Attributes:
        minutes: Counts by minute, `CODED`.
        coarse: The same by ten minutes and by the hour, for large parts.
        sorted: Whether the tables are sorted by time.
    """

    minutes: pa.Table
    coarse: dict[int, pa.Table] = field(default_factory=dict)
    sorted: bool = True

    @cached_property
    def extent(self) -> tuple[int, int] | None:
        """First minute with a count, and the first after the last one."""
        if not self.minutes.num_rows:
            return None
        ends = pc.min_max(self.minutes["minute"])
        return ends["min"].as_py(), ends["max"].as_py() + 1

    def cover(self, low: int, high: int, step: int) -> list[pa.Table]:
        """Returns tables that cover a range of time with as few rows as there are.

        Args:
            low: First minute.
            high: First minute no longer covered.
            step: Minutes within which it does not matter when a post was.

        Returns:
            Tables whose rows, filtered by `low` and `high`, count each post once.
        """
        if not self.sorted:
            return [self.minutes]
        for size in COARSE:
            inner_low, inner_high = -(-low // size) * size, high // size * size
            if step % size == 0 and size in self.coarse and inner_low < inner_high:
                return [
                    _between(self.minutes, low, inner_low),
                    _between(self.coarse[size], inner_low, inner_high),
                    _between(self.minutes, inner_high, high),
                ]
        return [_between(self.minutes, low, high)]


def _between(table: pa.Table, low: int, high: int) -> pa.Table:
    minutes = table["minute"]
    if minutes.num_chunks > 1:
        raise AssertionError("a sorted grain has one chunk")
    if not table.num_rows:
        return table
    values = minutes.chunk(0).to_numpy()
    first, last = np.searchsorted(values, [low, high])
    return table.slice(int(first), int(last - first))


@dataclass(frozen=True)
class Part:
    """Counts of some frames or blocks.

    Attributes:
        posts: Each post once.
        rules: Each post once for each rule that it matched.
    """

    posts: Grain
    rules: Grain

    @property
    def rows(self) -> int:
        """How many rows the part has by minute."""
        return self.posts.minutes.num_rows + self.rules.minutes.num_rows


def encode(cube: pa.RecordBatch | pa.Table, names: Names) -> pa.Table:
    """Replaces the names in a cube by their codes.

    Args:
        cube: Counts, `rookery.records.CUBE`.
        names: Gives the codes.

    Returns:
        The same counts, `CODED`.
    """
    minute = cube.column("minute").cast(pa.int64())
    columns = [
        pc.divide(minute, pa.scalar(MINUTE_US)).cast(pa.int32()),
        *(names.encode(cube.column(name)) for name in ("rule", "source", "language")),
        *(
            cube.column(name).cast(pa.int32())
            for name in ("posts", "positive", "negative")
        ),
        cube.column("sentiment_sum"),
        cube.column("engagement"),
    ]
    return pa.Table.from_arrays(
        [pa.chunked_array([c]) if isinstance(c, np.ndarray) else c for c in columns],
        schema=CODED,
    )


def merged_part(tables: Iterable[pa.Table]) -> Part:
    """Sums tables into a part that answers quickly.

    Args:
        tables: Counts, `CODED`.

    Returns:
        The part, sorted by time, with coarse resolutions if it is large.
    """
    table = pa.concat_tables([CODED.empty_table(), *tables])
    once, rules = split(table)
    return Part(_grain(once), _grain(rules))


def merged(parts: Sequence[Part]) -> Part:
    """Sums parts into one.

    Args:
        parts: Any parts.

    Returns:
        The sum, sorted by time.
    """
    grains = [grain for part in parts for grain in (part.posts, part.rules)]
    return merged_part(grain.minutes for grain in grains)


def split(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Parts the counts of each post once from those for each rule.

    Args:
        table: Counts, `CODED`.

    Returns:
        Rows without a rule, and rows with one.
    """
    once = pc.equal(table["rule"], pa.scalar(NOTHING, pa.int32()))
    return table.filter(once), table.filter(pc.invert(once))


_MERGE = """
    SELECT (minute // {size} * {size})::INTEGER AS minute, rule, source, language,
        sum(posts)::INTEGER AS posts, sum(positive)::INTEGER AS positive,
        sum(negative)::INTEGER AS negative, sum(sentiment_sum) AS sentiment_sum,
        sum(engagement)::BIGINT AS engagement
    FROM cube GROUP BY ALL ORDER BY ALL
"""


def _grain(table: pa.Table) -> Grain:
    minutes = _summed(table, 1)
    if minutes.num_rows < SMALL_ROWS:
        return Grain(minutes)
    tens = _summed(minutes, 10)
    return Grain(minutes, {10: tens, 60: _summed(tens, 60)})


def _summed(table: pa.Table, size: int) -> pa.Table:
    summed = _sql.query(_MERGE.format(size=size), {"cube": table})
    return summed.cast(CODED).combine_chunks()
