import re
from pathlib import Path

import pytest

from rookery.service.testing import require

README = next(
    readme
    for folder in Path(__file__).parents
    if (readme := folder / "README.md").is_file()
)


@pytest.mark.integration
def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    require("nats")
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(compile(example, str(README), "exec"), {"__name__": "example"})  # nosec B102
    said = capsys.readouterr().out
    assert "fire " in said
    assert "another power cut downtown, wonderful ['power']" in said
