"""A Buildkite pipeline as the runner reads it: what Buildkite itself would be told.

The runner executes the YAML that is uploaded and not the steps it was made from, so that
a wrong escape or a wrong key is found on one machine already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from rookery.ci._errors import CiError
from rookery.ci._interpolate import interpolate_all

# Of these the runner needs nothing: it runs one job at a time, on this machine.
_WITHOUT_MEANING_HERE = {"agents", "concurrency", "concurrency_group", "notify"}
_KNOWN = _WITHOUT_MEANING_HERE | {
    "allow_dependency_failure",
    "artifact_paths",
    "command",
    "commands",
    "depends_on",
    "env",
    "if",
    "key",
    "label",
    "name",
    "parallelism",
    "retry",
    "timeout_in_minutes",
}
_KNOWN_OF_GROUP = {"allow_dependency_failure", "depends_on", "group", "key", "steps"}


@dataclass(frozen=True)
class Dependency:
    """A step that comes before, and whether its failure stops the one that follows."""

    key: str
    allow_failure: bool


@dataclass(frozen=True)
class Retry:
    """A job that ends with this exit status (None: any) is run again, so many times."""

    exit_status: int | None
    limit: int


@dataclass(frozen=True)
class PlannedStep:
    """One command step of an uploaded pipeline.

    Attributes:
        key: Its key, or a number where it has none.
        label: What it is called.
        group: The label of its group, if it is in one.
        command: What the shell of the job is given.
        env: The pipeline's variables with its own.
        dependencies: What comes before.
        parallelism: In how many jobs it runs; None is one that does not count.
        timeout_seconds: When a job is ended; None is never.
        artifacts: Globs of what is kept.
        retries: When a job is run again.
        condition: Where it runs at all.
    """

    key: str
    label: str
    group: str
    command: str
    env: Mapping[str, str]
    dependencies: tuple[Dependency, ...]
    parallelism: int | None
    timeout_seconds: float | None
    artifacts: tuple[str, ...]
    retries: tuple[Retry, ...]
    condition: str | None


def read_plan(
    text: str, variables: Mapping[str, str], known: frozenset[str] = frozenset()
) -> list[PlannedStep]:
    """Reads a pipeline as `buildkite-agent pipeline upload` and the server do.

    Args:
        text: The pipeline, as YAML.
        variables: The environment of the job that uploads it.
        known: Keys of steps that are in the build already.

    Returns:
        Its command steps in order; a dependency on a group is one on each of its steps.

    Raises:
        CiError: It is no pipeline, or asks for something that needs Buildkite.
    """
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise CiError(f"pipeline: not YAML: {reason}") from error
    document = {"steps": loaded} if isinstance(loaded, list) else loaded
    if not isinstance(document, dict) or not isinstance(document.get("steps"), list):
        raise CiError("pipeline: it has no list of steps")
    # The pipeline's own variables count in the steps as well.
    env = _env(interpolate_all(document.get("env") or {}, variables))
    steps = interpolate_all(document["steps"], {**variables, **env})
    groups: dict[str, tuple[str, ...]] = {}
    planned = list(_steps(steps, env, groups, len(known)))
    return _linked(planned, groups, known)


def _steps(
    steps: list[Any],
    env: Mapping[str, str],
    groups: dict[str, tuple[str, ...]],
    number: int,
) -> Iterator[PlannedStep]:
    for step in steps:
        if not isinstance(step, dict):
            raise CiError(f"pipeline: {step!r} needs Buildkite; only commands run here")
        if "group" not in step:
            number += 1
            yield _step(step, {}, env, number)
            continue
        _only(step, _KNOWN_OF_GROUP, str(step["group"]))
        members = [
            _step(member, step, env, number + place)
            for place, member in enumerate(step["steps"], 1)
        ]
        number += len(members)
        if "key" in step:
            groups[step["key"]] = tuple(member.key for member in members)
        yield from members


def _step(
    step: Mapping[str, Any],
    group: Mapping[str, Any],
    env: Mapping[str, str],
    number: int,
) -> PlannedStep:
    label = str(step.get("label") or step.get("name") or step.get("key") or "a step")
    _only(step, _KNOWN, label)
    commands = step.get("commands", step.get("command"))
    if commands is None:
        raise CiError(f"pipeline: step {label!r} has no command")
    minutes = step.get("timeout_in_minutes")
    automatic = _list((step.get("retry") or {}).get("automatic"))
    allowed = any(owner.get("allow_dependency_failure") for owner in (step, group))
    needed = [*_list(group.get("depends_on")), *_list(step.get("depends_on"))]
    paths = step.get("artifact_paths") or ()
    return PlannedStep(
        key=str(step.get("key") or f"step-{number}"),
        label=label,
        group=str(group.get("group") or ""),
        command="\n".join(_list(commands)),
        env={**env, **_env(step.get("env") or {})},
        dependencies=tuple(_dependency(entry, allowed) for entry in needed),
        parallelism=step.get("parallelism"),
        timeout_seconds=None if minutes is None else float(minutes) * 60,
        artifacts=tuple(paths.split(";") if isinstance(paths, str) else paths),
        retries=tuple(_retry(rule) for rule in automatic),
        condition=step.get("if"),
    )


def _dependency(entry: Any, allowed: bool) -> Dependency:
    if isinstance(entry, str):
        return Dependency(entry, allowed)
    return Dependency(entry["step"], allowed or bool(entry.get("allow_failure")))


def _retry(rule: Mapping[str, Any]) -> Retry:
    status = rule.get("exit_status", "*")
    return Retry(None if status == "*" else int(status), int(rule.get("limit", 2)))


def _env(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in values.items()}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _only(step: Mapping[str, Any], known: set[str], label: str) -> None:
    unknown = sorted(set(step) - known)
    if unknown:
        raise CiError(
            f"pipeline: step {label!r}: the local runner does not know "
            f"{', '.join(map(repr, unknown))}"
        )


def _linked(
    planned: list[PlannedStep],
    groups: Mapping[str, tuple[str, ...]],
    known: frozenset[str],
) -> list[PlannedStep]:
    keys = [step.key for step in planned]
    twice = sorted({key for key in keys if keys.count(key) > 1 or key in known})
    if twice:
        raise CiError(f"pipeline: the key {twice[0]!r} is used twice")
    linked: list[PlannedStep] = []
    for step in planned:
        dependencies: list[Dependency] = []
        for needed in step.dependencies:
            members = groups.get(needed.key, (needed.key,))
            for key in members:
                if key not in keys and key not in known:
                    raise CiError(
                        f"pipeline: step {step.key!r} depends on {key!r}, "
                        "which does not exist"
                    )
                dependencies.append(Dependency(key, needed.allow_failure))
        linked.append(replace(step, dependencies=tuple(dependencies)))
    return linked
