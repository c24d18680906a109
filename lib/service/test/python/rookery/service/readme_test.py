import json
import re
from pathlib import Path

import pytest

from rookery.service import Settings
from rookery.service.testing import run_module

pytestmark = pytest.mark.integration


def _readme() -> str:
    # In a checkout and in a sandbox the file stands at the same place above this one.
    here = Path(__file__).resolve()
    return (here.parents[4] / "README.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", _readme(), re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    ended = run_module("example", cwd=tmp_path)
    assert ended.returncode == 0
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["n"] for line in lines if line["action"] == "count"] == [0, 1, 2]


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"^\| `ROOKERY_(\w+)`", _readme(), re.MULTILINE))
    assert documented - {"SECRETS"} == {n.upper() for n in Settings.model_fields}
