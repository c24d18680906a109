import socket
from pathlib import Path

import pytest

from rookery.service import PortTaken, Settings
from rookery.standalone._options import Options
from rookery.standalone._plan import PagePort, children


def test_without_a_source_posts_are_made_up_at_a_moderate_rate() -> None:
    options = Options()
    assert options.is_synthetic
    assert not options.is_finite
    assert options.ingest_arguments() == ["--source", "synthetic:", "--rate", "300"]


def test_a_number_of_made_up_posts_comes_as_fast_as_it_can() -> None:
    options = Options(limit=1000, seed=7)
    assert options.is_finite
    assert options.ingest_arguments() == [
        *("--source", "synthetic:", "--limit", "1000", "--seed", "7")
    ]


def test_what_was_asked_for_reaches_ingest() -> None:
    options = Options(
        sources=("a.csv", "b*.csv"),
        name="crisis",
        file_format="csv",
        columns="id='Tweet ID'",
        time="snowflake",
    )
    assert options.is_finite
    assert options.ingest_arguments() == [
        *("--source", "a.csv", "--source", "b*.csv", "--name", "crisis"),
        *("--format", "csv", "--columns", "id='Tweet ID'", "--time", "snowflake"),
    ]


@pytest.fixture
def port() -> PagePort:
    return PagePort("127.0.0.1", None)


def test_every_process_gets_the_same_stores_and_few_threads(
    port: PagePort, tmp_path: Path
) -> None:
    options = Options(workers=2)
    specs = children(options, Settings(state=tmp_path, drain_seconds=2.3), port)
    assert [spec.name for spec in specs] == [
        *("serving", "archiver", "match-1", "match-2", "ingest")
    ]
    for spec in specs:
        environment = spec.environment
        assert environment["ROOKERY_STATE"] == str(tmp_path)
        assert environment["ROOKERY_BUS"] == "embedded:"
        assert environment["ROOKERY_LAKE"] == (tmp_path / "lake").as_uri()
        assert environment["ROOKERY_DRAIN_SECONDS"] == "2.3"
        threads = "2" if spec.name == "serving" else "1"
        assert environment["ROOKERY_THREADS"] == threads
        assert environment["OMP_NUM_THREADS"] == threads


def test_a_source_is_stopped_first_and_the_archive_last(port: PagePort) -> None:
    specs = children(Options(), Settings(), port)
    stages = {spec.name: spec.stage for spec in specs}
    assert stages["ingest"] < stages["match"] < stages["archiver"]


def test_only_a_source_that_ends_may_end(port: PagePort) -> None:
    for options, finite in ((Options(limit=1), {"ingest"}), (Options(), set())):
        specs = children(options, Settings(), port)
        assert {spec.name for spec in specs if spec.finite} == finite


def test_secrets_are_on_no_command_line(
    port: PagePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_TOKEN", "hush")
    specs = children(Options(), Settings(), port)
    assert all("hush" not in " ".join(spec.command()) for spec in specs)
    assert all("hush" not in repr(spec) for spec in specs)


def test_without_a_port_the_first_free_one_is_taken_and_kept() -> None:
    page = PagePort("127.0.0.1", None)
    first = page.number
    assert page.renew() == first
    assert page.url == f"http://127.0.0.1:{first}"
    with socket.create_server(("127.0.0.1", first)):
        assert page.renew() != first


def test_a_given_port_is_refused_when_it_is_used_and_never_replaced() -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        number = used.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            PagePort("127.0.0.1", number)
        assert caught.value.exit_code == 69
    page = PagePort("127.0.0.1", number)
    with socket.create_server(("127.0.0.1", number)):
        assert page.renew() == number


def test_whoever_waits_for_the_end_does_not_wait_for_a_full_block(
    port: PagePort,
) -> None:
    for until_done in (False, True):
        options = Options(limit=1, until_done=until_done)
        commands = {
            spec.name: list(spec.command())
            for spec in children(options, Settings(), port)
        }
        assert ("--block-seconds" in commands["archiver"]) is until_done
