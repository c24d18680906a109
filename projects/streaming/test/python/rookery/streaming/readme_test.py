import pytest
import typer.main

from rookery.service.testing import examples, readme, run_example
from rookery.streaming.cli import app

README = readme(__file__)


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples(README)
    run_example(example, README)
    assert capsys.readouterr().out == "1000 synthetic:1000\n"


def test_every_command_is_in_the_readme_and_has_help() -> None:
    group = typer.main.get_command(app)
    commands = getattr(group, "commands")  # noqa: B009  # typer's group has no own type
    for name, command in commands.items():
        assert f"rookery.streaming {name}" in README.read_text(encoding="utf-8")
        assert command.help
        for parameter in command.params:
            assert getattr(parameter, "help", None), (name, parameter.name)
