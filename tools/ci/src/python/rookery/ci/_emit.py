"""Steps as a Buildkite pipeline: first a document, then YAML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml
from typing_extensions import override

from rookery.ci._model import Step

# -1: the agent was lost; 255: it was stopped. Nothing else is tried again: a test that
# fails now and then has to be red.
_RETRY = {
    "automatic": [
        {"exit_status": -1, "limit": 2},
        {"exit_status": 255, "limit": 2},
    ]
}

# Every job reads it; the hooks and `.ci/run` leave it alone.
ENVIRONMENT = {"PANTS_CONFIG_FILES": "pants.ci.toml"}

_HEADER = """\
# Made by `./pants run tools/ci -- pipeline`; the steps are in _steps.py there.
# Two dollar signs are one for the shell of the job: the upload leaves it alone.
"""


def document(steps: Iterable[Step]) -> dict[str, Any]:
    """Returns steps as the document that Buildkite reads.

    Args:
        steps: The steps that are listed, in order.

    Returns:
        The pipeline: its environment and its groups of steps.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for step in steps:
        groups.setdefault(step.group, []).append(_step(step))
    return {
        "env": dict(ENVIRONMENT),
        "steps": [
            {"group": name, "steps": members} for name, members in groups.items()
        ],
    }


def pipeline_yaml(steps: Iterable[Step]) -> str:
    """Returns steps as the text that `buildkite-agent pipeline upload` reads.

    Args:
        steps: The steps that are listed, in order.

    Returns:
        YAML.
    """
    text: str = yaml.dump(
        document(steps), Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True
    )
    return _HEADER + text


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: list items indented, nothing by reference."""

    @override
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def escape(text: str) -> str:
    """Returns a text such that the upload gives it back as it is."""
    # A dollar sign behind a backslash is one already; the backslash has to stay too.
    return re.sub(r"\\?\$", lambda hit: "$$" if hit[0] == "$" else r"\\$", text)


def _step(step: Step) -> dict[str, Any]:
    commands = [escape(command) for command in step.commands]
    made: dict[str, Any] = {"label": step.label, "key": step.key}
    if len(commands) == 1:
        made["command"] = commands[0]
    else:
        made["commands"] = commands
    if step.depends_on:
        made["depends_on"] = list(step.depends_on)
    if step.allow_dependency_failure:
        made["allow_dependency_failure"] = True
    if step.condition is not None:
        made["if"] = step.condition
    if step.parallelism is not None:
        made["parallelism"] = step.parallelism
    if step.concurrency_group is not None:
        made["concurrency"] = 1
        made["concurrency_group"] = step.concurrency_group
    if step.env:
        made["env"] = {name: escape(value) for name, value in step.env.items()}
    if step.artifacts:
        made["artifact_paths"] = list(step.artifacts)
    made["timeout_in_minutes"] = step.timeout_minutes
    made["retry"] = _RETRY
    return made
