"""What a visitor has chosen to see; it is part of the address, so it can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from rookery.serving._filters import Filter, Sentiment

# Stands for posts whose language is not known, where the empty string means all.
UNKNOWN = "?"
SENTIMENTS = {"": "All sentiments"} | {kind.value: kind.title() for kind in Sentiment}
RANGES = {
    "": "All time",
    "15m": "Last 15 minutes",
    "1h": "Last hour",
    "6h": "Last 6 hours",
    "1d": "Last day",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
}
_LENGTHS = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
MAX_LENGTH = 4_096


@dataclass(frozen=True)
class Choice:
    """Filters and search; an empty text lets everything pass.

    Attributes:
        rule: Id of a rule.
        source: Name of a source.
        language: A language, `UNKNOWN` where it is not known.
        sentiment: A class of sentiment.
        time: A key of `RANGES`.
        search: An expression of the rule language.
    """

    rule: str = ""
    source: str = ""
    language: str = ""
    sentiment: str = ""
    time: str = ""
    search: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Choice":
        """Reads a choice from an address or a form, and leaves out what is wrong.

        Args:
            given: Values by name.

        Returns:
            The choice.
        """
        known = {field.name for field in fields(cls)}
        values = {k: v[:MAX_LENGTH] for k, v in given.items() if k in known and v}
        if values.get("sentiment") not in SENTIMENTS:
            values.pop("sentiment", None)
        if values.get("time") not in RANGES:
            values.pop("time", None)
        return cls(**values)

    @property
    def chosen(self) -> dict[str, str]:
        """What is not empty, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value}

    def narrows(self) -> bool:
        """Whether anything but the search is set."""
        return bool(self.chosen.keys() - {"search"})

    def without(self, name: str) -> "Choice":
        """Returns the choice with one filter taken away.

        Args:
            name: Which one.

        Returns:
            The wider choice.
        """
        return replace(self, **{name: ""})

    def asked(self, newest: datetime | None) -> Filter:
        """Returns the filter for the questions.

        Args:
            newest: End of the newest minute with a post: from there a range of time
                is counted back, so that an archive of old posts has a last hour too.

        Returns:
            The filter.
        """
        length = _LENGTHS.get(self.time)
        start = newest - length if length is not None and newest is not None else None
        language = "" if self.language == UNKNOWN else self.language or None
        return Filter(
            rule=self.rule or None,
            source=self.source or None,
            language=language,
            sentiment=Sentiment(self.sentiment) if self.sentiment else None,
            start=start,
        )
