import re
from pathlib import Path

import pytest

README = next(
    readme
    for folder in Path(__file__).parents
    if (readme := folder / "README.md").is_file()
)


@pytest.mark.integration
def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(compile(example, str(README), "exec"), {"__name__": "example"})  # nosec B102
    said = capsys.readouterr().out
    assert "2 matches.2 b'TWO'" in said
    assert "data=b'v2'" in said


def test_every_setting_is_described() -> None:
    from rookery.bus import BusSettings

    for name in BusSettings.model_fields:
        assert f"`ROOKERY_BUS_{name.upper()}`" in README.read_text()
