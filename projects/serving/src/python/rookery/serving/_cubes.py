"""Additive cubes in memory, immutable, and the questions they answer.

A cube (`rookery.records.CUBE`) counts posts by minute, rule, source and language; rows
without a rule count each post once. Cubes of different frames or blocks add up, so what
this module holds is a tuple of parts that are summed when a question is asked. Names are
replaced by small integers, and large parts carry the same counts by ten minutes and by
the hour too, so that a question over months need not read every minute.
"""

import enum
import threading
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rookery.serving import _sql
from rookery.serving._filters import MINUTE_US
from rookery.serving._filters import Filter
from rookery.serving._filters import Sentiment

NOTHING = -1
OTHER = -2
COARSE = (60, 10)
SMALL_ROWS = 50_000

CODED = pa.schema(
    [
        ("minute", pa.int32()),
        ("rule", pa.int32()),
        ("source", pa.int32()),
        ("language", pa.int32()),
        ("posts", pa.int32()),
        ("positive", pa.int32()),
        ("negative", pa.int32()),
        ("sentiment_sum", pa.float64()),
        ("engagement", pa.int64()),
    ]
)


class Dimension(enum.StrEnum):
    """What counts can be split by."""

    RULE = "rule"
    SOURCE = "source"
    LANGUAGE = "language"
    SENTIMENT = "sentiment"


class Names:
    """Gives each name a small integer, for as long as the process lives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: list[str] = []
        self._codes: dict[str, int] = {}

    def encode(self, column: pa.ChunkedArray | pa.Array) -> np.ndarray:
        """Replaces names by their codes, and gives codes to new names.

        Args:
            column: Names, string.

        Returns:
            The codes, int32, `NOTHING` where the name is null.
        """
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        coded = column.dictionary_encode()
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
class Totals:
    """Counts of matched posts.

    Attributes:
        posts: How many.
        positive: How many of them are positive.
        neutral: How many are neutral, or of unknown sentiment.
        negative: How many are negative.
        sentiment_sum: Sum of their sentiment scores, each in -1..1.
        engagement: Sum of their likes, replies and reposts.
    """

    posts: int = 0
    positive: int = 0
    neutral: int = 0
    negative: int = 0
    sentiment_sum: float = 0.0
    engagement: int = 0


@dataclass(frozen=True)
class Series:
    """The counts of one rule, source, language or sentiment over time.

    Attributes:
        key: Its name, None where the posts have none (a language not known).
        other: Whether this is the sum of all that are not shown by themselves.
        posts: Matched posts in each bucket.
        total: Their sum.
    """

    key: str | None
    other: bool
    posts: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class Volume:
    """Counts over time.

    Attributes:
        width: Minutes in a bucket.
        buckets: First minute of each bucket, minutes since 1970.
        series: The largest first, then the rest as one.
    """

    width: int
    buckets: range
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Ranked:
    """One rule, source or language with its counts.

    Attributes:
        key: Its name, None where the posts have none.
        totals: Its counts.
    """

    key: str | None
    totals: Totals


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
    return Part(_grain(_posts(table)), _grain(_rules(table)))


def merged(parts: Sequence[Part]) -> Part:
    """Sums parts into one.

    Args:
        parts: Any parts.

    Returns:
        The sum, sorted by time.
    """
    grains = [grain for part in parts for grain in (part.posts, part.rules)]
    return merged_part(grain.minutes for grain in grains)


def _posts(table: pa.Table) -> pa.Table:
    return table.filter(pc.equal(table["rule"], NOTHING))


def _rules(table: pa.Table) -> pa.Table:
    return table.filter(pc.not_equal(table["rule"], NOTHING))


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


_MEASURE = {
    None: "posts",
    Sentiment.POSITIVE: "positive",
    Sentiment.NEGATIVE: "negative",
    Sentiment.NEUTRAL: "(posts - positive - negative)",
}
_SUMS = """
    coalesce(sum({posts}), 0)::BIGINT AS posts,
    coalesce(sum(positive), 0)::BIGINT AS positive,
    coalesce(sum(posts - positive - negative), 0)::BIGINT AS neutral,
    coalesce(sum(negative), 0)::BIGINT AS negative,
    coalesce(sum(sentiment_sum), 0)::DOUBLE AS sentiment_sum,
    coalesce(sum(engagement), 0)::BIGINT AS engagement
"""


@dataclass(frozen=True)
class _Asked:
    """A filter in the terms of the coded columns, within what there is to count."""

    low: int
    high: int
    where: str
    measure: str


@dataclass(frozen=True)
class Cubes:
    """Counts that add up, and the questions they answer.

    Attributes:
        names: What the codes in the parts stand for.
        parts: The counts.
    """

    names: Names
    parts: tuple[Part, ...] = ()

    @cached_property
    def extent(self) -> tuple[int, int] | None:
        """First minute with a post, and the first after the last, since 1970."""
        extents = [e for part in self.parts if (e := part.posts.extent) is not None]
        if not extents:
            return None
        return min(low for low, _ in extents), max(high for _, high in extents)

    def totals(self, asked: Filter) -> Totals:
        """Counts the posts that pass a filter, each once.

        Args:
            asked: The filter. Its times are widened to whole minutes.

        Returns:
            The counts. Under a filter by sentiment only `posts` follows it.
        """
        terms = self._terms(asked)
        if terms is None:
            return Totals()
        sums = _SUMS.format(posts=terms.measure)
        return Totals(*self._rows(sums, "", asked, terms, step=60)[0])

    def ranking(
        self, asked: Filter, *, by: Dimension, limit: int | None = None
    ) -> list[Ranked]:
        """Counts per rule, source or language, the most first.

        A post that matched several rules counts under each of them.

        Args:
            asked: The filter. Its times are widened to whole minutes.
            by: What to count by; not by sentiment, which `totals` gives.
            limit: How many at most.

        Returns:
            The counts, ties in the order of the names.
        """
        terms = self._terms(asked)
        if terms is None:
            return []
        sums = _SUMS.format(posts=terms.measure)
        rows = self._rows(
            f"{by}, {sums}",
            f"GROUP BY {by} HAVING sum({terms.measure}) > 0",
            asked,
            terms,
            step=60,
            rules=by is Dimension.RULE,
        )
        ranked = [
            Ranked(self.names.name(code), Totals(*counts)) for code, *counts in rows
        ]
        ranked.sort(key=lambda each: (-each.totals.posts, each.key or ""))
        return ranked[:limit]

    def volume(
        self,
        asked: Filter,
        *,
        by: Dimension | None,
        width: int,
        top: int = 8,
        keys: Sequence[str] | None = None,
    ) -> Volume:
        """Counts over time.

        Args:
            asked: The filter. Its times are widened to whole buckets.
            by: What to split by; None for one series with each post once.
            width: Minutes in a bucket; buckets begin at multiples of it since 1970.
            top: How many series stand for themselves.
            keys: Which they are; None: the largest.

        Returns:
            The series, without holes: a bucket without posts counts 0.
        """
        terms = self._terms(asked)
        buckets = self._buckets(asked, width)
        if terms is None or not buckets:
            return Volume(width, buckets, ())
        low = buckets.start
        terms = replace(terms, low=low, high=buckets.stop)
        if by is Dimension.SENTIMENT:
            return Volume(width, buckets, self._sentiments(asked, terms, buckets))
        if by is None:
            rows = self._rows(
                f"(minute - {low}) // {width} AS bucket, 0,"
                f" sum({terms.measure})::BIGINT",
                "GROUP BY bucket",
                asked,
                terms,
                step=width,
            )
            return Volume(width, buckets, tuple(self._series(rows, buckets, [0])))
        if keys is None:
            keys = [
                each.key or "" for each in self.ranking(asked, by=by, limit=top)
            ]
        codes = [self.names.code(key) if key else NOTHING for key in keys]
        shown = [code for code in codes if code is not None]
        listed = ", ".join(map(str, shown)) or str(OTHER)
        rows = self._rows(
            f"(minute - {low}) // {width} AS bucket,"
            f" CASE WHEN {by} IN ({listed}) THEN {by} ELSE {OTHER} END AS series,"
            f" sum({terms.measure})::BIGINT",
            "GROUP BY bucket, series",
            asked,
            terms,
            step=width,
            rules=by is Dimension.RULE,
        )
        return Volume(
            width, buckets, tuple(self._series(rows, buckets, [*shown, OTHER]))
        )

    def minutes(self, asked: Filter, *, before: int, at_least: int) -> list[int]:
        """Finds how far back one has to look for a number of posts, and where.

        Args:
            asked: The filter.
            before: Only minutes before this one count, minutes since 1970.
            at_least: How many posts are wanted.

        Returns:
            The newest minutes with posts, descending, until they hold that many; all
            of them if they do not.
        """
        terms = self._terms(asked)
        if terms is None:
            return []
        high, span = min(before, terms.high), 60
        found: list[int] = []
        posts = 0
        while high > terms.low:
            low = max(terms.low, high - span)
            for minute, counted in self._rows(
                f"minute, sum({terms.measure})::BIGINT",
                f"GROUP BY minute HAVING sum({terms.measure}) > 0 ORDER BY 1 DESC",
                asked,
                replace(terms, low=low, high=high),
            ):
                found.append(minute)
                posts += counted
                if posts >= at_least:
                    return found
            high, span = low, span * 4
        return found

    def _sentiments(
        self, asked: Filter, terms: _Asked, buckets: range
    ) -> tuple[Series, ...]:
        kinds = [asked.sentiment] if asked.sentiment else list(Sentiment)
        sums = ", ".join(f"sum({_MEASURE[kind]})::BIGINT" for kind in kinds)
        rows = self._rows(
            f"(minute - {buckets.start}) // {buckets.step} AS bucket, {sums}",
            "GROUP BY bucket",
            asked,
            terms,
            step=buckets.step,
        )
        found = []
        for position, kind in enumerate(kinds):
            posts = np.zeros(len(buckets), dtype=np.int64)
            for bucket, *counts in rows:
                posts[bucket] = counts[position]
            counted = tuple(posts.tolist())
            found.append(Series(str(kind), False, counted, sum(counted)))
        return tuple(found)

    def _series(
        self,
        rows: Iterable[tuple[int, int, int]],
        buckets: range,
        codes: Sequence[int],
    ) -> Iterable[Series]:
        counts = {code: np.zeros(len(buckets), dtype=np.int64) for code in codes}
        for bucket, code, posts in rows:
            counts[code][bucket] = posts
        for code, posts in counts.items():
            total = int(posts.sum())
            if code != OTHER or total:
                key = None if len(codes) == 1 else self.names.name(code)
                yield Series(key, code == OTHER, tuple(posts.tolist()), total)

    def _buckets(self, asked: Filter, width: int) -> range:
        extent = self.extent
        if extent is None:
            return range(0)
        low = extent[0] if asked.start_minute is None else asked.start_minute
        high = extent[1] if asked.end_minute is None else asked.end_minute
        return range(low // width * width, -(-high // width) * width, width)

    def _terms(self, asked: Filter) -> _Asked | None:
        extent = self.extent
        if extent is None:
            return None
        conditions = []
        for column in (Dimension.RULE, Dimension.SOURCE, Dimension.LANGUAGE):
            name = getattr(asked, column)
            if name is None:
                continue
            code = NOTHING if name == "" else self.names.code(name)
            if code is None:
                return None
            conditions.append(f" AND {column} = {code}")
        low, high = extent
        if asked.start_minute is not None:
            low = max(low, asked.start_minute)
        if asked.end_minute is not None:
            high = min(high, asked.end_minute)
        return _Asked(low, high, "".join(conditions), _MEASURE[asked.sentiment])

    def _rows(
        self,
        columns: str,
        tail: str,
        asked: Filter,
        terms: _Asked,
        *,
        step: int = 1,
        rules: bool = False,
    ) -> list[tuple[Any, ...]]:
        """Runs one query over what is needed of each part.

        Only numbers and names of columns are put into the text of the query.
        """
        tables = [CODED.empty_table()]
        for part in self.parts:
            grain = part.rules if rules or asked.rule is not None else part.posts
            extent = grain.extent
            if extent and extent[0] < terms.high and extent[1] > terms.low:
                tables += grain.cover(terms.low, terms.high, step)
        return _sql.rows(
            f"SELECT {columns} FROM cube WHERE minute >= {terms.low}"
            f" AND minute < {terms.high}{terms.where} {tail}",
            {"cube": pa.concat_tables(tables)},
        )


WIDTHS = (1, 2, 5, 10, 20, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 43_200)


def bucket_width(minutes: int, points: int) -> int:
    """Chooses how wide buckets are.

    Args:
        minutes: Length of the time that is shown.
        points: How many buckets there may be, about.

    Returns:
        Minutes in a bucket: a length that people know.
    """
    return next((w for w in WIDTHS if minutes <= w * points), minutes // points + 1)
