import io

import pytest

from rookery.standalone._progress import Progress
from rookery.standalone._screen import Screen

_STATUS = {
    "ingested": {"read": 10911, "accepted": 10910, "duplicates": 1, "rejected": 2},
    "archived_posts": 10910,
    "matched": {"posts": 9000},
    "rates": {"posts_per_second": 312.4},
    "matching": {"frames": 3, "seconds": None},
    "archiving": {"frames": 4, "seconds": 1.5},
    "dead": 2,
}


def test_away_from_a_terminal_there_are_plain_lines() -> None:
    stream = io.StringIO()
    with Screen(stream) as screen:
        screen.line("ingest", "\x1b[32mframe [bold]published\x1b[0m")
        screen.say("page: http://127.0.0.1:8080")
        screen.progress("1 posts/s")
        screen.progress("2 posts/s")
    assert stream.getvalue().splitlines() == [
        "ingest   | frame [bold]published",
        "page: http://127.0.0.1:8080",
        "1 posts/s",
        "2 posts/s",
    ]


def test_on_a_terminal_the_progress_is_renewed_below_the_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    with Screen(stream) as screen:
        assert screen.is_live
        screen.progress("1 posts/s")
        screen.line("ingest", "[bold]published")
        screen.progress("2 posts/s")
        screen.end_progress()
        screen.say("stopped")
    written = stream.getvalue()
    assert "[bold]published" in written
    assert "\x1b[2K" in written  # a line was taken back
    assert written.index("1 posts/s") < written.index("[bold]published")
    assert written.rindex("2 posts/s") > written.index("[bold]published")
    assert written.index("stopped") > written.rindex("2 posts/s")


def test_the_progress_says_what_counts() -> None:
    line = Progress.of(_STATUS).line(612_000_000)
    assert line == (
        "312 posts/s · read 10,911 · matched 9,000 · archived 10,910 · "
        "lag: match 3, archive 4 frames · duplicates 1 · dead letters 2 · memory 612 MB"
    )
