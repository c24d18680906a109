import re
from pathlib import Path

import pytest

from rookery.text import UNICODE_VERSION

README = next(
    readme
    for folder in Path(__file__).parents
    if (readme := folder / "README.md").is_file()
)


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(compile(example, str(README), "exec"), {"__name__": "example"})  # nosec B102
    assert capsys.readouterr().out.splitlines() == [
        "Boulder, #FIRE <- boulder fire",
        "#FIRE <- #fire",
        "FIRE <- fire",
        "fire <- fire",
        "7 words",
        "[['FIRE'], [], []]",
        "straße",
    ]


def test_the_readme_names_the_version_of_unicode() -> None:
    assert f"Unicode {UNICODE_VERSION}" in README.read_text()
