import re
import runpy
from pathlib import Path

import pytest


def test_the_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = Path(__file__).resolve().parents[4] / "README.md"
    text = readme.read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(example)
    runpy.run_path(str(script))
    assert "'positive': 1" in capsys.readouterr().out
