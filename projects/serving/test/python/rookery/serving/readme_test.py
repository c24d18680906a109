import pytest

from rookery.service.testing import examples, readme, require, run_example

README = readme(__file__)


@pytest.mark.integration
def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    require("nats")
    (example,) = examples(README)
    run_example(example, README)
    said = capsys.readouterr().out
    assert "fire " in said
    assert "another power cut downtown, wonderful ['power']" in said
