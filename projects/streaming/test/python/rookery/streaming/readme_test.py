import re
from pathlib import Path

import pytest
import typer.main

from rookery.streaming.cli import app

README = next(
    readme
    for folder in Path(__file__).parents
    if (readme := folder / "README.md").is_file()
)


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(compile(example, str(README), "exec"), {"__name__": "example"})  # nosec B102
    assert capsys.readouterr().out == "1000 synthetic:1000\n"


def test_every_command_is_in_the_readme_and_has_help() -> None:
    group = typer.main.get_command(app)
    commands = getattr(group, "commands")  # noqa: B009  # typer's group has no own type
    for name, command in commands.items():
        assert f"rookery.streaming {name}" in README.read_text()
        assert command.help
        for parameter in command.params:
            assert getattr(parameter, "help", None), (name, parameter.name)
