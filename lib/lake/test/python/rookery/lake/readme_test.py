import os
import re
import subprocess  # nosec B404
import sys
from pathlib import Path

import pytest

import rookery.lake
from rookery.lake import cli

README = Path(__file__).resolve().parents[4] / "README.md"


@pytest.mark.integration
def test_the_example_runs() -> None:
    (example,) = re.findall(
        r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL
    )
    ended = subprocess.run(  # nosec B603
        [sys.executable, "-W", "error", "-c", example],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
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
