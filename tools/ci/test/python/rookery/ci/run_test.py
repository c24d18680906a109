import contextlib
import io
import os
import signal
import subprocess  # nosec B404
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from rookery.ci import CiError, Outcome, Result, Runner, prepare_store, restore
from rookery.ci.__main__ import main
from rookery.ci.testing import Repository
from rookery.service.testing import eventually

pytestmark = pytest.mark.integration


class Build:
    """A run of a small pipeline in a repository."""

    def __init__(self, repository: Repository) -> None:
        self.root = repository.root
        self.output = ""
        self.results: Mapping[str, Result] = {}

    def run(self, pipeline: str, *, keep: bool = False, **env: str) -> "Build":
        store = prepare_store(self.root / "dist" / "ci", keep_artifacts=keep)
        out = io.BytesIO()
        base = {"PATH": os.environ.get("PATH", os.defpath), **env}
        runner = Runner(self.root, store, base, out)
        try:
            self.results = runner.run(textwrap.dedent(pipeline))
        finally:
            self.output = out.getvalue().decode()
        return self

    @property
    def outcomes(self) -> dict[str, str]:
        return {key: result.outcome.value for key, result in self.results.items()}

    def read(self, name: str) -> str:
        return (self.root / name).read_text("utf-8")

    def lines(self, prefix: str) -> list[str]:
        found = self.output.splitlines()
        return [line.removeprefix(prefix) for line in found if line.startswith(prefix)]


@pytest.fixture(name="build")
def make_build(repository: Repository) -> Build:
    return Build(repository)


def test_hooks_and_command_run_in_the_order_of_the_agent(
    repository: Repository, build: Build
) -> None:
    for name in (
        "post-checkout",
        "pre-command",
        "post-command",
        "pre-artifact",
        "post-artifact",
        "pre-exit",
    ):
        repository.hook(name, f"echo order {name}")
    repository.write("made.txt")
    build.run("""
        steps:
          - {key: a, command: echo order command, artifact_paths: made.txt}
        """)
    assert build.lines("order ") == [
        "post-checkout",
        "pre-command",
        "command",
        "post-command",
        "pre-artifact",
        "post-artifact",
        "pre-exit",
    ]


def test_a_hook_named_command_takes_the_place_of_the_command(
    repository: Repository, build: Build
) -> None:
    repository.hook("command", 'echo "instead of $BUILDKITE_COMMAND"')
    build.run("steps: [{key: a, command: make all}]")
    assert "instead of make all" in build.output.splitlines()


def test_what_a_hook_exports_reaches_the_command_and_its_shell_options_do_not(
    repository: Repository, build: Build
) -> None:
    repository.hook(
        "pre-command",
        "set -euo pipefail\nexport MULTI=$'two\\nlines' GONE=1\nlocal_only=1",
    )
    repository.hook("post-command", 'echo "after <$ADDED> <$GONE>"')
    build.run(
        """
        steps:
          - key: a
            commands:
              - echo "<$${MULTI}> <$${local_only}> <$${PARENT}>"
              - false | true
              - export ADDED=1
        """,
        PARENT="here",
    )
    assert "<two\nlines> <> <here>" in build.output
    # The command is a process; only hooks export.
    assert "after <> <1>" in build.output
    assert build.outcomes == {"a": "passed"}


def test_a_hook_can_unset_a_variable(repository: Repository, build: Build) -> None:
    repository.hook("pre-command", "unset GONE")
    build.run("steps: [{key: a, command: 'echo gone=$${GONE-yes}'}]", GONE="x")
    assert "gone=yes" in build.output.splitlines()


@pytest.mark.parametrize(
    ("hook", "status", "ran"),
    [
        ("post-checkout", "exit code 3", False),
        ("pre-command", "exit code 3", False),
        ("post-command", "exit code 3", True),
        ("pre-exit", "exit code 3", True),
    ],
)
def test_a_hook_that_fails_fails_the_job(
    repository: Repository, build: Build, hook: str, status: str, ran: bool
) -> None:
    repository.hook(hook, "exit 3")
    build.run("steps: [{key: a, command: echo it ran}]")
    assert build.results["a"].outcome is Outcome.FAILED
    assert build.results["a"].reason == status
    assert ("it ran" in build.output.splitlines()) is ran


def test_hooks_after_the_command_know_how_it_ended(
    repository: Repository, build: Build
) -> None:
    repository.hook("post-command", 'echo "status $BUILDKITE_COMMAND_EXIT_STATUS"')
    repository.hook("pre-exit", 'echo "last $BUILDKITE_LAST_HOOK_EXIT_STATUS"')
    build.run("steps: [{key: a, command: 'exit 7'}]")
    assert build.lines("status ") == ["7"]
    assert build.lines("last ") == ["0"]
    assert build.results["a"].reason == "exit code 7"


SHOW = "env | grep -E '^(BUILDKITE|CI=)' | sort"


def test_a_job_has_the_variables_of_buildkite(
    repository: Repository, build: Build
) -> None:
    build.run(
        f"""
        steps:
          - group: Checks
            steps:
              - key: a
                label: "part %n of %N"
                command: "{SHOW}"
                parallelism: 2
                timeout_in_minutes: 3
                artifact_paths: [x, y/*]
        """,
        BUILDKITE_TAG="v1",
        BUILDKITE_JOB_ID="of an outer job",
        BUILDKITE_AGENT_ID="of an outer agent",
    )
    second = build.output.rpartition("$ env")[2]
    found = dict(line.split("=", 1) for line in second.splitlines() if "=" in line)
    assert found["BUILDKITE"] == found["CI"] == "true"
    assert found["BUILDKITE_COMMIT"] == repository.git("rev-parse", "HEAD")
    assert found["BUILDKITE_BRANCH"] == "main"
    assert found["BUILDKITE_TAG"] == "v1"
    assert found["BUILDKITE_MESSAGE"] == "First"
    assert found["BUILDKITE_PULL_REQUEST"] == "false"
    assert found["BUILDKITE_BUILD_CHECKOUT_PATH"] == str(repository.root)
    assert found["BUILDKITE_STEP_KEY"] == "a"
    assert found["BUILDKITE_GROUP_LABEL"] == "Checks"
    assert found["BUILDKITE_LABEL"] == "part 1 of 2"
    assert found["BUILDKITE_PARALLEL_JOB"] == "1"
    assert found["BUILDKITE_PARALLEL_JOB_COUNT"] == "2"
    assert found["BUILDKITE_RETRY_COUNT"] == "0"
    assert found["BUILDKITE_TIMEOUT"] == "3"
    assert found["BUILDKITE_ARTIFACT_PATHS"] == "x;y/*"
    assert found["BUILDKITE_COMMAND"] == SHOW
    assert found["BUILDKITE_JOB_ID"] == "0002"
    assert "BUILDKITE_AGENT_ID" not in found
    assert {"BUILDKITE_BUILD_ID", "BUILDKITE_BUILD_NUMBER"} <= found.keys()


def test_what_pants_and_pex_set_for_the_runner_does_not_reach_the_jobs(
    build: Build,
) -> None:
    build.run(
        "steps: [{key: a, command: 'env | sort'}]",
        PANTS_CONCURRENT="true",
        PEX_ROOT="/x",
        PYTHONPATH="/y",
        PANTS_CONFIG_FILES="mine.toml",
        ROOKERY_INDEX="kept",
    )
    names = {line.partition("=")[0] for line in build.output.splitlines()}
    assert not names & {"PANTS_CONCURRENT", "PEX_ROOT", "PYTHONPATH"}
    assert {"PANTS_CONFIG_FILES", "ROOKERY_INDEX"} <= names


def test_lines_of_a_command_share_a_shell_that_stops_at_the_first_failure(
    build: Build,
) -> None:
    build.run("""
        steps:
          - {key: a, commands: [word=same, 'echo "in the $$word shell"', "false", echo no]}
        """)
    assert "in the same shell" in build.output.splitlines()
    assert "no" not in build.output.splitlines()
    assert build.outcomes == {"a": "failed"}


COUNT = (
    "echo x >> tries; echo try $$BUILDKITE_RETRY_COUNT;"
    " [ $$(wc -l < tries) -ge 3 ] || exit {}"
)
RETRY = (
    "retry: {automatic: [{exit_status: -1, limit: 2}, {exit_status: 255, limit: 2}]}"
)


@pytest.mark.parametrize(
    ("status", "tries", "result"),
    [
        (255, 3, Result("a", Outcome.PASSED, reason="tried 3 times")),
        (1, 1, Result("a", Outcome.FAILED, reason="exit code 1")),
        (137, 1, Result("a", Outcome.FAILED, reason="exit code 137")),
    ],
)
def test_only_what_its_rules_name_is_tried_again(
    build: Build, status: int, tries: int, result: Result
) -> None:
    build.run(f"""
        steps:
          - key: a
            command: '{COUNT.format(status)}'
            {RETRY}
        """)
    assert build.lines("try ") == [str(number) for number in range(tries)]
    ended = build.results["a"]
    assert (ended.outcome, ended.reason) == (result.outcome, result.reason)


def test_trying_again_ends_at_the_limit(build: Build) -> None:
    build.run(f"""
        steps:
          - key: a
            command: exit 255
            {RETRY}
        """)
    assert build.results["a"].reason == "exit code 255, tried 3 times"


def test_parallel_jobs_run_one_after_the_other_and_all_have_to_pass(
    build: Build,
) -> None:
    build.run("""
        steps:
          - key: a
            command: "echo part $$BUILDKITE_PARALLEL_JOB; exit $$BUILDKITE_PARALLEL_JOB"
            parallelism: 3
        """)
    assert build.lines("part ") == ["0", "1", "2"]
    assert build.results["a"].reason == "2 of 3 jobs: exit code 1"


def test_a_job_that_takes_too_long_is_ended_with_its_children(
    repository: Repository, build: Build
) -> None:
    repository.hook("pre-exit", "echo pre-exit ran")
    # One child stays in the group of the job, one has a session of its own.
    build.run("""
        steps:
          - key: a
            command: |
              sleep 600 & echo child $$!
              setsid sleep 600 & echo child $$!
              wait
            timeout_in_minutes: 0.02
        """)
    assert build.results["a"].outcome is Outcome.TIMED_OUT
    assert build.results["a"].reason == "after 0.02 min"
    assert "pre-exit ran" in build.output.splitlines()
    for child in build.lines("child "):
        assert has_ended(int(child))


def has_ended(pid: int) -> bool:
    # One that was killed is gone a moment later.
    def gone() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return eventually(gone)


def test_what_depends_on_a_failed_step_is_not_run_and_says_so(build: Build) -> None:
    build.run("""
        steps:
          - key: last
            command: echo last ran
            depends_on: [b, d]
            allow_dependency_failure: true
          - {key: a, command: "false"}
          - {key: b, command: echo b ran, depends_on: a}
          - {key: c, command: echo c ran, depends_on: b}
          - {key: d, command: echo d ran}
          - {key: e, command: echo e ran, depends_on: [{step: a, allow_failure: true}]}
        """)
    assert build.outcomes == {
        "a": "failed",
        "b": "not run",
        "last": "passed",
        "c": "not run",
        "d": "passed",
        "e": "passed",
    }
    assert build.results["b"].reason == "after a"
    assert build.results["c"].reason == "after b"
    ran = [line for line in build.output.splitlines() if line.endswith(" ran")]
    assert [line for line in ran if line[0] != "$"] == ["d ran", "last ran", "e ran"]


def test_a_step_is_left_out_where_its_condition_does_not_hold(build: Build) -> None:
    pipeline = """
        steps:
          - {key: publish, command: echo published, if: build.tag != null}
          - {key: after, command: "true", depends_on: publish}
        """
    build.run(pipeline)
    assert build.outcomes == {"publish": "left out", "after": "passed"}
    assert build.results["publish"].reason == "only where build.tag != null"
    build.run(pipeline, BUILDKITE_TAG="v1")
    assert build.outcomes == {"publish": "passed", "after": "passed"}


def test_artifacts_go_from_step_to_step_and_back_into_the_work_tree(
    repository: Repository, build: Build
) -> None:
    repository.hook("post-checkout", "git clean -ffdxq -e /dist/ci -- dist")
    build.run("""
        steps:
          - key: make
            command: mkdir -p dist/a && echo one > dist/a/x.txt && echo no > dist/y.bin
            artifact_paths: ["dist/**/*.txt"]
          - key: use
            depends_on: make
            commands:
              - test ! -e dist/a
              - buildkite-agent artifact download "dist/**/*.txt" .
              - buildkite-agent artifact download "dist/**/*.txt" elsewhere --step make
              - cat dist/a/x.txt elsewhere/dist/a/x.txt
              - test ! -e dist/y.bin
        """)
    assert build.outcomes == {"make": "passed", "use": "passed"}, build.output
    repository.git("clean", "-ffdxq", "-e", "/dist/ci", "--", "dist")
    assert restore(build.root, build.root / "dist" / "ci") == 1
    assert build.read("dist/a/x.txt") == "one\n"


def test_artifacts_of_a_failed_command_are_kept_and_later_ones_win(
    build: Build,
) -> None:
    build.run("""
        steps:
          - {key: a, command: "echo 1 > x.txt; exit 1", artifact_paths: "x.txt"}
          - {key: b, command: "echo 2 > x.txt", artifact_paths: "x.txt"}
          - {key: c, command: "buildkite-agent artifact download x.txt out && cat out/x.txt"}
        """)
    assert build.outcomes == {"a": "failed", "b": "passed", "c": "passed"}
    assert "2" in build.output.splitlines()


def test_an_artifact_that_nobody_kept_is_an_error(build: Build) -> None:
    build.run("steps: [{key: a, command: buildkite-agent artifact download x.txt .}]")
    assert build.outcomes == {"a": "failed"}
    assert "no artifact matches 'x.txt'" in build.output


def test_single_steps_may_use_the_artifacts_of_the_last_run(build: Build) -> None:
    make = 'steps: [{key: a, command: "echo 1 > x", artifact_paths: x}]'
    use = 'steps: [{key: b, command: "buildkite-agent artifact download x out; cat out/x"}]'
    assert build.run(make).outcomes == {"a": "passed"}
    assert build.run(use, keep=True).outcomes == {"b": "passed"}
    assert build.run(use, keep=True).outcomes == {"b": "passed"}
    assert build.run(use).outcomes == {"b": "failed"}


def test_jobs_leave_facts_and_notes_for_each_other(build: Build) -> None:
    build.run("""
        steps:
          - key: a
            commands:
              - buildkite-agent meta-data set release/version 1.2
              - echo body | buildkite-agent annotate --style warning --context notes
              - buildkite-agent annotate " and more" --append --context notes
          - key: b
            commands:
              - echo "version $$(buildkite-agent meta-data get release/version)"
              - echo "default $$(buildkite-agent meta-data get other --default none)"
              - buildkite-agent meta-data exists release/version
              - buildkite-agent meta-data keys
              - if buildkite-agent meta-data exists other; then exit 9; fi
              - echo "outcome $$(buildkite-agent step get outcome --step a)"
        """)
    assert build.outcomes == {"a": "passed", "b": "passed"}, build.output
    assert build.lines("version ") == ["1.2"]
    assert build.lines("default ") == ["none"]
    assert build.lines("outcome ") == ["passed"]
    assert "release/version" in build.output.splitlines()
    (note,) = (build.root / "dist" / "ci" / "annotations").iterdir()
    assert "body\\n and more" in note.read_text("utf-8")


def test_what_the_agent_cannot_do_here_is_an_error(build: Build) -> None:
    build.run("steps: [{key: a, command: buildkite-agent oidc request-token}]")
    assert build.results["a"].reason == "exit code 64"


def test_a_step_can_upload_more_steps(build: Build) -> None:
    build.run(
        """
        steps:
          - key: first
            command: |
              cat > more.yml <<'EOF'
              steps:
                - {key: made, command: 'echo "$$WHO $$$$WHO"', depends_on: first}
              EOF
              WHO=uploader buildkite-agent pipeline upload more.yml
          - {key: last, command: "true"}
        """,
        WHO="job",
    )
    assert list(build.outcomes) == ["first", "made", "last"]
    assert "uploader job" in build.output.splitlines()


def test_steps_that_wait_for_each_other_are_an_error(build: Build) -> None:
    with pytest.raises(CiError, match="wait for each other: a, b"):
        build.run("""
            steps:
              - {key: a, command: x, depends_on: b}
              - {key: b, command: x, depends_on: a}
            """)


def test_what_a_job_leaves_running_does_not_hold_the_build(build: Build) -> None:
    build.run("steps: [{key: a, command: 'sleep 600 & echo left $$!'}]")
    assert build.outcomes == {"a": "passed"}
    (left,) = build.lines("left ")
    assert has_ended(int(left))


def test_each_job_has_a_log(build: Build) -> None:
    build.run("steps: [{key: a, command: echo one}, {key: b, command: echo two}]")
    logs = sorted((build.root / "dist" / "ci" / "logs").iterdir())
    assert [log.name for log in logs] == ["0001-a.log", "0002-b.log"]
    assert [log.read_text("utf-8") for log in logs] == ["one\n", "two\n"]


def write_pipeline(repository: Repository, text: str) -> str:
    return str(repository.write("small.yml", textwrap.dedent(text)))


@pytest.mark.parametrize(
    ("command", "code", "row"),
    [("true", 0, "a     passed"), ("exit 3", 1, "a     failed")],
)
def test_the_exit_code_and_the_table_tell_how_the_build_ended(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    command: str,
    code: int,
    row: str,
) -> None:
    monkeypatch.chdir(repository.root)
    pipeline = write_pipeline(
        repository,
        f"""
        steps:
          - key: a
            command: |
              mkdir -p dist/test && echo "3 passed, 0 failed" > dist/test/summary.txt
              {command}
            artifact_paths: dist/test/summary.txt
        """,
    )
    assert main(["run", "--pipeline", pipeline]) == code
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert any(line.startswith(row) for line in lines), lines
    assert lines[-1] == "3 passed, 0 failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_step_and_still_prints_the_table(
    repository: Repository, number: signal.Signals
) -> None:
    pipeline = write_pipeline(
        repository,
        """
        steps:
          - key: first
            command: "echo started $$$$; sleep 600"
          - {key: second, command: echo no}
        """,
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    with (
        subprocess.Popen(  # nosec B603
            [sys.executable, "-m", "rookery.ci", "run", "--pipeline", pipeline],
            cwd=repository.root,
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
        contextlib.ExitStack() as end,
    ):
        end.callback(process.kill)
        log = repository.root / "dist" / "ci" / "logs" / "0001-first.log"

        def started() -> bool:
            return log.exists() and "started" in log.read_text("utf-8")

        eventually(started, timeout=60)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    lines = output.splitlines()
    assert process.returncode == 130
    assert any(line.startswith("first   interrupted") for line in lines), lines
    assert any(
        line.split() == ["second", "not", "run", "interrupted"] for line in lines
    )
    assert has_ended(int(log.read_text("utf-8").split()[1]))


def test_a_missing_pipeline_is_one_line(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(repository.root)
    assert main(["run", "--pipeline", "none.yml"]) == os.EX_IOERR
    assert capsys.readouterr().err.count("\n") == 1
    assert Path("none.yml").exists() is False
