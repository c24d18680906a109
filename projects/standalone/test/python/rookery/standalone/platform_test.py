import os
import pty
import select
import signal
import socket
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from rookery.service.testing import eventually, run_module, start_module
from rookery.standalone.testing import GONE_SECONDS, are_gone, platform

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_without_any_argument_posts_are_matched_archived_and_shown(
    tmp_path: Path,
) -> None:
    with platform(tmp_path / "state") as run:
        run.child.wait_for("samples; give your own with --rules FILE")
        assert run.get("/api/status")["rules"] > 0
        eventually(
            lambda: run.get("/api/status")["archived_posts"],
            timeout=60,
            message="posts are archived",
        )
        status = run.get("/api/status")
        assert 0 < status["matched"]["posts"] <= status["ingested"]["accepted"]
        assert len(run.get("/api/posts")["posts"]) > 0
        run.child.wait_for("posts/s")
        family = run.family()
        # Supervisor, server, serving, archiver, ingest and at least one worker.
        assert len(family) >= 6
        began = time.monotonic()
        run.child.signal(signal.SIGINT)
        assert run.child.wait() == 0
        assert time.monotonic() - began < 10
        assert are_gone(family)
        assert run.child.stdout.splitlines()[-1] == "stopped"


def test_platforms_that_are_started_at_once_show_a_page_of_their_own(
    tmp_path: Path,
) -> None:
    with platform(tmp_path / "one") as one, platform(tmp_path / "two") as two:
        assert one.url != two.url
        epochs = [run.get("/api/status")["epoch"] for run in (one, two)]
        assert epochs[0] != epochs[1]


def test_a_second_platform_on_the_same_folder_is_refused_and_changes_nothing(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    with platform(state, "--rate", "50") as run:
        assert run.url
        for more in ([], ["--fresh"]):
            second = run_module("rookery.standalone", "--state", str(state), *more)
            assert second.returncode == 75
            assert f"process {run.child.pid}" in second.stderr
            assert second.stderr.count("error:") == 1
        before = run.get("/api/status")["ingested"]["accepted"]
        eventually(
            lambda: run.get("/api/status")["ingested"]["accepted"] > before,
            timeout=30,
            message="the first one goes on",
        )


def test_nobody_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with platform(state, "--rate", "50") as run:
        assert run.url
        family = run.family()
        run.child.signal(signal.SIGKILL)
        eventually(
            lambda: are_gone(family), timeout=GONE_SECONDS, message="all are gone"
        )
    with platform(state, "--rate", "50") as run:
        run.child.wait_for("source synthetic: goes on where it stopped")
        eventually(
            lambda: run.get("/api/status")["ingested"]["accepted"],
            timeout=30,
            message="what was ingested is known again",
        )


def test_as_under_pants_it_ends_within_its_three_seconds(
    tmp_path: Path,
) -> None:
    with platform(tmp_path / "state", PANTS_BIN_NAME="./pants") as run:
        eventually(
            lambda: run.get("/api/status")["matched"]["posts"],
            timeout=60,
            message="it is under way",
        )
        began = time.monotonic()
        run.child.signal(signal.SIGINT)
        assert run.child.wait() == 0
        assert time.monotonic() - began < 3.0


def test_on_a_terminal_the_progress_is_live_and_it_ends_at_once(
    tmp_path: Path,
) -> None:
    terminal, end = pty.openpty()
    env = {"TERM": "xterm-256color", "COLUMNS": "200", "NO_COLOR": ""}
    shown = bytearray()

    def shows(text: bytes) -> bool:
        while select.select([terminal], [], [], 0)[0]:
            shown.extend(os.read(terminal, 65536))
        return text in shown

    with start_module(
        "rookery.standalone",
        *("--state", str(tmp_path / "state")),
        env=env,
        stdin=end,
        stdout=end,
    ) as child:
        for text in (b"page: http", b"posts/s", b"\x1b[2K"):
            eventually(partial(shows, text), timeout=90, message=str(text))
        began = time.monotonic()
        child.signal(signal.SIGINT)
        eventually(lambda: shows(b"stopped"), timeout=30, message="it stops")
        assert child.wait() == 0
        assert time.monotonic() - began < 3.0
    os.close(terminal)
    os.close(end)


_PANTS = """
import os, subprocess, sys, time
from rookery.service import child_environment, module_command
environment = child_environment({"PANTS_BIN_NAME": "./pants"}, bound=False)
command = module_command("rookery.standalone", "--state", sys.argv[1])
subprocess.Popen(command, env=environment)
time.sleep(1000)
"""


def test_it_ends_with_pants_which_leaves_what_it_runs_behind(tmp_path: Path) -> None:
    (tmp_path / "as_pants.py").write_text(_PANTS)
    with start_module("as_pants", str(tmp_path / "state"), cwd=tmp_path) as pants:
        pants.wait_for("page: http", timeout=90)
        family = psutil.Process(pants.pid).children(recursive=True)
        assert len(family) >= 6
        pants.signal(signal.SIGKILL)
        eventually(
            lambda: are_gone(family), timeout=GONE_SECONDS, message="all are gone"
        )


def test_a_second_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    with platform(tmp_path / "state") as run:
        assert run.url
        # A child that hangs would hold up the orderly stop.
        family = run.family()
        os.kill(run.process("archiver").pid, signal.SIGSTOP)
        run.child.signal(signal.SIGINT)
        time.sleep(0.5)
        run.child.signal(signal.SIGINT)
        assert run.child.wait(timeout=10) == 130
        eventually(
            lambda: are_gone(family), timeout=GONE_SECONDS, message="all are gone"
        )


def test_it_stops_by_itself_after_the_given_time(tmp_path: Path) -> None:
    with platform(tmp_path / "state", "--for", "1") as run:
        assert run.child.wait(timeout=60) == 0


def test_a_port_that_is_used_is_refused_before_anything_is_started(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = str(used.getsockname()[1])
        with platform(tmp_path / "state", "--port", port) as run:
            assert run.child.wait() == 69
            assert port in run.child.stderr
            assert run.child.stderr.count("error:") == 1
    assert not (tmp_path / "state" / "bus").exists()


def test_a_state_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with platform(tmp_path / "file" / "state") as run:
        assert run.child.wait() == 78
        assert run.child.stderr.startswith("error: the state folder ")


@pytest.mark.parametrize(
    ("variables", "arguments", "told"),
    [
        ({"ROOKERY_BUS": "nats://127.0.0.1:1"}, [], "ROOKERY_BUS"),
        ({"ROOKERY_LAKE": "file:///tmp/x"}, ["--fresh"], "ROOKERY_LAKE"),
        ({"ROOKERY_HOST": "10.255.255.1"}, [], "ROOKERY_TOKEN"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    variables: dict[str, str], arguments: list[str], told: str, tmp_path: Path
) -> None:
    with platform(tmp_path / "state", *arguments, **variables) as run:
        assert run.child.wait() == 78
        assert told in run.child.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--until-done"],
        ["--source", "x.csv", "--rate", "5"],
        ["--rules", "none.txt"],
        ["--port", "0"],
        ["--workers", "0"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], tmp_path: Path) -> None:
    with platform(tmp_path / "state", *arguments) as run:
        assert run.child.wait() == 64
        assert arguments[0] in run.child.stderr
    assert not (tmp_path / "state").exists()


def test_a_rule_that_is_wrong_is_shown_with_its_line_before_anything_is_started(
    tmp_path: Path,
) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_text("fine\n(not fine\n")
    with platform(tmp_path / "state", "--rules", str(rules)) as run:
        assert run.child.wait() == 65
        assert "rules.txt:2" in run.child.stderr
    assert not (tmp_path / "state" / "bus").exists()


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.csv")
    with platform(tmp_path / "state", "--source", missing) as run:
        assert run.child.wait(timeout=60) in (64, 65)
        assert missing in run.child.stderr


def test_it_says_its_version_and_how_it_is_used() -> None:
    shown = run_module("rookery.standalone", "--version")
    assert (shown.returncode, shown.stdout.split()[0]) == (0, "standalone")
    shown = run_module("rookery.standalone", "--help")
    assert shown.returncode == 0
    flags = (
        "source columns time rules name port state rate for fresh workers until-done"
    )
    for flag in flags.split():
        assert f"--{flag}" in shown.stdout
