"""What the page shows, as plain data: no element, no clock, no colour by chance."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from rookery.serving._answers import SEARCH_NAME, RuleCount
from rookery.serving._counts import Dimension, Volume
from rookery.serving._posts import segments, sentiment_of
from rookery.serving._search import Page
from rookery.serving._status import Lag, Status

PALETTE = (
    "#6366f1",
    "#0ea5e9",
    "#10b981",
    "#f59e0b",
    "#ef4444",
    "#a855f7",
    "#14b8a6",
    "#f97316",
    "#84cc16",
    "#ec4899",
    "#b45309",
    "#1d4ed8",
    "#4d7c0f",
    "#7e22ce",
    "#0f766e",
    "#be185d",
)
GREY = "#94a3b8"
# A canvas inherits no font.
FONTS = "Inter, Roboto, system-ui, sans-serif"
SENTIMENT_COLOURS = {"positive": "#10b981", "neutral": GREY, "negative": "#ef4444"}
# Classes in the style sheet: 0 to 15 are the palette, 16 marks a search.
SEARCH_CLASS = len(PALETTE)
_SIGNS = {"likes": "♥", "reposts": "↻", "replies": "↩"}
_NAMES = {"likes": "likes:", "reposts": "reposts:", "replies": "replies:"}
NO_VOLUME = Volume(1, range(0), ())


class Colours:
    """Gives each name a colour and keeps it for as long as the page is open."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, name: str) -> int:
        """Returns the place of a name's colour in the palette.

        Args:
            name: Id of a rule, or name of a source or language.

        Returns:
            0 to 15.
        """
        return self._places.setdefault(name, len(self._places)) % len(PALETTE)

    def colour(self, name: str) -> str:
        """Returns the colour of a name, as CSS writes it."""
        return PALETTE[self.place(name)]


def compact(number: float) -> str:
    """Writes a number so that it can be read at a glance.

    Args:
        number: Any number, not negative.

    Returns:
        Such as `874`, `12,340`, `1.24M`, `2.7`.
    """
    if number < 10 and number != int(number):
        return f"{number:.1f}"
    if number < 100_000:
        return f"{number:,.0f}"
    size, letter = next(
        each for each in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if number >= each[0]
    )
    scaled = number / size
    return f"{scaled:.2f}{letter}" if scaled < 100 else f"{scaled:.0f}{letter}"


def share(part: int, whole: int) -> str:
    """Writes a part of a whole as per cent.

    Args:
        part: The part.
        whole: The whole.

    Returns:
        Such as `3.2%`; nothing where there is no whole.
    """
    if not whole:
        return ""
    percent = 100 * part / whole
    return f"{percent:.1f}%" if percent < 10 else f"{percent:.0f}%"


def lag_text(lag: Lag, waited: str) -> tuple[str, str]:
    """Says how far a stage is behind.

    Args:
        lag: The lag.
        waited: What its seconds are, such as `oldest waits`.

    Returns:
        The number of frames, and for how long.
    """
    if not lag.frames:
        return "0", "up to date"
    if lag.seconds is None or lag.seconds < 1:
        return compact(lag.frames), "under a second"
    return compact(lag.frames), f"{waited} {lag.seconds:,.0f} s"


def rule_rows(
    rules: Iterable[RuleCount], posts: int, colours: Colours
) -> list[dict[str, Any]]:
    """Describes rules for the table.

    Args:
        rules: The rules with their counts.
        posts: All posts, each once, of which the share is computed.
        colours: The colours.

    Returns:
        One object for each rule.
    """
    return [
        {
            "id": rule.id,
            "name": rule.id,
            "text": rule.text,
            "active": rule.text is not None,
            "colour": colours.place(rule.id),
            "spark": list(rule.spark),
            "posts": f"{rule.totals.posts:,}",
            "share": share(rule.totals.posts, posts),
            "positive": rule.totals.positive,
            "neutral": rule.totals.neutral,
            "negative": rule.totals.negative,
        }
        for rule in rules
    ]


def post_card(
    row: Mapping[str, Any], colours: Colours, *, now: datetime
) -> dict[str, Any]:
    """Describes a post for the list. Nothing in it is HTML.

    Args:
        row: Columns of `rookery.records.MATCH` and `counted`.
        colours: The colours.
        now: The present moment, to leave out today's date.

    Returns:
        An object of texts and numbers.
    """
    moment = datetime.fromtimestamp(row["counted"] / 1e6, UTC)
    name = row["author_name"] or row["author"] or row["source"]
    handle = f"@{row['author']}" if row["author"] and row["author_name"] else ""
    return {
        "key": f"{row['counted']}:{row['id']}",
        "id": row["id"],
        "name": name,
        "handle": handle,
        "initial": next((c for c in name if c.isalnum()), "?").upper(),
        "hue": _hue(name),
        "time": _clock(moment, now),
        "moment": f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        "url": _link(row["url"]),
        "source": row["source"],
        "language": row["language"] or row["detected_language"] or "",
        "sentiment": sentiment_of(row["sentiment"]).value,
        "parts": _parts(row["text"], row["spans"] or (), colours),
        "rules": [
            {"id": rule, "colour": colours.place(rule)} for rule in row["rules"][:4]
        ],
        "counts": _engagement(row, _SIGNS),
        "counted": _engagement(row, _NAMES),
    }


def _parts(
    text: str, spans: Iterable[Mapping[str, Any]], colours: Colours
) -> list[dict[str, Any]]:
    """Cuts a text into marked and unmarked pieces, which take turns."""
    parts: list[dict[str, Any]] = []
    for marked, pieces in groupby(segments(text, spans), lambda s: bool(s.rules)):
        found = list(pieces)
        part: dict[str, Any] = {"t": "".join(piece.text for piece in found)}
        if marked:
            rules = list(dict.fromkeys(rule for piece in found for rule in piece.rules))
            searched = SEARCH_NAME in rules
            part["c"] = SEARCH_CLASS if searched else colours.place(rules[0])
            part["r"] = ", ".join(rules)
        parts.append(part)
    return parts


def _clock(moment: datetime, now: datetime) -> str:
    if moment.date() == now.date():
        return f"{moment:%H:%M:%S}"
    if moment.year == now.year:
        return f"{moment:%d %b %H:%M}"
    return f"{moment:%d %b %Y %H:%M}"


def _engagement(row: Mapping[str, Any], signs: Mapping[str, str]) -> str:
    return "  ".join(
        f"{sign} {compact(row[column])}"
        for column, sign in signs.items()
        if row[column]
    )


def _hue(name: str) -> int:
    return int.from_bytes(hashlib.blake2s(name.encode(), digest_size=2).digest()) % 360


def _link(url: str | None) -> str | None:
    """A link that cannot run anything: http and https only."""
    try:
        return url if url and urlsplit(url).scheme in ("http", "https") else None
    except ValueError:
        return None


def chart(volume: Volume, by: Dimension, colours: Colours) -> dict[str, Any]:
    """Describes counts over time for ECharts.

    Args:
        volume: The counts.
        by: What they are split by.
        colours: The colours.

    Returns:
        Options. The colours of text and lines suit a light and a dark page.
    """
    moments = [minute * 60_000 for minute in volume.buckets]
    series = []
    for each in volume.series:
        name, colour = _series_look(each.key, each.other, by, colours)
        series.append(
            {
                "type": "bar",
                "name": name,
                "stack": "posts",
                "data": [list(pair) for pair in zip(moments, each.posts, strict=True)],
                "itemStyle": {"color": colour},
                "emphasis": {"focus": "series"},
                "barCategoryGap": "18%",
                "barMaxWidth": 36,
                "large": False,
            }
        )
    return {
        "useUTC": True,
        "animationDuration": 250,
        "animationDurationUpdate": 250,
        "textStyle": {"fontFamily": FONTS},
        "grid": {"left": 8, "right": 8, "top": 40, "bottom": 4, "containLabel": True},
        "legend": {
            "type": "scroll",
            "top": 0,
            "left": 0,
            "itemWidth": 10,
            "itemHeight": 10,
            "icon": "roundRect",
            "textStyle": {"color": "#8591a5", "fontSize": 12},
            "pageTextStyle": {"color": "#8591a5"},
            "pageIconColor": "#8591a5",
            "pageIconInactiveColor": "#8591a566",
        },
        "tooltip": {
            "trigger": "axis",
            "axisPointer": {"type": "shadow", "shadowStyle": {"opacity": 0.25}},
            "confine": True,
            "renderMode": "richText",
            "order": "valueDesc",
            "backgroundColor": "#111827ee",
            "borderWidth": 0,
            "textStyle": {"color": "#f3f4f6", "fontSize": 12},
        },
        "xAxis": {
            "type": "time",
            "axisLine": {"lineStyle": {"color": "#8591a555"}},
            "axisTick": {"show": False},
            "axisLabel": {"color": "#8591a5", "fontSize": 11, "hideOverlap": True},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": {"color": "#8591a5", "fontSize": 11},
            "splitLine": {"lineStyle": {"color": "#8591a526"}},
        },
        "series": series,
    }


def _series_look(
    key: str | None, other: bool, by: Dimension, colours: Colours
) -> tuple[str, str]:
    if other:
        return "all others", GREY
    if by is Dimension.SENTIMENT:
        return key or "", SENTIMENT_COLOURS.get(key or "", GREY)
    if key is None:
        return "not known", GREY
    return key, colours.colour(key)


def bucket_text(width: int) -> str:
    """Says how wide a bucket is.

    Args:
        width: Minutes.

    Returns:
        Such as `per minute`, `per 5 minutes`, `per hour`, `per day`.
    """
    units = ((1440, "day"), (60, "hour"), (1, "minute"))
    size, name = next(unit for unit in units if width % unit[0] == 0)
    count = width // size
    return f"per {name}" if count == 1 else f"per {count} {name}s"


LOADING = {"title": "Loading posts", "hint": ""}
UNREADABLE = {
    "title": "The search cannot be read",
    "hint": "What is wrong stands below the search field.",
}


def empty_state(
    problems: Sequence[str], narrowed: bool, searching: bool
) -> dict[str, str]:
    """Says why there is no post, and what to do.

    Args:
        problems: Codes of what is the matter with the platform.
        narrowed: Whether a filter is set.
        searching: Whether a search is set.

    Returns:
        A title and a hint.
    """
    if narrowed or searching:
        what = "search" if searching and not narrowed else "filters"
        return {
            "title": f"No post passes the {what}",
            "hint": "Widen the time or reset the filters above.",
        }
    if "no-rules" in problems:
        return {
            "title": "No rules yet",
            "hint": "Start the platform with --rules FILE, one rule a line, such as:"
            " fire = wildfire OR #brushfire",
        }
    if "no-posts" in problems:
        return {
            "title": "No posts yet",
            "hint": "As soon as an ingest runs, what matches appears here.",
        }
    return {
        "title": "Nothing has matched yet",
        "hint": "Posts come in, but none of them matches a rule so far.",
    }


def ingest_note(status: Status) -> str:
    """Says what became of what was read.

    Args:
        status: The status.

    Returns:
        Such as `12,000 read · 17 duplicates · 3 dead letters`.
    """
    ingested = status.ingested
    parts = []
    if ingested.read:
        parts.append(f"{compact(ingested.read)} read")
    if ingested.duplicates:
        parts.append(_count(ingested.duplicates, "duplicate"))
    if status.dead:
        parts.append(_count(status.dead, "dead letter"))
    return " · ".join(parts) or "nothing read yet"


def matched_note(status: Status) -> str:
    """Says how matched posts are distributed.

    Args:
        status: The status.

    Returns:
        Such as `24% positive · 12% negative`.
    """
    matched = status.matched
    if not matched.posts:
        return "none yet"
    return (
        f"{share(matched.positive, matched.posts)} positive ·"
        f" {share(matched.negative, matched.posts)} negative"
    )


def rate_note(status: Status) -> str:
    """Says how much of what comes in matches.

    Args:
        status: The status.

    Returns:
        Such as `4.1% of posts`.
    """
    posts, matches = status.posts_per_second, status.matches_per_second
    return f"{share(round(matches * 10), round(posts * 10))} of posts" if posts else ""


def rules_note(rules: Sequence[RuleCount], current: int) -> str:
    """Says how many rules there are and how many of them are shown.

    Args:
        rules: The rules that are shown.
        current: How many there are in the current set.

    Returns:
        Such as `12 rules`, `100 of 10,000 rules`.
    """
    if len(rules) < current:
        return f"{len(rules):,} of {current:,} rules, the most posts first"
    return _count(len(rules), "rule") if rules else ""


def end_note(page: Page, *, full: bool, limit: int) -> str:
    """Says why the list of posts ends where it does.

    Args:
        page: The posts.
        full: Whether the page holds no more.
        limit: After how many posts a search stops.

    Returns:
        One sentence; nothing where it is plain.
    """
    if page.skipped:
        return "More posts follow as soon as the archiver has caught up."
    if page.next is None:
        return ""
    if full:
        return "Older posts: narrow the time, or use the REST interface."
    if page.searched >= limit:
        return f"The newest {limit:,} posts were searched: narrow the time for more."
    return ""


def options(
    names: Iterable[tuple[str, str]], everything: str, chosen: str
) -> dict[str, str]:
    """Makes the options of a filter.

    Args:
        names: Value and text of each option.
        everything: Text of the option that lets all pass.
        chosen: The value that is chosen, which stays even if it is no option now.

    Returns:
        Texts by value.
    """
    found = {"": everything, **dict(names)}
    found.setdefault(chosen, chosen)
    return found


def _count(number: int, thing: str) -> str:
    return f"{compact(number)} {thing}{'' if number == 1 else 's'}"
