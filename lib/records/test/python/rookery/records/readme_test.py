import pytest

from rookery.service.testing import examples, readme, run_example

README = readme(__file__)


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples(README)
    run_example(example, README)
    assert "#HighParkFire" in capsys.readouterr().out
