import re
from pathlib import Path

import pytest

README = next(
    readme
    for folder in Path(__file__).parents
    if (readme := folder / "README.md").is_file()
)


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(compile(example, str(README), "exec"), {"__name__": "example"})  # nosec B102
    assert capsys.readouterr().out.splitlines() == [
        "example:1 ['fires'] ['Boulder, #fire']",
        "example:2 ['@fema'] ['@FEMA']",
        'no   "boulder fire" OR #wildfire colorado -drill',
        '  no   "boulder fire"',
        "  no   #wildfire colorado -drill",
        "    no   #wildfire",
        "    yes  colorado  at 14-22",
        "    yes  -drill",
        "      no   drill",
        "fire OR flood",
    ]
