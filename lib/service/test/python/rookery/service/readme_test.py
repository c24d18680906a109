import json
import re
from pathlib import Path

import pytest

from rookery.service import Settings
from rookery.service.testing import examples, readme, run_example_alone

pytestmark = pytest.mark.integration

README = readme(__file__)


def test_the_example_runs(tmp_path: Path) -> None:
    (example,) = examples(README)
    # Alone: as the main module it takes its arguments, its signals and its exit code.
    ended = run_example_alone(example, tmp_path)
    assert ended.returncode == 0
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["n"] for line in lines if line["action"] == "count"] == [0, 1, 2]


def test_every_setting_is_documented() -> None:
    text = README.read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `ROOKERY_(\w+)`", text, re.MULTILINE))
    assert documented - {"SECRETS"} == {n.upper() for n in Settings.model_fields}
