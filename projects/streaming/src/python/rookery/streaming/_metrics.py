"""What the processes count, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class IngestMetrics:
    """Counters of an ingest, since it was started.

    Args:
        registry: Where they are registered.
        source: Name of the source, their label.
    """

    def __init__(self, registry: CollectorRegistry, source: str) -> None:
        def counter(name: str, text: str) -> Counter:
            full = f"rookery_ingest_{name}"
            return Counter(full, text, ["source"], registry=registry).labels(source)

        self.read = counter("read", "Records read.")
        self.accepted = counter("accepted", "Posts published.")
        self.duplicates = counter("duplicates", "Posts known already.")
        self.rejected = counter("rejected", "Records that are no posts.")
        self.frames = counter("frames", "Frames published.")


class MatchMetrics:
    """Counters of a match worker, since it was started.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"rookery_match_{name}", text, registry=registry)

        self.frames = counter("frames", "Frames matched.")
        self.posts = counter("posts", "Posts looked at.")
        self.matched = counter("matched", "Posts that matched.")
        self.repeated = counter("repeated", "Frames whose result was stored already.")
        self.dead = counter("dead", "Frames given up.")
        self.refused = counter("rules_refused", "Rule sets that could not be used.")
        self.rules = Gauge("rookery_match_rules", "Rules in use.", registry=registry)
        self.seconds = Histogram(
            "rookery_match_seconds",
            "Time to decode, match, enrich and encode a frame.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
            registry=registry,
        )


class ArchiveMetrics:
    """Counters of an archiver, since it was started.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"rookery_archive_{name}", text, labels, registry=registry)

        self.posts = counter("posts", "Posts committed to the lake.")
        self.matches = counter("matches", "Matched posts committed to the lake.")
        self.blocks = counter("blocks", "Blocks committed.", "dataset")
        self.conflicts = counter("conflicts", "Blocks others had written.", "dataset")
        self.unreadable = counter("unreadable", "Frames left out as damaged.")
        self.trimmed = counter("trimmed", "Messages removed from a log.", "stream")
        self.watermark = Gauge(
            "rookery_archive_watermark",
            "Last sequence of the log that is in the lake.",
            ["dataset"],
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "rookery_archive_commit_seconds",
            "Time to write and commit a block.",
            ["dataset"],
            registry=registry,
        )
