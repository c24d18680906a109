from pathlib import Path

import pytest

import rookery.lake
from rookery.lake import cli
from rookery.service.testing import examples, readme, run_example_alone

README = readme(__file__)


@pytest.mark.integration
def test_the_example_runs(tmp_path: Path) -> None:
    (example,) = examples(README)
    # Alone, for a new interpreter: what its imports warn of is an error too.
    ended = run_example_alone(example, tmp_path, env={"PYTHONWARNINGS": "error"})
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("1 [")
    assert "fire" in ended.stdout


def test_every_command_is_documented() -> None:
    text = README.read_text(encoding="utf-8")
    for command in cli.app.registered_commands:
        assert command.callback is not None
        assert f"python -m rookery.lake {command.callback.__name__}" in text


def test_everything_public_is_named() -> None:
    assert sorted(rookery.lake.__all__) == rookery.lake.__all__
    assert all(hasattr(rookery.lake, name) for name in rookery.lake.__all__)
