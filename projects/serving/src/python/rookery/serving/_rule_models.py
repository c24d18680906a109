"""What the REST interface for rules takes and answers, as OpenAPI describes it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rookery.matching import Explanation
from rookery.matching.store import Action, Done, Entry, Listed
from rookery.serving._backtests import Tested
from rookery.serving._models import Model, SpanModel

MAX_ID = 1_024
MAX_EXPRESSION = 16_384
MAX_TAGS = 64
MAX_TEXT = 100_000
MAX_RULES = 100_000

_Id = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_ID,
        pattern=r"^\S(.*\S)?$",
    ),
]
_Expression = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_EXPRESSION,
        description="What it asks of a post, in the rule language.",
    ),
]
_Tag = Annotated[str, Field(min_length=1, max_length=MAX_ID)]
_Tags = Annotated[tuple[_Tag, ...], Field(max_length=MAX_TAGS)]


class Given(BaseModel):
    """A part of a request: what it does not know is an error, and no guess."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleGiven(Given):
    """A rule as it is to be."""

    rule: _Expression
    tags: Annotated[_Tags, Field(description="What people sort rules by.")] = ()
    enabled: Annotated[bool, Field(description="Whether it matches anything.")] = True


class NewRuleGiven(RuleGiven):
    """A new rule."""

    id: Annotated[
        _Id | None,
        Field(description="Its name; without one, its expression is its name."),
    ] = None


class NewRulesGiven(Given):
    """New rules: all of them are added, or none."""

    rules: Annotated[
        tuple[NewRuleGiven, ...],
        Field(min_length=1, max_length=MAX_RULES, description="The rules."),
    ]


class PatchGiven(Given):
    """What is to change of a rule; what is left out stays."""

    rule: Annotated[
        _Expression | None, Field(description="Its expression from now on.")
    ] = None
    tags: Annotated[_Tags | None, Field(description="All its tags from now on.")] = None
    enabled: Annotated[
        bool | None, Field(description="Whether it matches anything from now on.")
    ] = None


class PostGiven(Given):
    """A post to explain a rule on; what is left out is not known of it."""

    text: Annotated[str, Field(max_length=MAX_TEXT, description="Its text.")]
    author: Annotated[str | None, Field(description="For `from:`.")] = None
    source: Annotated[str | None, Field(description="For `source:`.")] = None
    language: Annotated[str | None, Field(description="Declared language.")] = None
    links: Annotated[
        tuple[str, ...], Field(max_length=1_000, description="For `url:`, `has:links`.")
    ] = ()
    media: Annotated[
        tuple[str, ...], Field(max_length=1_000, description="For `has:media`.")
    ] = ()


class ExplainGiven(Given):
    """A rule, and a post."""

    rule: _Expression
    post: PostGiven


class BacktestGiven(Given):
    """A rule, and what to try it on."""

    rule: _Expression
    id: Annotated[
        _Id | None,
        Field(description="The rule in force that it replaces: not compared with."),
    ] = None
    start: Annotated[
        AwareDatetime | None,
        Field(description="First moment, inclusive, with a time zone (RFC 3339)."),
    ] = None
    end: Annotated[
        AwareDatetime | None, Field(description="Last moment, exclusive.")
    ] = None
    samples: Annotated[
        int, Field(ge=0, le=100, description="How many matched posts to show.")
    ] = 10
    compare: Annotated[
        bool, Field(description="Whether to compare it with the rules in force.")
    ] = True


class StoredRuleModel(Model):
    """A rule in force."""

    id: str = Field(description="Its name.")
    rule: str = Field(description="Its canonical expression.")
    tags: tuple[str, ...] = Field(description="What people sort rules by.")
    enabled: bool = Field(description="Whether it matches anything.")
    version: str = Field(description="Version of the rules in force.")

    @classmethod
    def of(cls, rule: Listed, version: str) -> StoredRuleModel:
        """Describes a rule.

        Args:
            rule: The rule.
            version: The version it is one of.

        Returns:
            Its model.
        """
        return cls(
            id=rule.id,
            rule=rule.text,
            tags=rule.tags,
            enabled=rule.enabled,
            version=version,
        )


class RuleChangeModel(Model):
    """What became of one rule."""

    id: str
    action: Action
    before: str | None = Field(description="The rule as it was; null if it is new.")
    after: str | None = Field(description="The rule as it is; null if it is gone.")


class EntryModel(Model):
    """One change of the rules in force, as it stands in the audit trail."""

    revision: int = Field(description="Its place among all changes; it rises.")
    at: datetime = Field(description="When it was stored.")
    by: str = Field(description="Who; empty: nobody has said.")
    note: str = Field(description="Why.")
    action: Action
    before: str | None = Field(description="The version before; null: there was none.")
    version: str = Field(description="The version from then on.")
    rules: int | None = Field(description="How many rules that were; null: not known.")
    counts: dict[Action, int] | None = Field(description="How many of each change.")
    changes: tuple[RuleChangeModel, ...] = Field(
        description="What became of single rules, as far as it is kept."
    )
    omitted: int = Field(description="How many more there were.")

    @classmethod
    def of(cls, entry: Entry) -> EntryModel:
        """Describes a change.

        Args:
            entry: Its entry.

        Returns:
            Its model.
        """
        return cls.model_validate(entry)


class HistoryModel(Model):
    """The audit trail, newest first."""

    entries: tuple[EntryModel, ...]


class ChangedModel(Model):
    """What became of a change."""

    version: str = Field(description="The version in force now.")
    rules: int = Field(description="How many rules that are.")
    entry: EntryModel | None = Field(description="Null: there was nothing to change.")

    @classmethod
    def of(cls, done: Done) -> ChangedModel:
        """Describes what became of a change.

        Args:
            done: What became of it.

        Returns:
            Its model.
        """
        entry = None if done.entry is None else EntryModel.of(done.entry)
        return cls(version=done.version, rules=done.rules, entry=entry)


class PlaceModel(Model):
    """A place in a text."""

    start: int = Field(description="First character (code point).")
    end: int = Field(description="Character after the last one.")


class ClauseModel(Model):
    """A clause of a rule, and whether it is true of a post."""

    text: str = Field(description="The clause as it is written.")
    true: bool = Field(description="Whether it holds.")
    clause: int | None = Field(
        description="Its number, as in the spans of a match; null: it is made of others."
    )
    spans: tuple[PlaceModel, ...] = Field(description="Where it stands in the text.")
    children: tuple[ClauseModel, ...] = Field(description="What it is made of.")

    @classmethod
    def of(cls, found: Explanation) -> ClauseModel:
        """Describes an explanation.

        Args:
            found: The explanation.

        Returns:
            Its model.
        """
        spans: list[dict[str, Any]] = [
            {"start": start, "end": end} for start, end in found.spans
        ]
        return cls(
            text=found.text,
            true=found.true,
            clause=found.clause,
            spans=tuple(map(PlaceModel.model_validate, spans)),
            children=tuple(map(cls.of, found.children)),
        )


class DayModel(Model):
    """A day of history."""

    day: date = Field(description="The day, in UTC.")
    posts: int = Field(description="Posts of this day.")
    matched: int = Field(description="How many of them the rule matches.")


class OverlapModel(Model):
    """A rule in force that matches the same posts."""

    rule: str = Field(description="Its name.")
    posts: int = Field(description="How many of the matched posts it matches too.")


class SampleModel(Model):
    """A post that the rule matches."""

    id: str
    source: str
    author: str | None
    text: str
    created_at: datetime
    spans: tuple[SpanModel, ...]


class BacktestModel(Model):
    """What a rule would have matched."""

    posts: int = Field(description="Posts that were looked at.")
    matched: int = Field(description="How many of them the rule matches.")
    share: float = Field(description="Which part of them that is, in 0..1.")
    new: int = Field(description="Matched posts that no rule in force matches.")
    is_flood: bool = Field(description="Whether that is more than one wants to see.")
    days: tuple[DayModel, ...] = Field(description="The same by day, in order.")
    overlaps: tuple[OverlapModel, ...] = Field(description="The most first.")
    samples: tuple[SampleModel, ...] = Field(description="Some matched posts.")
    complete: bool = Field(
        description="False: it took too long, and what was archived last is missing."
    )
    matched_only: bool = Field(
        description="Whether the lake holds only posts that rules in force matched:"
        " then of others nothing is known."
    )

    @classmethod
    def of(cls, tested: Tested) -> BacktestModel:
        """Describes what became of a backtest.

        Args:
            tested: What became of it.

        Returns:
            Its model.
        """
        found = tested.found
        return cls(
            posts=found.posts,
            matched=found.matched,
            share=found.share,
            new=found.new,
            is_flood=found.is_flood,
            days=tuple(map(DayModel.model_validate, found.days)),
            overlaps=tuple(
                OverlapModel(rule=rule, posts=posts) for rule, posts in found.overlaps
            ),
            samples=tuple(map(SampleModel.model_validate, found.samples)),
            complete=tested.complete,
            matched_only=tested.matched_only,
        )
