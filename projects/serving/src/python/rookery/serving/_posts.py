"""Which matched posts are shown, in which order, and which of their words are marked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rookery.operators import NEGATIVE, POSITIVE
from rookery.records import counted_at
from rookery.serving import _sql
from rookery.serving._filters import Filter, Place, Sentiment, microseconds

# What has to be read of every post in order to find those that are shown.
KEY_COLUMNS = (
    "id",
    "source",
    "created_at",
    "ingested_at",
    "time_suspect",
    "language",
    "detected_language",
    "sentiment",
    "rules",
)

_SENTIMENT = {
    Sentiment.POSITIVE: f"sentiment >= {POSITIVE}::FLOAT",
    Sentiment.NEGATIVE: f"sentiment <= {NEGATIVE}::FLOAT",
    Sentiment.NEUTRAL: (
        "(sentiment IS NULL OR"
        f" (sentiment < {POSITIVE}::FLOAT AND sentiment > {NEGATIVE}::FLOAT))"
    ),
}


def sentiment_of(score: float | None) -> Sentiment:
    """Returns the class under which the cube counts a score.

    Args:
        score: Compound score in -1..1, None where the language has no lexicon.

    Returns:
        The class; neutral if there is no score.
    """
    if score is not None and score >= POSITIVE:
        return Sentiment.POSITIVE
    if score is not None and score <= NEGATIVE:
        return Sentiment.NEGATIVE
    return Sentiment.NEUTRAL


def with_time(posts: pa.Table) -> pa.Table:
    """Adds the time each post is counted under.

    Args:
        posts: Posts with at least `KEY_COLUMNS`.

    Returns:
        The same with a last column `counted`, microseconds since 1970, int64.
    """
    chunks = [counted_at(batch).cast(pa.int64()) for batch in posts.to_batches()]
    return posts.append_column("counted", pa.chunked_array(chunks, pa.int64()))


def newest(
    posts: pa.Table, asked: Filter, *, below: Place | None, limit: int | None
) -> pa.Table:
    """Finds the newest posts that pass a filter.

    Args:
        posts: Posts with at least `KEY_COLUMNS` and `counted`, in any order.
        asked: The filter. Its times are exact here, not by minutes.
        below: Only posts older than this place; None: from the newest on.
        limit: How many at most; None: all.

    Returns:
        The columns `row` (index into `posts`, int64), `counted`, `id`, newest first;
        posts of the same moment by descending id.
    """
    conditions = ["true"]
    values: list[object] = []

    def where(condition: str, *given: object) -> None:
        conditions.append(condition)
        values.extend(given)

    if asked.rule is not None:
        where("list_contains(rules, ?)", asked.rule)
    if asked.source is not None:
        where("source = ?", asked.source)
    if asked.language is not None:
        where("coalesce(language, detected_language, '') = ?", asked.language)
    if asked.sentiment is not None:
        where(_SENTIMENT[asked.sentiment])
    if asked.start is not None:
        where("counted >= ?", microseconds(asked.start))
    if asked.end is not None:
        where("counted < ?", microseconds(asked.end))
    if below is not None:
        where(
            "(counted < ? OR (counted = ? AND id < ?))",
            below.counted,
            below.counted,
            below.id,
        )
    light = posts.select([*KEY_COLUMNS, "counted"]).append_column(
        "row", pa.array(range(posts.num_rows), pa.int64())
    )
    bound = "" if limit is None else f" LIMIT {int(limit)}"
    # Every value from outside is a parameter; the conditions are those above.
    passing = " AND ".join(conditions)
    select = f"SELECT row, counted, id FROM posts WHERE {passing}"  # nosec B608
    order = f" ORDER BY counted DESC, id DESC{bound}"
    return _sql.query(select + order, {"posts": light}, values)


def in_order(posts: pa.Table, keys: pa.Table) -> pa.Table:
    """Picks posts by their keys.

    Args:
        posts: Posts with `id` and `counted`, in any order, perhaps more than asked.
        keys: What `newest` found.

    Returns:
        One row for each key that is there, in the order of the keys.
    """
    places: dict[tuple[Any, Any], int] = {}
    columns = (posts["counted"].to_pylist(), posts["id"].to_pylist())
    for row, key in enumerate(zip(*columns, strict=True)):
        places.setdefault(key, row)
    wanted = zip(keys["counted"].to_pylist(), keys["id"].to_pylist(), strict=True)
    rows = [places[key] for key in dict.fromkeys(wanted) if key in places]
    return posts.take(pa.array(rows, pa.int64()))


@dataclass(frozen=True)
class Segment:
    """A piece of a text that is either marked throughout or not at all.

    Attributes:
        text: The piece.
        rules: Ids of the rules whose words it belongs to; empty: not marked.
    """

    text: str
    rules: tuple[str, ...] = ()


def segments(text: str, spans: Iterable[Mapping[str, Any]]) -> Iterator[Segment]:
    """Cuts a text where marks begin and end. Spans may overlap.

    Args:
        text: The whole text.
        spans: `rule`, `start` and `end`, offsets in characters (code points).

    Yields:
        Pieces that, joined, are the text.
    """
    marks = [
        (max(0, span["start"]), min(len(text), span["end"]), str(span["rule"]))
        for span in spans
    ]
    marks = [mark for mark in marks if mark[0] < mark[1]]
    cuts = sorted({0, len(text), *(cut for mark in marks for cut in mark[:2])})
    for start, end in zip(cuts, cuts[1:], strict=False):
        over = dict.fromkeys(
            rule for first, last, rule in marks if first < end and last > start
        )
        yield Segment(text[start:end], tuple(over))


def by_row(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Joins tables that may lack columns added in a later version.

    Args:
        tables: Tables of posts.
        schema: What the result has.

    Returns:
        One table.
    """
    return pa.concat_tables([schema.empty_table(), *tables], promote_options="default")


def pick(posts: pa.Table, ids: Sequence[Any]) -> pa.Table:
    """Returns the rows with one of the ids.

    Args:
        posts: Posts with `id`.
        ids: The ids.

    Returns:
        The rows, in the order they had.
    """
    return posts.filter(pc.is_in(posts["id"], pa.array(ids, pa.string())))
