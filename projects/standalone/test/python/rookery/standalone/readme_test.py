import re
from pathlib import Path

import pytest

from rookery.service.testing import run_module

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]


def _readme() -> str:
    here = Path(__file__).resolve()
    return (here.parents[4] / "README.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", _readme(), re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    ended = run_module("example", cwd=tmp_path, timeout=150)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "2000 posts"


def test_every_option_is_documented() -> None:
    shown = run_module("rookery.standalone", "--help").stdout
    options = set(re.findall(r"^ +(?:\* +)?(--[a-z-]+)", shown, re.MULTILINE))
    assert {"--source", "--until-done"} <= options
    documented = set(re.findall(r"--[a-z-]+", _readme()))
    assert options - {"--help", "--version"} <= documented
