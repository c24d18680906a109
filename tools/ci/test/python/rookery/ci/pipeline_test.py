import json
import os
import re
import shlex
import subprocess  # nosec B404
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# It has no types of its own, and no stubs are locked.
import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from rookery.service.testing import require

ROOT = next(
    folder
    for folder in Path(__file__).parents
    if (folder / ".buildkite" / "pipeline.yml").is_file()
)
HOOKS = ROOT / ".buildkite" / "hooks"
# https://buildkite.com/docs/agent/hooks: hooks of these kinds run from a repository;
# `environment`, `pre-checkout` and `checkout` do not, since there is no checkout yet.
REPOSITORY_HOOKS = {
    "post-checkout",
    "pre-command",
    "command",
    "post-command",
    "pre-artifact",
    "post-artifact",
    "pre-exit",
}

Step = dict[str, Any]


@pytest.fixture(name="pipeline", scope="module")
def read_pipeline() -> Step:
    text = (ROOT / ".buildkite" / "pipeline.yml").read_text("utf-8")
    pipeline: Step = yaml.safe_load(text)
    return pipeline


def steps_of(pipeline: Step) -> Iterator[tuple[Step, Step]]:
    for group in pipeline["steps"]:
        for step in group["steps"]:
            yield group, step


def commands_of(step: Step) -> list[str]:
    return step.get("commands") or [step["command"]]


def as_list(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def test_the_pipeline_fits_the_published_schema(pipeline: Step) -> None:
    path = require("data") / "conformance" / "buildkite" / "schema.json"
    schema = json.loads(path.read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(pipeline)] == []
    # The check can fail: a misspelt key is refused.
    broken = {"steps": [{"label": "a", "comand": "b"}]}
    assert not validator.is_valid(broken)


def test_every_key_is_used_once_and_every_dependency_exists(pipeline: Step) -> None:
    keys = [group["key"] for group in pipeline["steps"]]
    keys += [step["key"] for _, step in steps_of(pipeline)]
    assert len(keys) == len(set(keys))
    for group, step in steps_of(pipeline):
        for needed in as_list(group.get("depends_on")) + as_list(
            step.get("depends_on")
        ):
            assert needed in keys, step["key"]


def test_only_a_lost_agent_is_tried_again(pipeline: Step) -> None:
    for _, step in steps_of(pipeline):
        automatic = step["retry"]["automatic"]
        assert [rule["exit_status"] for rule in automatic] == [-1, 255], step["key"]
        assert all(rule["limit"] <= 2 for rule in automatic)


def test_every_step_runs_with_the_configuration_of_ci_and_ends(pipeline: Step) -> None:
    configuration = pipeline["env"]["PANTS_CONFIG_FILES"]
    assert configuration == "pants.ci.toml"
    for _, step in steps_of(pipeline):
        assert step["timeout_in_minutes"] <= 60, step["key"]
        assert "PANTS_CONFIG_FILES" not in step.get("env", {})


def test_the_shards_are_numbered_by_the_job_and_not_by_the_upload(
    pipeline: Step,
) -> None:
    (step,) = (step for _, step in steps_of(pipeline) if "parallelism" in step)
    (command,) = commands_of(step)
    # What `buildkite-agent pipeline upload` leaves, then what the shell of a job does.
    uploaded = command.replace("$$", "$")
    assert not re.search(r"(?<!\$)\$[A-Z{]", command)
    numbers = []
    for job in range(step["parallelism"]):
        count = str(step["parallelism"])
        said = subprocess.run(
            ["/bin/sh", "-c", f"set -- {uploaded}; echo $3"],
            env={
                "BUILDKITE_PARALLEL_JOB": str(job),
                "BUILDKITE_PARALLEL_JOB_COUNT": count,
            },
            capture_output=True,
            check=True,
            text=True,
        )  # nosec B603
        numbers.append(said.stdout.strip())
    assert numbers == ["--shard=0/2", "--shard=1/2"]


def test_one_machine_and_the_pipeline_run_the_same_commands(pipeline: Step) -> None:
    there = {
        tuple(word for word in shlex.split(command) if not word.startswith("--shard"))
        for _, step in steps_of(pipeline)
        for command in commands_of(step)
        if command.startswith("./pants ")
    }
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    here = {
        tuple(shlex.split(command))
        for command in re.findall(r'^step "[^"]*" (\./pants .*)$', script, re.MULTILINE)
    }
    assert there == here


def test_the_reports_that_are_added_up_are_those_that_are_kept(pipeline: Step) -> None:
    steps = {step["key"]: step for _, step in steps_of(pipeline)}
    kept = steps["shards"]["artifact_paths"]
    download, summary = steps["test-reports"]["commands"]
    assert shlex.split(download)[3] in kept
    assert summary.endswith(" dist/test/reports")
    assert steps["test-reports"]["allow_dependency_failure"] is True


def test_every_hook_is_one_that_runs_from_a_repository() -> None:
    hooks = sorted(HOOKS.iterdir())
    assert {hook.name for hook in hooks} <= REPOSITORY_HOOKS
    for hook in hooks:
        first, *rest = hook.read_text("utf-8").splitlines()
        assert first == "#!/usr/bin/env bash"
        assert "set -euo pipefail" in rest, hook.name
        assert os.access(hook, os.X_OK), hook.name


@pytest.fixture(name="checkout")
def make_checkout(tmp_path: Path) -> Path:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    commit = ["commit", "-q", "--allow-empty", "-m", "First"]
    folder = tmp_path / "checkout"
    for command in (
        ["git", "init", "-q", str(folder)],
        ["git", "-C", str(folder), *who, *commit],
    ):
        subprocess.run(command, check=True)  # nosec B603
    reports = folder / "dist" / "test" / "reports"
    reports.mkdir(parents=True)
    (reports / "red.xml").write_text('<testcase><failure message="no"/></testcase>')
    (reports / "green.xml").write_text("<testcase/>")
    return folder


def run_hook(name: str, checkout: Path, after: str = "", **env: str) -> str:
    path = f"{checkout.parent / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    script = f"source {shlex.quote(str(HOOKS / name))}\n{after}"
    command = ["bash", "-c", script]
    done = subprocess.run(
        command,
        cwd=checkout,
        env={"PATH": path, **env},
        capture_output=True,
        check=True,
        text=True,
    )  # nosec B603
    return done.stdout


@pytest.mark.integration
@pytest.mark.parametrize("hook", ["post-checkout", "pre-exit"])
def test_results_of_another_job_do_not_stay(checkout: Path, hook: str) -> None:
    run_hook(hook, checkout)
    assert not (checkout / "dist").exists()


@pytest.mark.integration
def test_a_shallow_clone_gets_its_history(checkout: Path) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    commit = ["commit", "-q", "--allow-empty", "-m", "Second"]
    clone = checkout.parent / "clone"
    for command in (
        ["git", "-C", str(checkout), *who, *commit],
        ["git", "clone", "-q", "--depth=1", checkout.as_uri(), str(clone)],
    ):
        subprocess.run(command, check=True)  # nosec B603
    count = ["git", "-C", str(clone), "rev-list", "--count", "HEAD"]
    assert subprocess.check_output(count, text=True) == "1\n"  # nosec B603
    run_hook("post-checkout", clone)
    assert subprocess.check_output(count, text=True) == "2\n"  # nosec B603


@pytest.mark.integration
def test_what_the_machine_has_is_required_of_the_tests(checkout: Path) -> None:
    after = 'echo "<$ROOKERY_REQUIRE> <$SOURCE_DATE_EPOCH>"'
    said = run_hook("pre-command", checkout, after, ROOKERY_DATA="/data")
    match = re.search(r"<(\S+)> <(\d+)>", said)
    assert match is not None
    assert {"nats", "data"} <= set(match.group(1).split(","))
    assert int(match.group(2)) > 1_600_000_000


@pytest.mark.integration
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            "1",
            "annotate --style error --context shards-1\n"
            "**tests** ended with exit code 1\n\n- dist/test/reports/red.xml\n",
        ),
        ("0", ""),
    ],
    ids=["red", "green"],
)
def test_a_step_that_failed_is_named_at_the_top_of_the_build(
    checkout: Path, status: str, said: str
) -> None:
    # The agent itself cannot be had; this one writes down what it is told.
    agent = checkout.parent / "bin" / "buildkite-agent"
    agent.parent.mkdir()
    agent.write_text(f'#!/bin/sh\n(echo "$@"; cat) > {checkout}/told\n')
    agent.chmod(0o755)
    run_hook(
        "post-command",
        checkout,
        BUILDKITE_COMMAND_EXIT_STATUS=status,
        BUILDKITE_LABEL="tests",
        BUILDKITE_STEP_KEY="shards",
        BUILDKITE_PARALLEL_JOB="1",
    )
    told = checkout / "told"
    assert (told.read_text("utf-8") if told.exists() else "") == said
