"""The environment of a job: Buildkite's variables, and nothing of the runner's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rookery.ci._errors import Unavailable
from rookery.ci._git import git
from rookery.ci._plan import PlannedStep

# `./pants run` and the PEX it makes speak to their child by these; a second Pants below
# it would take them for its own settings. `PANTS_CONFIG_FILES` and other options that a
# person sets stay.
_OWN = re.compile(
    r"PEX|PEX_.*|__PEX_.*|_PEX_.*|PYTHON(PATH|HOME|SAFEPATH|NOUSERSITE)|VIRTUAL_ENV"
    r"|PANTS_(CONCURRENT|BIN_NAME|BUILDROOT_OVERRIDE|ENTRYPOINT)|_+PANTS_.*"
    r"|NO_SCIE_WARNING|BUILDKITE.*"
)


def inherited(env: Mapping[str, str]) -> dict[str, str]:
    """Returns what the jobs take over from the environment of the runner.

    Args:
        env: The environment of the runner.

    Returns:
        the environment, less what Pants and Pex set for the runner alone, and less
        what an agent told it about a job of its own.
    """
    return {name: value for name, value in env.items() if not _OWN.fullmatch(name)}


def build_variables(root: Path, env: Mapping[str, str], build: str) -> dict[str, str]:
    """Returns Buildkite's variables that are the same for every job of a build.

    What Buildkite set already (a tag, a pull request) stays as it is.

    Args:
        root: The work tree.
        env: The environment of the runner.
        build: The id of this build.

    Returns:
        The variables.
    """
    try:
        branch = git(root, "symbolic-ref", "--short", "--quiet", "HEAD").strip()
    except Unavailable:
        # A detached HEAD, as an agent's.
        branch = "HEAD"
    found = {
        "BUILDKITE_BRANCH": branch,
        "BUILDKITE_BUILD_NUMBER": "1",
        "BUILDKITE_COMMIT": git(root, "rev-parse", "HEAD").strip(),
        "BUILDKITE_MESSAGE": git(root, "log", "-1", "--format=%s").strip(),
        "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main",
        "BUILDKITE_PIPELINE_SLUG": "rookery",
        "BUILDKITE_PULL_REQUEST": "false",
        "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "",
        "BUILDKITE_SOURCE": "local",
        "BUILDKITE_TAG": "",
    }
    kept = {name: env[name] for name in found if env.get(name)}
    return (
        found
        | kept
        | {
            "BUILDKITE": "true",
            "BUILDKITE_AGENT_NAME": "local",
            "BUILDKITE_BUILD_CHECKOUT_PATH": str(root),
            "BUILDKITE_BUILD_ID": build,
            "CI": "true",
        }
    )


def condition_variables(env: Mapping[str, str]) -> dict[str, str | None]:
    """Returns what conditions on a build are about.

    Args:
        env: Buildkite's variables.

    Returns:
        Values by name, such as `build.tag`; None for null.
    """
    request = env.get("BUILDKITE_PULL_REQUEST", "false")
    return {
        "build.branch": env.get("BUILDKITE_BRANCH") or None,
        "build.commit": env.get("BUILDKITE_COMMIT") or None,
        "build.pull_request.id": None if request in ("", "false") else request,
        "build.pull_request.base_branch": (
            env.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH") or None
        ),
        "build.source": env.get("BUILDKITE_SOURCE") or None,
        "build.tag": env.get("BUILDKITE_TAG") or None,
        "pipeline.default_branch": env.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH") or None,
    }


def job_variables(step: PlannedStep, job: str, part: int, retry: int) -> dict[str, str]:
    """Returns Buildkite's variables of one job.

    Args:
        step: Its step.
        job: Its id.
        part: Which of the parallel jobs it is, from 0.
        retry: How many times it was tried before.

    Returns:
        The variables, with those of the step itself.
    """
    count = step.parallelism or 1
    label = step.label.replace("%N", str(count)).replace("%n", str(part))
    made = {
        **step.env,
        "BUILDKITE_ARTIFACT_PATHS": ";".join(step.artifacts),
        "BUILDKITE_COMMAND": step.command,
        "BUILDKITE_GROUP_LABEL": step.group,
        "BUILDKITE_JOB_ID": job,
        "BUILDKITE_LABEL": label,
        "BUILDKITE_RETRY_COUNT": str(retry),
        "BUILDKITE_STEP_ID": step.key,
        "BUILDKITE_STEP_KEY": step.key,
    }
    if step.timeout_seconds is not None:
        made["BUILDKITE_TIMEOUT"] = str(int(step.timeout_seconds / 60))
    if step.parallelism is not None:
        made["BUILDKITE_PARALLEL_JOB"] = str(part)
        made["BUILDKITE_PARALLEL_JOB_COUNT"] = str(count)
    return made
