"""How the platform is doing, in numbers and in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from rookery.serving._counts import Totals
from rookery.serving._live import IngestTotals, Live
from rookery.serving._view import View

RATE_WINDOW = 10
BEHIND_SECONDS = 30.0
STUCK_SECONDS = 15.0
FULL_SHARE = 0.95


@dataclass(frozen=True)
class Problem:
    """Something a person should know.

    Attributes:
        code: A name for machines, such as `archiver-behind`.
        severity: `info`, `warning` or `error`.
        title: What is the matter.
        hint: What to do about it.
    """

    code: str
    severity: str
    title: str
    hint: str


@dataclass(frozen=True)
class Rate:
    """What went through in one second.

    Attributes:
        second: The second, since 1970.
        posts: Posts that were matched against the rules.
        matches: Posts of them that matched.
    """

    second: int
    posts: int
    matches: int


@dataclass(frozen=True)
class Lag:
    """How far a stage is behind the one before it.

    Attributes:
        frames: Frames it has not done yet.
        seconds: For how long: the age of the oldest frame that is not archived, or the
            time since matching last moved; None if there is nothing to do.
    """

    frames: int
    seconds: float | None


@dataclass(frozen=True)
class Status:
    """The state of the platform.

    Attributes:
        at: When it was looked at.
        connected: Whether the bus answered.
        epoch: The log.
        watermark: The last sequence of MATCHES that the lake answers for.
        last: The last sequence of MATCHES that is counted.
        matched: Counts of all matched posts.
        ingest: What was ingested, by source.
        archived: Posts in the lake, over all logs.
        waiting: Frames of posts that the lake does not have yet.
        dead: Dead letters.
        rates: The last two minutes, second by second.
        matching: How far matching is behind ingest.
        archiving: How far the archive is behind matching.
        ruleset: Version of the current rules; None if there are none.
        rules: How many rules that are.
        problems: What a person should know, the worst first.
    """

    at: datetime
    connected: bool
    epoch: str
    watermark: int
    last: int
    matched: Totals
    ingest: dict[str, IngestTotals]
    archived: int
    waiting: int
    dead: int
    rates: tuple[Rate, ...]
    matching: Lag
    archiving: Lag
    ruleset: str | None
    rules: int
    problems: tuple[Problem, ...]

    @property
    def ingested(self) -> IngestTotals:
        """What was ingested from all sources together."""
        each = self.ingest.values()
        return IngestTotals(
            read=sum(totals.read for totals in each),
            accepted=sum(totals.accepted for totals in each),
            duplicates=sum(totals.duplicates for totals in each),
            rejected=sum(totals.rejected for totals in each),
        )

    @property
    def posts_per_second(self) -> float:
        """Posts matched against the rules, over the last ten full seconds."""
        return sum(rate.posts for rate in self.rates[-RATE_WINDOW:]) / RATE_WINDOW

    @property
    def matches_per_second(self) -> float:
        """Posts that matched, over the last ten full seconds."""
        return sum(rate.matches for rate in self.rates[-RATE_WINDOW:]) / RATE_WINDOW


def status_of(live: Live, view: View, matched: Totals) -> Status:
    """Puts together what is known at this moment.

    Args:
        live: The platform.
        view: Lake and tail.
        matched: Counts of all posts in the view.

    Returns:
        The status.
    """
    now = datetime.now(UTC)
    sample = live.sample
    matching, waiting, dead, newest = Lag(0, None), 0, 0, view.last
    if sample is not None:
        frames = sample.unmatched
        matching = Lag(frames, live.matching.still if frames else None)
        done = live.archived.watermark if _same_log(live) else 0
        waiting = max(0, sample.posts.last - max(done, sample.posts.first - 1))
        dead = sample.dead.messages
        newest = max(newest, sample.matches.last)
    oldest = view.frames[0].stored if view.frames else None
    age = (now - oldest).total_seconds() if oldest else None
    archiving = Lag(max(0, newest - view.watermark), age)
    rules = live.rules
    return Status(
        at=now,
        connected=sample is not None and sample.connected,
        epoch=live.bus.epoch,
        watermark=view.watermark,
        last=view.last,
        matched=matched,
        ingest=dict(sorted(live.ingest.items())),
        archived=live.archived.posts,
        waiting=waiting,
        dead=dead,
        rates=tuple(Rate(*each) for each in live.tail.rates.history(now)),
        matching=matching,
        archiving=archiving,
        ruleset=rules.version if rules is not None else None,
        rules=len(rules.rules) if rules is not None else 0,
        problems=tuple(_problems(live, view, matching, archiving, dead)),
    )


def _same_log(live: Live) -> bool:
    return live.archived.epoch == live.bus.epoch


def _problems(
    live: Live, view: View, matching: Lag, archiving: Lag, dead: int
) -> list[Problem]:
    found = [
        *_outages(live),
        *_delays(live, view, matching, archiving),
        *_wants(live, view, dead),
    ]
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda problem: order[problem.severity])


def _outages(live: Live) -> Iterator[Problem]:
    if live.sample is not None and not live.sample.connected:
        yield Problem(
            "log-away",
            "error",
            "The log does not answer",
            "Numbers stand still until it is back; nothing is lost. Check that the NATS"
            " server runs.",
        )
    if live.epoch_differs:
        yield Problem(
            "epoch-differs",
            "error",
            "The lake continues another log than the one that runs",
            "Stop the archiver and run `python -m rookery.lake repair --lake URL`.",
        )
    if live.lake_error:
        yield Problem("lake-away", "error", "The lake cannot be read", live.lake_error)
    if live.damaged:
        yield Problem(
            "frames-damaged",
            "error",
            f"{live.damaged:,} frames could not be read and are not counted",
            "The log of this process names each of them.",
        )


def _delays(live: Live, view: View, matching: Lag, archiving: Lag) -> Iterator[Problem]:
    if archiving.seconds is not None and archiving.seconds > BEHIND_SECONDS:
        yield Problem(
            "archiver-behind",
            "warning",
            f"The archiver is behind by {archiving.frames:,} frames,"
            f" {archiving.seconds:,.0f} s",
            "Counts stay exact. Check that the archiver runs and the lake takes writes.",
        )
    if any(frame.posts is None for frame in view.frames[:1]):
        yield Problem(
            "posts-from-log",
            "warning",
            "Older posts that are not archived yet are read from the log",
            "Lists of posts are slower until the archiver has caught up.",
        )
    # Without rules there is nothing to match with: that is told by itself.
    if live.rules is not None and (matching.seconds or 0) > STUCK_SECONDS:
        yield Problem(
            "matching-stuck",
            "warning",
            f"Matching has stood still for {matching.seconds:,.0f} s",
            f"{matching.frames:,} frames wait. Check that a match worker runs.",
        )
    if live.sample is None:
        return
    for name, log in (("posts", live.sample.posts), ("matches", live.sample.matches)):
        if log.bytes > FULL_SHARE * log.max_bytes:
            yield Problem(
                "log-full",
                "warning",
                f"The log of {name} is {log.bytes / log.max_bytes:.0%} full",
                "Ingest waits when it is full. Give it more room with"
                " ROOKERY_BUS_STORE, or help the stage that is behind.",
            )


def _wants(live: Live, view: View, dead: int) -> Iterator[Problem]:
    if live.rules is None or not live.rules.rules:
        yield Problem(
            "no-rules",
            "info",
            "No rules yet",
            "Posts are archived and wait to be matched. Start the platform with"
            " `--rules FILE`, one rule a line.",
        )
    if not view.cubes.extent and live.sample is not None and not live.sample.posts.last:
        yield Problem(
            "no-posts",
            "info",
            "No posts yet",
            "Start an ingest: `python -m rookery.streaming ingest --source synthetic:`.",
        )
    if dead:
        yield Problem(
            "dead-letters",
            "info",
            f"{dead:,} records could not be processed",
            "They are kept with their reasons under /api/dead.",
        )
