import re
from pathlib import Path

import pytest

from rookery.service.testing import (
    examples,
    readme,
    run_example_alone,
    run_module,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]

README = readme(__file__)


def test_the_example_runs(tmp_path: Path) -> None:
    (example,) = examples(README)
    # Alone: the process it starts finds its modules through the environment of this one.
    ended = run_example_alone(example, tmp_path, timeout=150)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "2000 posts"


def test_every_option_is_documented() -> None:
    shown = run_module("rookery.standalone", "--help").stdout
    options = set(re.findall(r"^ +(?:\* +)?(--[a-z-]+)", shown, re.MULTILINE))
    assert {"--source", "--until-done"} <= options
    documented = set(re.findall(r"--[a-z-]+", README.read_text(encoding="utf-8")))
    assert options - {"--help", "--version"} <= documented
