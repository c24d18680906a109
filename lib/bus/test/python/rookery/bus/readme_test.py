import pytest

from rookery.service.testing import examples, readme, run_example

README = readme(__file__)


@pytest.mark.integration
def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples(README)
    run_example(example, README)
    said = capsys.readouterr().out
    assert "2 matches.2 b'TWO'" in said
    assert "data=b'v2'" in said


def test_every_setting_is_described() -> None:
    from rookery.bus import BusSettings

    for name in BusSettings.model_fields:
        assert f"`ROOKERY_BUS_{name.upper()}`" in README.read_text(encoding="utf-8")
