"""Which steps a change needs, each with its reason. A pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rookery.ci._changes import Change, kind_of
from rookery.ci._conditions import holds
from rookery.ci._errors import Unavailable, UsageError
from rookery.ci._model import Kind, Step

NOT_NAMED = "not named by --only"
# How many files a reason names before it only counts.
_NAMED = 3


@dataclass(frozen=True)
class Situation:
    """Everything that the choice of steps depends on.

    Attributes:
        change: What differs from the base.
        engine: Why there are no images here: no engine, no base image. None: there are.
        build: What conditions are about, such as `{"build.tag": None}`.
        only: The only steps to run; empty is no such limit.
    """

    change: Change
    engine: str | None
    build: Mapping[str, str | None]
    only: Sequence[str] = ()


@dataclass(frozen=True)
class Decision:
    """Whether a step runs, and why.

    Attributes:
        step: The step, without dependencies on steps that do not run.
        runs: Whether it runs.
        reason: Why, for people.
        listed: Whether it stands in the pipeline all the same, because Buildkite
            itself decides by its condition.
    """

    step: Step
    runs: bool
    reason: str
    listed: bool


def decide(steps: Iterable[Step], situation: Situation) -> tuple[Decision, ...]:
    """Chooses the steps.

    Args:
        steps: All steps, each after those it depends on.
        situation: What the choice depends on.

    Returns:
        One decision for each step, in the same order. A step that was named and cannot
        run on this machine is `Unavailable`.

    Raises:
        UsageError: A step to run does not exist.
    """
    steps = tuple(steps)
    known = [step.key for step in steps]
    for key in situation.only:
        if key not in known:
            raise UsageError(f"no step {key!r}; there are: {', '.join(known)}")
    decisions: dict[str, Decision] = {}
    for step in steps:
        runs, reason = _decide(step, situation, decisions)
        listed = runs or (step.condition is not None and not situation.only)
        decisions[step.key] = Decision(step, runs, reason, listed)
    listed_keys = {key for key, decision in decisions.items() if decision.listed}
    return tuple(
        replace(decision, step=_among(decision.step, listed_keys))
        for decision in decisions.values()
    )


def _decide(
    step: Step, situation: Situation, earlier: Mapping[str, Decision]
) -> tuple[bool, str]:
    if situation.only:
        if step.key not in situation.only:
            return False, NOT_NAMED
        if step.engine and situation.engine is not None:
            raise Unavailable(f"step {step.key}: {situation.engine}")
        return True, "named by --only"
    if step.engine and situation.engine is not None:
        return False, situation.engine
    if step.condition is not None and not holds(step.condition, situation.build):
        return False, f"only where {step.condition}"
    return _needed(step, situation.change)


def _needed(step: Step, change: Change) -> tuple[bool, str]:
    if step.inputs is None:
        return True, "in every build"
    if change.files is None:
        return True, change.origin
    unknown = change.of_kind([Kind.UNKNOWN])
    if unknown:
        return True, f"of a kind that is not known: {_named(unknown)}"
    inputs = change.of_kind(step.inputs)
    if inputs:
        return True, f"changed {change.origin}: {_named(inputs)}"
    if not change.files:
        return False, f"nothing changed {change.origin}"
    kinds = Counter(kind_of(path).value for path in change.files)
    counted = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    return False, f"no input changed {change.origin} ({counted})"


def _named(paths: Sequence[str]) -> str:
    more = len(paths) - _NAMED
    return ", ".join(paths[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _among(step: Step, keys: set[str]) -> Step:
    depends_on = tuple(key for key in step.depends_on if key in keys)
    return replace(step, depends_on=depends_on)
