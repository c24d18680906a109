"""What the REST interface answers, as OpenAPI describes it."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rookery.serving._answers import Buried, Facets, RuleCount
from rookery.serving._counts import Ranked, Totals, Volume
from rookery.serving._posts import sentiment_of
from rookery.serving._search import Page
from rookery.serving._status import Status

_LISTS = ("rules", "spans", "hashtags", "mentions", "domains", "links", "media")
_Severity = Literal["info", "warning", "error"]


class Model(BaseModel):
    """A part of an answer, immutable, made from the object of the same shape."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ProblemDocument(Model):
    """An error, as RFC 9457 describes it."""

    type: str = Field(description="A name for machines, such as `filter-invalid`.")
    title: str = Field(description="What was wrong.")
    status: int = Field(description="The HTTP status, again.")
    detail: str = Field(description="What was wrong here, and what to do about it.")
    where: str | None = Field(None, description="The parameter or field that is wrong.")
    line: int | None = Field(None, description="Its line, from 1.")
    column: int | None = Field(
        None, description="Where in the search or rule the error is, from 1."
    )
    hint: str | None = Field(None, description="What might have been meant.")


class TotalsModel(Model):
    """Counts of matched posts."""

    posts: int = Field(description="Posts, each once.")
    positive: int = Field(description="Posts with a compound score of 0.05 or more.")
    neutral: int = Field(description="Posts in between, or without a score.")
    negative: int = Field(description="Posts with a compound score of -0.05 or less.")
    sentiment_sum: float = Field(description="Sum of the scores, each in -1..1.")
    engagement: int = Field(description="Sum of likes, replies and reposts.")


class IngestModel(Model):
    """What was ingested."""

    read: int = Field(description="Records read from the source.")
    accepted: int = Field(description="Posts that went into the log.")
    duplicates: int = Field(description="Posts left out because their id was seen.")
    rejected: int = Field(description="Records kept as dead letters, with a reason.")


class ProblemNote(Model):
    """Something a person should know about the platform."""

    code: str = Field(description="A name for machines.")
    severity: _Severity
    title: str
    hint: str = Field(description="What to do about it.")


class RateModel(Model):
    """What went through in one second."""

    second: int = Field(description="Second since 1970.")
    posts: int = Field(description="Posts matched against the rules.")
    matches: int = Field(description="Posts of them that matched.")


class LagModel(Model):
    """How far a stage is behind the one before it."""

    frames: int = Field(description="Frames not done yet.")
    seconds: float | None = Field(
        description="Age of the oldest frame that is not archived; for matching, the"
        " time since it last moved."
    )


class RatesModel(Model):
    """Posts a second, over the last ten full seconds."""

    posts_per_second: float
    matches_per_second: float
    history: tuple[RateModel, ...] = Field(description="The last two minutes.")


class StatusModel(Model):
    """How the platform is doing."""

    at: datetime
    connected: bool = Field(description="Whether the log answered.")
    epoch: str = Field(description="Identity of the log.")
    watermark: int = Field(description="Last MATCHES sequence the lake answers for.")
    last: int = Field(description="Last MATCHES sequence that is counted.")
    matched: TotalsModel
    ingested: IngestModel = Field(description="All sources together.")
    sources: dict[str, IngestModel] = Field(description="Each source.")
    archived_posts: int = Field(description="Posts in the lake.")
    waiting_frames: int = Field(description="Frames of posts not in the lake yet.")
    dead: int = Field(description="Dead letters.")
    rates: RatesModel
    matching: LagModel = Field(description="Matching behind ingest.")
    archiving: LagModel = Field(description="The archive behind matching.")
    ruleset: str | None = Field(description="Version of the current rules.")
    rules: int = Field(description="How many rules that are.")
    problems: tuple[ProblemNote, ...]

    @classmethod
    def of(cls, status: Status) -> "StatusModel":
        """Describes a status.

        Args:
            status: The status.

        Returns:
            Its model.
        """
        return cls(
            at=status.at,
            connected=status.connected,
            epoch=status.epoch,
            watermark=status.watermark,
            last=status.last,
            matched=TotalsModel.model_validate(status.matched),
            ingested=IngestModel.model_validate(status.ingested),
            sources={
                source: IngestModel.model_validate(totals)
                for source, totals in status.ingest.items()
            },
            archived_posts=status.archived,
            waiting_frames=status.waiting,
            dead=status.dead,
            rates=RatesModel(
                posts_per_second=status.posts_per_second,
                matches_per_second=status.matches_per_second,
                history=tuple(RateModel.model_validate(r) for r in status.rates),
            ),
            matching=LagModel.model_validate(status.matching),
            archiving=LagModel.model_validate(status.archiving),
            ruleset=status.ruleset,
            rules=status.rules,
            problems=tuple(ProblemNote.model_validate(p) for p in status.problems),
        )


class SeriesModel(Model):
    """One line of the chart."""

    key: str | None = Field(description="Name; null: not known, or not split.")
    other: bool = Field(description="Whether it is the sum of all that are not shown.")
    total: int
    posts: tuple[int, ...] = Field(description="Posts in each bucket.")


class VolumeModel(Model):
    """Counts over time."""

    width_minutes: int = Field(description="Minutes in a bucket.")
    buckets: tuple[datetime, ...] = Field(description="When each bucket begins.")
    series: tuple[SeriesModel, ...]
    totals: TotalsModel = Field(description="All posts, each once.")

    @classmethod
    def of(cls, volume: Volume, totals: Totals) -> "VolumeModel":
        """Describes counts over time.

        Args:
            volume: The counts.
            totals: Their sums, each post once.

        Returns:
            Their model.
        """
        return cls(
            width_minutes=volume.width,
            buckets=tuple(moment(minute) for minute in volume.buckets),
            series=tuple(SeriesModel.model_validate(s) for s in volume.series),
            totals=TotalsModel.model_validate(totals),
        )


class RuleModel(Model):
    """A rule with its counts."""

    id: str
    text: str | None = Field(description="Null: no longer in the current set.")
    active: bool = Field(description="Whether it is in the current set.")
    totals: TotalsModel
    spark: tuple[int, ...] = Field(description="Posts in equal steps, oldest first.")

    @classmethod
    def of(cls, rule: RuleCount) -> "RuleModel":
        """Describes a rule.

        Args:
            rule: The rule.

        Returns:
            Its model.
        """
        return cls(
            id=rule.id,
            text=rule.text,
            active=rule.text is not None,
            totals=TotalsModel.model_validate(rule.totals),
            spark=rule.spark,
        )


class RulesModel(Model):
    """The rules with their counts, the most first."""

    ruleset: str | None = Field(description="Version of the current set.")
    rules: tuple[RuleModel, ...]


class RankedModel(Model):
    """A name with its counts."""

    key: str | None = Field(description="The name; null: not known.")
    posts: int

    @classmethod
    def of(cls, ranked: Ranked) -> "RankedModel":
        """Describes a name.

        Args:
            ranked: The name with its counts.

        Returns:
            Its model.
        """
        return cls(key=ranked.key, posts=ranked.totals.posts)


class FacetsModel(Model):
    """What posts can be filtered by."""

    sources: tuple[RankedModel, ...]
    languages: tuple[RankedModel, ...]
    start: datetime | None = Field(description="First minute with a matched post.")
    end: datetime | None = Field(description="End of the last such minute.")

    @classmethod
    def of(cls, facets: Facets) -> "FacetsModel":
        """Describes facets.

        Args:
            facets: The facets.

        Returns:
            Their model.
        """
        return cls(
            sources=tuple(map(RankedModel.of, facets.sources)),
            languages=tuple(map(RankedModel.of, facets.languages)),
            start=facets.start,
            end=facets.end,
        )


class SpanModel(Model):
    """Words of a post that a rule matched."""

    rule: str = Field(description="Id of the rule; `search` for the search.")
    clause: int = Field(description="Which clause of the rule.")
    start: int = Field(description="First character (code point) of the text.")
    end: int = Field(description="Character after the last one.")


class PostModel(Model):
    """A post that matched."""

    id: str
    source: str
    author: str | None
    author_name: str | None
    text: str
    language: str | None = Field(description="Declared, else detected.")
    created_at: datetime
    counted_at: datetime = Field(
        description="The time it is counted under: its own, or that of its ingest"
        " where its own cannot be right."
    )
    url: str | None
    likes: int | None
    reposts: int | None
    replies: int | None
    followers: int | None
    sentiment: float | None = Field(description="Compound score in -1..1.")
    sentiment_class: Literal["positive", "neutral", "negative"]
    rules: tuple[str, ...] = Field(description="Ids of the rules it matched.")
    spans: tuple[SpanModel, ...]
    hashtags: tuple[str, ...]
    mentions: tuple[str, ...]
    domains: tuple[str, ...]
    links: tuple[str, ...]
    media: tuple[str, ...]

    @classmethod
    def of(cls, row: dict[str, Any]) -> "PostModel":
        """Describes a post.

        Args:
            row: Columns of `rookery.records.MATCH` and `counted`.

        Returns:
            Its model.
        """
        return cls.model_validate(
            {
                **row,
                **{name: row[name] or () for name in _LISTS},
                "language": row["language"] or row["detected_language"],
                "counted_at": datetime.fromtimestamp(row["counted"] / 1e6, UTC),
                "sentiment_class": sentiment_of(row["sentiment"]).value,
            }
        )


class PostsModel(Model):
    """Posts, newest first."""

    posts: tuple[PostModel, ...]
    next: str | None = Field(
        description="Pass it as `cursor` for the next page; null: this is the last."
    )
    searched: int = Field(description="Posts that were put through the search.")
    skipped_frames: int = Field(
        description="Frames of the log whose posts are missing until the archiver has"
        " caught up; 0 in normal operation."
    )

    @classmethod
    def of(cls, page: Page) -> "PostsModel":
        """Describes a page.

        Args:
            page: The page.

        Returns:
            Its model.
        """
        return cls(
            posts=tuple(map(PostModel.of, page.posts.to_pylist())),
            next=None if page.next is None else page.next.cursor,
            searched=page.searched,
            skipped_frames=page.skipped,
        )


class DeadModel(Model):
    """A record that could not be processed."""

    sequence: int
    stage: str = Field(description="Where it failed, such as `ingest`.")
    source: str
    where: str = Field(description="Its place, such as `tweets.csv:17`.")
    reason: str
    raw: str = Field(description="The record; what is not UTF-8 is replaced.")
    at: datetime

    @classmethod
    def of(cls, buried: Buried) -> "DeadModel":
        """Describes a dead letter.

        Args:
            buried: The letter.

        Returns:
            Its model.
        """
        letter = buried.letter
        return cls(
            sequence=buried.sequence,
            stage=letter.stage,
            source=letter.source,
            where=letter.where,
            reason=letter.reason,
            raw=letter.raw.decode("utf-8", "replace"),
            at=letter.at,
        )


class DeadsModel(Model):
    """Dead letters, newest first."""

    letters: tuple[DeadModel, ...]
    next: int | None = Field(description="Pass it as `below` for the next page.")


def moment(minute: int) -> datetime:
    """Returns the moment at which a minute begins.

    Args:
        minute: Minutes since 1970.

    Returns:
        The moment, UTC.
    """
    return datetime.fromtimestamp(minute * 60, UTC)
