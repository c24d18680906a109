from pathlib import Path

import pytest

import rookery.analytics
from rookery.analytics.cli import app
from rookery.service.testing import examples, readme, run_example_alone

README = readme(__file__)


@pytest.mark.integration
def test_the_example_runs(tmp_path: Path) -> None:
    (example,) = examples(README)
    # Alone, because it has to end as well, with the threads that Dask starts.
    ended = run_example_alone(example, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "rule,day,posts,positive,neutral,negative,sentiment_sum,engagement"
    ]


def test_every_command_is_documented() -> None:
    text = README.read_text(encoding="utf-8")
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"python -m rookery.analytics {command.callback.__name__}" in text


def test_everything_public_is_named() -> None:
    assert sorted(rookery.analytics.__all__) == rookery.analytics.__all__
    assert all(hasattr(rookery.analytics, name) for name in rookery.analytics.__all__)
