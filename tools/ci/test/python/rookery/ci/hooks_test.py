import os
import re
import shlex
import subprocess  # nosec B404
from pathlib import Path

import pytest

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
WHO = ["-c", "user.name=a", "-c", "user.email=a@example.com"]

pytestmark = pytest.mark.integration


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
    commit = ["commit", "-q", "--allow-empty", "-m", "First"]
    folder = tmp_path / "checkout"
    for command in (
        ["git", "init", "-q", str(folder)],
        ["git", "-C", str(folder), *WHO, *commit],
    ):
        subprocess.run(command, check=True)  # nosec B603
    reports = folder / "dist" / "test" / "reports"
    reports.mkdir(parents=True)
    (reports / "red.xml").write_text('<testcase><failure message="no"/></testcase>')
    (reports / "green.xml").write_text("<testcase/>")
    return folder


def program(checkout: Path, name: str, script: str) -> Path:
    path = checkout.parent / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


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


@pytest.mark.parametrize("hook", ["post-checkout", "pre-exit"])
def test_results_of_another_job_do_not_stay(checkout: Path, hook: str) -> None:
    run_hook(hook, checkout)
    assert not (checkout / "dist").exists()


@pytest.mark.parametrize("hook", ["post-checkout", "pre-exit"])
def test_what_was_uploaded_on_one_machine_stays(checkout: Path, hook: str) -> None:
    kept = checkout / "dist" / "ci" / "artifacts" / "0001" / "a.whl"
    kept.parent.mkdir(parents=True)
    kept.touch()
    run_hook(hook, checkout)
    assert [path.name for path in (checkout / "dist").iterdir()] == ["ci"]
    assert kept.exists()


def test_a_shallow_clone_gets_its_history(checkout: Path) -> None:
    commit = ["commit", "-q", "--allow-empty", "-m", "Second"]
    clone = checkout.parent / "clone"
    for command in (
        ["git", "-C", str(checkout), *WHO, *commit],
        ["git", "clone", "-q", "--depth=1", checkout.as_uri(), str(clone)],
    ):
        subprocess.run(command, check=True)  # nosec B603
    count = ["git", "-C", str(clone), "rev-list", "--count", "HEAD"]
    assert subprocess.check_output(count, text=True) == "1\n"  # nosec B603
    run_hook("post-checkout", clone)
    assert subprocess.check_output(count, text=True) == "2\n"  # nosec B603


SHOW = 'for name in {}; do echo "$name=<${{!name-unset}}>"; done'


def exported(checkout: Path, names: str, **env: str) -> dict[str, str]:
    said = run_hook("pre-command", checkout, SHOW.format(names), **env)
    return dict(re.findall(r"^(\w+)=<(.*)>$", said, re.MULTILINE))


def test_what_the_machine_has_is_required_of_the_tests(checkout: Path) -> None:
    required = exported(checkout, "ROOKERY_REQUIRE", ROOKERY_DATA="/data")
    assert {"nats", "data"} <= set(required["ROOKERY_REQUIRE"].split(","))


@pytest.mark.parametrize(("step", "there"), [("containers", True), ("tests", False)])
def test_images_are_required_where_they_were_built_before(
    checkout: Path, step: str, there: bool
) -> None:
    required = exported(checkout, "ROOKERY_REQUIRE", BUILDKITE_STEP_KEY=step)
    assert ("images" in required["ROOKERY_REQUIRE"].split(",")) is there


def test_what_is_required_can_be_named(checkout: Path) -> None:
    required = exported(checkout, "ROOKERY_REQUIRE", ROOKERY_REQUIRE="nats")
    assert required == {"ROOKERY_REQUIRE": "nats"}


@pytest.mark.parametrize(
    ("step", "there"), [("packages", True), ("reproducible", True), ("tests", False)]
)
def test_archives_get_the_time_of_the_commit_and_nothing_else_does(
    checkout: Path, step: str, there: bool
) -> None:
    epoch = exported(checkout, "SOURCE_DATE_EPOCH", BUILDKITE_STEP_KEY=step)
    assert epoch["SOURCE_DATE_EPOCH"].isdigit() is there


def test_each_shard_has_a_place_of_its_own_for_coverage(checkout: Path) -> None:
    name = "PANTS_COVERAGE_PY_OUTPUT_DIR"
    assert exported(checkout, name) == {name: "dist/coverage/shard-0"}
    second = exported(checkout, name, BUILDKITE_PARALLEL_JOB="1")
    assert second == {name: "dist/coverage/shard-1"}


CACHES = (
    "PANTS_LOCAL_STORE_DIR PANTS_NAMED_CACHES_DIR PANTS_REMOTE_CACHE_READ"
    " PANTS_REMOTE_CACHE_WRITE PANTS_REMOTE_STORE_ADDRESS PANTS_REMOTE_INSTANCE_NAME"
)


@pytest.mark.parametrize(
    ("env", "options"),
    [
        ({}, {}),
        # An empty value would be an error of Pants.
        ({"ROOKERY_CACHE": "", "ROOKERY_REMOTE_CACHE": ""}, {}),
        (
            {"ROOKERY_CACHE": "/caches"},
            {
                "PANTS_LOCAL_STORE_DIR": "/caches/store",
                "PANTS_NAMED_CACHES_DIR": "/caches/named",
            },
        ),
        (
            {"ROOKERY_REMOTE_CACHE": "grpc://127.0.0.1:1"},
            {
                "PANTS_REMOTE_CACHE_READ": "true",
                "PANTS_REMOTE_CACHE_WRITE": "true",
                "PANTS_REMOTE_STORE_ADDRESS": "grpc://127.0.0.1:1",
            },
        ),
        (
            {
                "ROOKERY_REMOTE_CACHE": "grpc://127.0.0.1:1",
                "ROOKERY_REMOTE_CACHE_INSTANCE": "main",
            },
            {
                "PANTS_REMOTE_CACHE_READ": "true",
                "PANTS_REMOTE_CACHE_WRITE": "true",
                "PANTS_REMOTE_STORE_ADDRESS": "grpc://127.0.0.1:1",
                "PANTS_REMOTE_INSTANCE_NAME": "main",
            },
        ),
    ],
    ids=["none", "empty", "local", "remote", "instance"],
)
def test_caches_are_named_by_the_environment(
    checkout: Path, env: dict[str, str], options: dict[str, str]
) -> None:
    found = exported(checkout, CACHES, **env)
    assert {name: value for name, value in found.items() if value != "unset"} == options


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
    program(checkout, "buildkite-agent", f'(echo "$@"; cat) > {checkout}/told')
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


def test_ci_runs_the_pipeline_with_the_words_it_was_given(checkout: Path) -> None:
    # The launcher alone is replaced: it tells what it was called with.
    folder = checkout / ".ci"
    folder.mkdir()
    for name in ("run", "install"):
        copy = folder / name
        copy.write_text((ROOT / ".ci" / name).read_text("utf-8"), "utf-8")
        copy.chmod(0o755)
    (folder / "install").write_text("#!/bin/sh\n", "utf-8")
    launcher = checkout / "pants"
    launcher.write_text('#!/bin/sh\necho "$PANTS_CONFIG_FILES:$*"\nexit 7\n', "utf-8")
    launcher.chmod(0o755)
    done = subprocess.run(  # nosec B603 B607
        ["bash", ".ci/run", "--only", "lint"],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "pants.ci.toml:run tools/ci -- run --only lint\n"
    assert done.returncode == 7


def test_what_cannot_be_installed_is_told_and_no_failure(checkout: Path) -> None:
    # A machine with nothing: no apt-get, no browser, no engine.
    nothing = checkout.parent / "nothing"
    nothing.mkdir()
    for name in ("sed", "timeout"):
        found = subprocess.run(  # nosec B603 B607
            ["which", name], capture_output=True, check=True, text=True
        )
        (nothing / name).symlink_to(found.stdout.strip())
    done = subprocess.run(  # nosec B603
        ["/bin/bash", str(ROOT / ".ci" / "install")],
        env={"PATH": str(nothing)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == ""
    assert re.search(r"not installed, since .*: chromium", done.stderr)
