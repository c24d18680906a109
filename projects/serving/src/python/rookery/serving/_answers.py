"""The questions that page and REST interface ask, each answered from one view."""

import asyncio
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import msgspec

from rookery.bus import DEAD, DeadLetter, decode_dead
from rookery.matching import (
    Matcher,
    MatchingError,
    RuleSet,
    RuleSyntaxError,
)
from rookery.serving._counts import Dimension, Ranked, Totals, Volume
from rookery.serving._cubes import bucket_width
from rookery.serving._errors import FilterInvalid, SearchInvalid
from rookery.serving._filters import Filter, Place
from rookery.serving._live import Live
from rookery.serving._search import Finder, Page
from rookery.serving._status import Status, status_of
from rookery.serving._view import View

MAX_BUCKETS = 2_000
MAX_ANSWERS = 500
SEARCH_NAME = "search"
_PREFIX = f"{SEARCH_NAME} = "
_BREAKS = re.compile(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")

T = TypeVar("T")


@dataclass(frozen=True)
class RuleCount:
    """A rule with its counts.

    Attributes:
        id: Its id.
        text: Its canonical text; None if it is no longer in the current set.
        totals: Counts of the posts that matched it.
        spark: Posts in equal steps over the time that was asked for, oldest first.
    """

    id: str
    text: str | None
    totals: Totals
    spark: tuple[int, ...]


@dataclass(frozen=True)
class Facets:
    """What posts can be filtered by.

    Attributes:
        sources: Names of the sources that have matched posts, the most first.
        languages: Their languages, None where it is not known.
        start: First minute with a post; None if there is none.
        end: The end of the last one.
    """

    sources: tuple[Ranked, ...]
    languages: tuple[Ranked, ...]
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True)
class Buried:
    """A dead letter and its place.

    Attributes:
        sequence: Its sequence in DEAD.
        letter: The letter.
    """

    sequence: int
    letter: DeadLetter


class Answers:
    """Answers questions. Equal questions at the same moment are computed once.

    Args:
        live: What the answers are computed from.
    """

    def __init__(self, live: Live) -> None:
        self.live = live
        self._view: View | None = None
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}

    async def status(self) -> Status:
        """Says how the platform is doing.

        Returns:
            The status.
        """
        view = self.live.view()
        totals = await self.totals(Filter())
        return status_of(self.live, view, totals)

    async def totals(self, asked: Filter) -> Totals:
        """Counts the posts that pass a filter, each once."""
        return await self._once(("totals", asked), lambda v: v.cubes.totals(asked))

    async def volume(
        self,
        asked: Filter,
        *,
        by: Dimension | None = None,
        points: int = 60,
        width: int | None = None,
        top: int = 8,
    ) -> Volume:
        """Counts over time; see `Cubes.volume`.

        Args:
            asked: The filter.
            by: What to split by.
            points: About how many buckets, where no width is given.
            width: Minutes in a bucket.
            top: How many series stand for themselves.

        Returns:
            The series.

        Raises:
            FilterInvalid: There would be too many buckets.
        """
        minutes = self._minutes(asked)
        chosen = bucket_width(minutes, points) if width is None else width
        if minutes > chosen * MAX_BUCKETS:
            raise FilterInvalid(
                "width",
                f"{minutes:,} minutes in buckets of {chosen} would be more than"
                f" {MAX_BUCKETS:,} buckets: widen the buckets or narrow the time",
            )
        return await self._once(
            ("volume", asked, by, chosen, top),
            lambda view: view.cubes.volume(asked, by=by, width=chosen, top=top),
        )

    async def ranking(
        self, asked: Filter, *, by: Dimension, limit: int | None = None
    ) -> list[Ranked]:
        """Counts per rule, source or language; see `Cubes.ranking`."""
        return await self._once(
            ("ranking", asked, by, limit),
            lambda view: view.cubes.ranking(asked, by=by, limit=limit),
        )

    async def rules(
        self, asked: Filter, *, limit: int = 100, spark: int = 30
    ) -> list[RuleCount]:
        """Lists rules with their counts, the most first.

        Rules that have no post come last, in the order of the set; rules that have
        posts but are no longer in the set are listed too.

        Args:
            asked: The filter.
            limit: How many at most.
            spark: How many steps each rule's development has, about.

        Returns:
            The rules.
        """
        ranked = await self.ranking(asked, by=Dimension.RULE)
        known = {rule.id: rule.text for rule in self._rules()}
        shown = ranked[:limit]
        keys = [each.key for each in shown if each.key is not None]
        width = bucket_width(self._minutes(asked), spark)
        volume = await self._once(
            ("spark", asked, tuple(keys), width),
            lambda view: view.cubes.volume(
                asked, by=Dimension.RULE, width=width, keys=keys
            ),
        )
        sparks = {series.key: series.posts for series in volume.series}
        counted = [
            RuleCount(
                each.key or "",
                known.get(each.key or ""),
                each.totals,
                sparks.get(each.key, ()),
            )
            for each in shown
        ]
        seen = {each.key for each in ranked}
        for identity, text in known.items():
            if len(counted) >= limit:
                break
            if identity not in seen and asked.rule in (None, identity):
                counted.append(RuleCount(identity, text, Totals(), ()))
        return counted

    async def facets(self, asked: Filter) -> Facets:
        """Says what there is to filter by.

        Args:
            asked: The filter so far.

        Returns:
            Sources, languages and the time that has posts.
        """
        sources = await self.ranking(asked, by=Dimension.SOURCE)
        languages = await self.ranking(asked, by=Dimension.LANGUAGE)
        extent = self.live.view().cubes.extent
        start = end = None
        if extent is not None:
            start, end = (datetime.fromtimestamp(each * 60, UTC) for each in extent)
        return Facets(tuple(sources), tuple(languages), start, end)

    async def posts(
        self,
        asked: Filter,
        *,
        below: Place | None = None,
        limit: int = 50,
        search: str | None = None,
    ) -> Page:
        """Finds the newest posts.

        Args:
            asked: The filter.
            below: Where the page before ended.
            limit: How many at most.
            search: What they have to match, in the rule language; `SearchInvalid` is
                raised if it is not.

        Returns:
            The page.
        """
        matcher = compiled(search) if search and search.strip() else None

        def find(view: View) -> Page:
            finder = Finder(view, self.live.load)
            return finder.page(asked, below=below, limit=limit, search=matcher)

        return await self._once(("posts", asked, below, limit, search), find)

    def newest(self) -> datetime | None:
        """Returns the end of the newest minute that has a matched post."""
        extent = self.live.view().cubes.extent
        return None if extent is None else datetime.fromtimestamp(extent[1] * 60, UTC)

    async def dead(self, *, below: int | None = None, limit: int = 50) -> list[Buried]:
        """Reads dead letters, newest first.

        Args:
            below: Sequence of the last one of the page before.
            limit: How many at most.

        Returns:
            The letters.
        """
        bus = self.live.bus
        state = await bus.state(DEAD)
        sequence = state.last if below is None else min(below - 1, state.last)
        found: list[Buried] = []
        while sequence >= state.first and len(found) < limit:
            message = await bus.get(DEAD, sequence)
            if message is not None:
                try:
                    found.append(Buried(sequence, decode_dead(message.data)))
                except msgspec.DecodeError as error:
                    found.append(Buried(sequence, _unreadable(message.data, error)))
            sequence -= 1
        return found

    def _rules(self) -> tuple[Any, ...]:
        rules = self.live.rules
        return () if rules is None else rules.rules

    def _minutes(self, asked: Filter) -> int:
        extent = self.live.view().cubes.extent or (0, 1)
        start, end = asked.start_minute, asked.end_minute
        low = extent[0] if start is None else start
        high = extent[1] if end is None else end
        return max(1, high - low)

    async def _once(self, key: Hashable, answer: Callable[[View], T]) -> T:
        view = self.live.view()
        if view is not self._view or len(self._asked) > MAX_ANSWERS:
            self._view, self._asked = view, {}
        asked = self._asked
        task = asked.get(key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(answer, view))
            asked[key] = task

            def keep_unless_failed(done: asyncio.Task[Any]) -> None:
                if done.cancelled() or done.exception() is not None:
                    asked.pop(key, None)

            task.add_done_callback(keep_unless_failed)
        # One who asked and went away must not cancel the answer of the others.
        return cast(T, await asyncio.shield(task))


def compiled(search: str) -> Matcher:
    """Compiles a search.

    Args:
        search: An expression of the rule language.

    Returns:
        What matches it.

    Raises:
        SearchInvalid: It is no such expression.
    """
    # A rule is one line: a line break becomes a space, so that columns stay right.
    line = _BREAKS.sub(" ", search)
    try:
        return Matcher(RuleSet.parse([_PREFIX + line]))
    except MatchingError as error:
        reason, column, hint = _wrong(error)
        raise SearchInvalid(reason, line, column, hint) from error


def _wrong(error: MatchingError) -> tuple[str, int | None, str | None]:
    # The error of a set of rules holds those of its rules: here there is one.
    for found in (error, *getattr(error, "errors", ())):
        if isinstance(found, RuleSyntaxError):
            column = max(1, found.column - len(_PREFIX))
            return found.reason, column, found.hint or None
    return str(error), None, None


def _unreadable(data: bytes, error: Exception) -> DeadLetter:
    return DeadLetter(
        stage="?",
        source="?",
        where="DEAD",
        reason=f"this dead letter cannot be read: {error}",
        raw=data,
        at=datetime.fromtimestamp(0, UTC),
        key="?",
    )
