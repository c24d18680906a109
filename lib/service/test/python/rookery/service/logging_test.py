import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from rookery.service import Settings, configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("rookery").level)
    yield
    root.handlers[:], root.level = before[0], before[1]
    logging.getLogger("rookery").setLevel(before[2])
    logging.captureWarnings(False)
    structlog.reset_defaults()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_where_nobody_looks_a_line_is_one_json_object(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(), process="archiver")
    structlog.get_logger().info("block committed", action="commit", rows=3)
    (line,) = _lines(capsys)
    assert line["event"] == "block committed"
    assert (line["action"], line["rows"]) == ("commit", 3)
    assert (line["level"], line["process"]) == ("info", "archiver")


def test_lines_of_libraries_look_like_our_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(), process="ingest")
    logging.getLogger("nats").warning("lost %s", "it")
    logging.getLogger("httpx").info("chatter")
    (line,) = _lines(capsys)
    assert (line["event"], line["level"]) == ("lost it", "warning")


def test_an_error_is_logged_with_its_traceback_in_the_same_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(), process="ingest")
    try:
        raise ValueError("odd")
    except ValueError:
        structlog.get_logger().exception("failed", action="fail")
        logging.getLogger("x").exception("failed too")
    ours, theirs = _lines(capsys)
    assert "ValueError: odd" in str(ours["exception"])
    assert "ValueError: odd" in str(theirs["exception"])


def test_the_level_decides_what_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="warning"), process="ingest")
    structlog.get_logger().info("not this", action="x")
    structlog.get_logger().warning("but this", action="x")
    assert [line["event"] for line in _lines(capsys)] == ["but this"]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_secret_is_ever_written(
    log_format: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_LOG_FORMAT", log_format)
    monkeypatch.setenv("ROOKERY_TOKEN", "hush-hush")
    monkeypatch.setenv("ROOKERY_BUS_TOKEN", "hush")
    monkeypatch.setenv("ROOKERY_SENTRY_DSN", "s3cret")
    settings = Settings()
    configure_logging(settings, process="ingest")
    log = structlog.get_logger()
    log.info("to nats://user:word@host/x", action="connect", api_key="word")
    log.info("the text says hush-hush", action="connect", settings=settings)
    log.info("named", action="connect", Authorization="a word", my_token=["word"])
    logging.getLogger("nats").error("refused %s at http://u:word@h", "s3cret")
    try:
        raise ValueError("hush in an error at https://word@h/1")
    except ValueError:
        log.exception("failed", action="connect")
    written = capsys.readouterr().err
    for secret in ("hush", "s3cret", "word"):
        assert secret not in written
    assert "nats://***@host/x" in written


def test_a_terminal_gets_lines_for_people(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    configure_logging(Settings(), process="ingest")
    structlog.get_logger().info("frame published", action="publish")
    written = capsys.readouterr().err
    assert "frame published" in written
    assert "\x1b[" not in written
    assert not written.startswith("{")


def test_on_a_terminal_colours_are_used_unless_unwanted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    configure_logging(Settings(), process="ingest")
    structlog.get_logger().info("frame published", action="publish")
    assert "\x1b[" in capsys.readouterr().err
