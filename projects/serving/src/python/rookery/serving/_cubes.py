"""Additive cubes in memory, immutable, and the questions they answer.

A cube (`rookery.records.CUBE`) counts posts by minute, rule, source and language; rows
without a rule count each post once. Cubes of different frames or blocks add up, so what
this module holds is a tuple of parts that are summed when a question is asked. Names are
replaced by small integers, and large parts carry the same counts by ten minutes and by
the hour too, so that a question over months need not read every minute.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from rookery.serving import _sql
from rookery.serving._counts import Dimension, Ranked, Series, Totals, Volume
from rookery.serving._filters import Filter, Sentiment
from rookery.serving._parts import CODED, NOTHING, Names, Part

OTHER = -2


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
        grains = [grain for part in self.parts for grain in (part.posts, part.rules)]
        extents = [e for grain in grains if (e := grain.extent) is not None]
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
            keys = [each.key or "" for each in self.ranking(asked, by=by, limit=top)]
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
            counts = [0] * len(buckets)
            for bucket, *sums_of in rows:
                counts[bucket] = sums_of[position]
            found.append(Series(str(kind), False, tuple(counts), sum(counts)))
        return tuple(found)

    def _series(
        self,
        rows: Iterable[tuple[int, int, int]],
        buckets: range,
        codes: Sequence[int],
    ) -> Iterable[Series]:
        counts = {code: [0] * len(buckets) for code in codes}
        for bucket, code, posts in rows:
            counts[code][bucket] = posts
        for code, each in counts.items():
            total = sum(each)
            if code != OTHER or total:
                key = None if len(codes) == 1 else self.names.name(code)
                yield Series(key, code == OTHER, tuple(each), total)

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
        within = f"minute >= {terms.low} AND minute < {terms.high}{terms.where}"
        select = f"SELECT {columns} FROM cube WHERE {within} {tail}"  # nosec B608
        return _sql.rows(select, {"cube": pa.concat_tables(tables)})


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
