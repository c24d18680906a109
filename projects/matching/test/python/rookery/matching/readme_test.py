import pytest

from rookery.service.testing import examples, readme, run_example

README = readme(__file__)


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples(README)
    run_example(example, README)
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
