"""What a step of the pipeline is."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Kind(enum.Enum):
    """What a changed file is, as far as the choice of steps is concerned."""

    SOURCES = "sources"
    BUILD = "build configuration"
    DEPENDENCIES = "dependencies"
    IMAGES = "images"
    CONTAINER_TESTS = "container tests"
    PIPELINE = "pipeline"
    TESTS = "tests"
    TOOLS = "tools"
    OWNERS = "owners"
    DOCUMENTATION = "documentation"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: commands that run in one job, or in several that share the work.

    Attributes:
        key: Its name, by which others depend on it.
        label: Its name for people.
        group: The heading it stands under.
        commands: Lines for the shell of the job, with the variables of the job. The
            emitter escapes them for the upload.
        depends_on: Keys of the steps that come before.
        allow_dependency_failure: Whether it runs although one of those failed.
        parallelism: In how many jobs it runs; None is one that does not count.
        timeout_minutes: When a job is ended.
        artifacts: Globs of the files that are kept.
        condition: When Buildkite runs it, in its own language; None is always.
        concurrency_group: Jobs of one such group never run at the same time.
        env: Variables of the job.
        inputs: The kinds of files that it is made from. None: everything, and the
            cache of Pants decides what is run again.
        engine: Whether it needs a container engine.
    """

    key: str
    label: str
    group: str
    commands: tuple[str, ...]
    depends_on: tuple[str, ...] = ()
    allow_dependency_failure: bool = False
    parallelism: int | None = None
    timeout_minutes: int
    artifacts: tuple[str, ...] = ()
    condition: str | None = None
    concurrency_group: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    inputs: frozenset[Kind] | None = None
    engine: bool = False
