import pytest

from rookery.service.testing import examples, readme, run_example
from rookery.text import UNICODE_VERSION

README = readme(__file__)


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples(README)
    run_example(example, README)
    assert capsys.readouterr().out.splitlines() == [
        "Boulder, #FIRE <- boulder fire",
        "#FIRE <- #fire",
        "FIRE <- fire",
        "fire <- fire",
        "[0 1 2 2 0] [0 1 1 1 3] [0 1 1 1 3]",
        "7 words",
        "[['FIRE'], [], []] [['bbc'], [], []]",
        "[0 0] [0 1] [ 9 16] [14 20]",
        "straße",
    ]


def test_the_readme_names_the_version_of_unicode() -> None:
    assert f"Unicode {UNICODE_VERSION}" in README.read_text(encoding="utf-8")
