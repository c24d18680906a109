import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# It has no types of its own, and no stubs are locked.
import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from rookery.ci import all_steps, pipeline_yaml, read_plan
from rookery.ci._agent import glob
from rookery.service.testing import require

ROOT = next(
    folder
    for folder in Path(__file__).parents
    if (folder / ".buildkite" / "pipeline.yml").is_file()
)

Step = dict[str, Any]

# What an agent reads from the repository, and what that uploads, whole and in shards.
STATIC = (ROOT / ".buildkite" / "pipeline.yml").read_text("utf-8")
UPLOADED = {
    "static": STATIC,
    "one job": pipeline_yaml(all_steps(1)),
    "three shards": pipeline_yaml(all_steps(3)),
}


@pytest.fixture(name="text", params=UPLOADED.values(), ids=list(UPLOADED))
def choose_pipeline(request: pytest.FixtureRequest) -> str:
    text: str = request.param
    return text


@pytest.fixture(name="pipeline")
def load_pipeline(text: str) -> Step:
    pipeline: Step = yaml.safe_load(text)
    return pipeline


def steps_of(pipeline: Step) -> Iterator[Step]:
    for entry in pipeline["steps"]:
        yield from entry.get("steps", [entry])


def generated(shards: int = 1) -> dict[str, Step]:
    pipeline = yaml.safe_load(pipeline_yaml(all_steps(shards)))
    return {step["key"]: step for step in steps_of(pipeline)}


def commands_of(step: Step) -> list[str]:
    return step.get("commands") or [step["command"]]


def test_the_pipeline_fits_the_published_schema(pipeline: Step) -> None:
    path = require("data") / "conformance" / "buildkite" / "schema.json"
    schema = json.loads(path.read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(pipeline)] == []
    # The check can fail: a misspelt key is refused.
    broken = {"steps": [{"label": "a", "comand": "b"}]}
    assert not validator.is_valid(broken)


def test_every_key_is_used_once_and_every_dependency_exists(text: str) -> None:
    # The runner refuses anything else.
    planned = read_plan(text, {})
    assert len({step.key for step in planned}) == len(planned)


def test_only_a_lost_agent_is_tried_again(pipeline: Step) -> None:
    for step in steps_of(pipeline):
        automatic = step["retry"]["automatic"]
        assert [rule["exit_status"] for rule in automatic] == [-1, 255], step["key"]
        assert all(rule["limit"] <= 2 for rule in automatic)


def test_every_step_runs_with_the_configuration_of_ci_and_ends(pipeline: Step) -> None:
    configuration = pipeline["env"]["PANTS_CONFIG_FILES"]
    assert configuration == "pants.ci.toml"
    for step in steps_of(pipeline):
        assert step["timeout_in_minutes"] <= 60, step["key"]
        assert "PANTS_CONFIG_FILES" not in step.get("env", {})


def test_an_agent_uploads_what_the_generator_prints() -> None:
    (step,) = read_plan(STATIC, {})
    generate, annotate, upload = step.command.splitlines()
    assert generate.startswith("./pants run tools/ci -- pipeline --output ")
    made = re.findall(r"--(?:output|reasons) (\S+)", generate)
    assert upload == f"buildkite-agent pipeline upload {made[0]}"
    assert annotate.endswith(f"< {made[1]}")


def test_on_one_machine_the_tests_are_one_plain_command() -> None:
    step = generated(1)["tests"]
    assert step["command"] == "./pants test ::"
    assert "parallelism" not in step


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("lint", "./pants lint ::"),
        ("types", "./pants check ::"),
        ("build-files", "./pants tailor --check update-build-files --check ::"),
        ("lockfiles", "./pants run tools/ci -- locks"),
        ("codeowners", "./pants run tools/owners -- check"),
        ("packages", "./pants --tag=-image package ::"),
        ("publish", "./pants run tools/release -- publish"),
    ],
)
def test_a_step_is_a_command_that_a_person_can_type(key: str, command: str) -> None:
    assert generated()[key]["command"] == command


def test_one_machine_and_the_agents_run_the_same_commands() -> None:
    def commands(shards: int) -> dict[str, list[str]]:
        return {
            key: [re.sub(r"--shard=\S+ ", "", line) for line in commands_of(step)]
            for key, step in generated(shards).items()
        }

    assert commands(1) == commands(3)
    script = (ROOT / ".ci" / "run").read_text("utf-8").rstrip().splitlines()
    assert script[-1] == './pants run tools/ci -- run "$@"'


def test_the_reports_that_are_added_up_are_those_that_are_kept() -> None:
    steps = generated(2)
    download, _, add_up, *_ = steps["test-reports"]["commands"]
    wanted = glob(shlex.split(download)[3])
    for key, report in (
        ("tests", "dist/test/reports/a.xml"),
        ("containers", "dist/test/containers/a.xml"),
    ):
        assert any(
            glob(path).fullmatch(report) for path in steps[key]["artifact_paths"]
        )
        assert wanted.fullmatch(report)
    assert re.search(r" dist/test \|\| ", add_up)
    assert "--allowed .ci/skips.txt" in add_up
    assert steps["test-reports"]["allow_dependency_failure"] is True
    assert set(steps["test-reports"]["depends_on"]) == {"tests", "containers"}


def test_the_coverage_that_is_added_up_is_that_of_every_shard() -> None:
    steps = generated(2)
    download, merge = steps["coverage"]["commands"]
    assert shlex.split(download)[3] in steps["tests"]["artifact_paths"]
    assert glob(shlex.split(download)[3]).fullmatch("dist/coverage/shard-1/.coverage")
    assert "--fail-under=90 dist/coverage" in merge


def test_the_packages_that_are_compared_are_those_that_are_kept() -> None:
    steps = generated()
    kept = steps["packages"]["artifact_paths"]
    *downloads, build = steps["reproducible"]["commands"]
    assert [shlex.split(line)[3] for line in downloads] == kept
    assert build.endswith("reproducible --against dist")
    for made in ("dist/a-1.0-py3-none-any.whl", "dist/projects.a/a.pex"):
        assert any(glob(path).fullmatch(made) for path in kept)


def test_publishing_is_for_tags_and_never_twice_at_a_time() -> None:
    step = generated()["publish"]
    assert step["if"] == "build.tag != null"
    assert (step["concurrency"], step["concurrency_group"]) == (1, "rookery/publish")
