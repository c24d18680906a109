import re
from pathlib import Path

import pytest

import rookery.analytics
from rookery.analytics.cli import app
from rookery.service.testing import run_module

README = Path(__file__).resolve().parents[4] / "README.md"


@pytest.mark.integration
def test_the_example_runs(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    ended = run_module("example", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "rule,day,posts,positive,neutral,negative,sentiment_sum,engagement"
    ]


def test_every_command_is_documented() -> None:
    text = README.read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"python -m rookery.analytics {command.callback.__name__}" in text


def test_everything_public_is_named() -> None:
    assert sorted(rookery.analytics.__all__) == rookery.analytics.__all__
    assert all(hasattr(rookery.analytics, name) for name in rookery.analytics.__all__)
