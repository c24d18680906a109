import pytest

from rookery.ci import CiError, all_steps, pipeline_yaml, read_plan
from rookery.ci._plan import Dependency, Retry


def test_what_is_emitted_is_read_back_as_it_was_meant() -> None:
    steps = {step.key: step for step in all_steps(3)}
    planned = read_plan(pipeline_yaml(steps.values()), {"status": "wrong"})
    assert {step.key for step in planned} == set(steps)
    for read in planned:
        step = steps[read.key]
        assert read.command == "\n".join(step.commands)
        assert read.dependencies == tuple(
            Dependency(key, step.allow_dependency_failure) for key in step.depends_on
        )
        assert read.parallelism == step.parallelism
        assert read.timeout_seconds == step.timeout_minutes * 60
        assert read.artifacts == step.artifacts
        assert read.condition == step.condition
        assert read.env == {"PANTS_CONFIG_FILES": "pants.ci.toml", **step.env}
        assert read.retries == (Retry(-1, 2), Retry(255, 2))


def test_a_dependency_on_a_group_is_one_on_each_of_its_steps() -> None:
    text = """
    steps:
      - {group: first, key: g, steps: [{key: a, command: x}, {key: b, command: x}]}
      - {key: c, command: x, depends_on: [{step: g, allow_failure: true}]}
    """
    *_, last = read_plan(text, {})
    assert last.dependencies == (Dependency("a", True), Dependency("b", True))


def test_variables_of_the_pipeline_reach_its_steps_at_the_upload() -> None:
    text = """
    env: {WHO: "$USER"}
    steps: [{label: a, command: "echo $WHO $$WHO", env: {OWN: 1}}]
    """
    (step,) = read_plan(text, {"USER": "ada"})
    assert step.command == "echo ada $WHO"
    assert step.env == {"WHO": "ada", "OWN": "1"}
    assert step.key == "step-1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("steps: [", "not YAML"),
        ("env: {}", "no list of steps"),
        ("steps: [wait]", "'wait' needs Buildkite"),
        ("steps: [{block: really}]", "does not know 'block'"),
        ("steps: [{label: a, comand: b}]", "step 'a'.* does not know 'comand'"),
        ("steps: [{label: a}]", "'a' has no command"),
        ("steps: [{key: a, command: x}, {key: a, command: x}]", "'a' is used twice"),
        ("steps: [{key: a, command: x, depends_on: b}]", "on 'b', which does not"),
        ("steps: [{group: g, wait: 1, steps: []}]", "'g'.* does not know 'wait'"),
    ],
)
def test_what_the_runner_cannot_do_is_refused(text: str, says: str) -> None:
    with pytest.raises(CiError, match=says):
        read_plan(text, {})
