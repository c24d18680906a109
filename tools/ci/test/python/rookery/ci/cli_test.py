import os
import re
from pathlib import Path

import pytest
import yaml

from rookery.ci.__main__ import main
from rookery.ci._arguments import parser
from rookery.ci.testing import Repository

pytestmark = pytest.mark.integration

README = next(
    folder / "tools" / "ci" / "README.md"
    for folder in Path(__file__).parents
    if (folder / "tools" / "ci" / "README.md").is_file()
)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(name="branch")
def make_branch(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A branch that changed one document, on a machine without an engine."""
    for name in os.environ:
        if name.startswith("BUILDKITE") or name in ("ROOKERY_BASE", "BASE_IMAGE"):
            monkeypatch.delenv(name)
    clone = Repository(repository.root.with_name("clone"), repository.root.as_uri())
    clone.git("checkout", "-q", "-b", "feature")
    clone.write("docs/operating.md", "new")
    clone.commit()
    monkeypatch.chdir(clone.root)
    # The engine is looked for in `why_no_images`, which has tests of its own.
    monkeypatch.setattr("rookery.ci.__main__.why_no_images", lambda env: None)
    return clone


def rows(output: str) -> dict[str, list[str]]:
    lines = [re.split(r"\s{2,}", line) for line in output.splitlines()]
    return {line[0]: line[1:] for line in lines}


def test_why_tells_the_reason_of_every_step(
    branch: Repository, capsys: Capture
) -> None:
    base = branch.git("rev-parse", "origin/main")[:12]
    assert main(["why"]) == 0
    table = rows(capsys.readouterr().out)
    assert table["step"] == ["runs", "why"]
    assert table["lint"] == ["yes", "in every build"]
    assert table["images"] == [
        "no",
        f"no input changed since {base} (origin/main) (documentation 1)",
    ]
    assert table["publish"] == ["no", "only where build.tag != null"]


def test_why_all_runs_everything(branch: Repository, capsys: Capture) -> None:
    assert main(["why", "--all"]) == 0
    assert rows(capsys.readouterr().out)["images"] == ["yes", "asked for by --all"]


def test_the_pipeline_holds_what_runs_and_its_reasons_lie_beside_it(
    branch: Repository, capsys: Capture
) -> None:
    arguments = ["pipeline", "--shards", "3", "--output", "dist/p.yml"]
    assert main([*arguments, "--reasons", "dist/why.md"]) == 0
    assert capsys.readouterr().out == ""
    text = (branch.root / "dist" / "p.yml").read_text("utf-8")
    groups = yaml.safe_load(text)["steps"]
    steps = {step["key"]: step for group in groups for step in group["steps"]}
    assert steps["tests"]["parallelism"] == 3
    assert "images" not in steps
    reasons = (branch.root / "dist" / "why.md").read_text("utf-8")
    assert "| lint | yes | in every build |" in reasons
    assert main(["pipeline", "--shards", "3"]) == 0
    assert capsys.readouterr().out == text


def test_the_steps_of_a_run_can_be_listed(branch: Repository, capsys: Capture) -> None:
    assert main(["run", "--list", "--only", "lint", "types"]) == 0
    table = rows(capsys.readouterr().out)
    assert [key for key, row in table.items() if row[0] == "yes"] == ["lint", "types"]
    assert not (branch.root / "dist").exists()


@pytest.mark.parametrize(
    ("arguments", "env", "code", "says"),
    [
        (["run", "--only", "lnt"], {}, 64, "no step 'lnt'; there are: tests, lint,"),
        (["run", "--pipeline", "x", "--list"], {}, 64, "without --only and --list"),
        (["run", "--shards", "0"], {}, 64, "at least 1"),
        (["why"], {"ROOKERY_BASE": "gone"}, 78, "ROOKERY_BASE=gone: no such commit"),
        (["coverage", "none"], {}, 65, "no coverage data"),
        (["coverage", "none", "--fail-under", "900"], {}, 64, "from 0 to 100"),
        (["reproducible", "--against", "none"], {}, 65, "none is no folder"),
        (["summary", "none"], {}, 65, "no JUnit report"),
        (["result", "lint"], {}, 69, "no buildkite-agent"),
        (["locks"], {}, 74, "pants.toml"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_code(
    branch: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    arguments: list[str],
    env: dict[str, str],
    code: int,
    says: str,
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == code
    said = capsys.readouterr().err.splitlines()
    assert says in said[-1]
    assert code == 64 or len(said) == 1


def test_a_folder_that_is_no_repository_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["why"]) == 69
    assert "not a git repository" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("outcomes", "code", "says"),
    [
        ({"lint": "passed", "tests": "passed"}, 0, ""),
        ({"lint": "passed", "tests": "hard_failed"}, 65, "not green: tests"),
        # Buildkite knows no outcome of a step that its condition left out.
        ({"lint": "passed", "publish": ""}, 0, ""),
        ({"lint": "", "publish": ""}, 65, "not green: lint"),
    ],
)
def test_one_step_tells_how_all_others_ended(
    branch: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    outcomes: dict[str, str],
    code: int,
    says: str,
) -> None:
    known = branch.root.parent / "outcomes"
    known.mkdir()
    for key, outcome in outcomes.items():
        if outcome:
            (known / key).write_text(outcome)
    agent = branch.root.parent / "bin" / "buildkite-agent"
    agent.parent.mkdir()
    agent.write_text(f'#!/bin/sh\nexec cat "{known}/$5"\n')
    agent.chmod(0o755)
    path = f"{agent.parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    assert main(["result", *outcomes, "--output", "dist/result.md"]) == code
    captured = capsys.readouterr()
    assert says in captured.err
    text = (branch.root / "dist" / "result.md").read_text("utf-8")
    assert captured.out == text
    for key, outcome in outcomes.items():
        assert f"| {key} | {outcome or 'none'} |" in text


def test_every_command_is_documented_and_has_help(capsys: Capture) -> None:
    documented = README.read_text("utf-8")
    (commands,) = (
        action.choices for action in parser()._actions if action.dest == "command"
    )
    assert commands
    for name in commands:
        assert f"./pants run tools/ci -- {name}" in documented, name
        assert main([name, "--help"]) == 0
        assert "usage" in capsys.readouterr().out
