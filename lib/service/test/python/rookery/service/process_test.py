import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from rookery.service import is_alive
from rookery.service.testing import eventually, run_module, start_module

pytestmark = pytest.mark.integration

Program = Callable[[str], Path]


@pytest.fixture(name="hangup")
def hear_hangups() -> Iterator[None]:
    # Under nohup children would inherit that it is ignored, which a process respects.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_process_that_drains_in_time_ends_well(
    signum: signal.Signals, program: Program
) -> None:
    folder = program("""
        await process.stop.wait()
        await asyncio.sleep(0.3)
        print("drained", process.stop.reason, flush=True)
        """)
    with start_module("program", cwd=folder) as child:
        child.wait_for("begun")
        child.signal(signum)
        assert child.wait() == 0
        assert f"drained {signum.name}" in child.stdout
        assert "error:" not in child.stderr


def test_work_that_is_done_ends_the_process_well(program: Program) -> None:
    ended = run_module("program", cwd=program("pass"))
    assert (ended.returncode, ended.stdout) == (0, "begun\n")


def test_work_that_outlasts_the_deadline_is_given_up_with_try_again(
    program: Program,
) -> None:
    folder = program("await asyncio.sleep(100)")
    with start_module("program", "--drain", "0.2", cwd=folder) as child:
        child.wait_for("begun")
        child.signal()
        assert child.wait() == 75
        assert "error: the work in hand was not finished within 0.2 s" in child.stderr
        assert "Traceback" not in child.stderr


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_without_draining(
    second: signal.Signals, program: Program
) -> None:
    folder = program("""
        await process.stop.wait()
        print("draining", flush=True)
        await asyncio.sleep(100)
        """)
    with start_module("program", "--drain", "100", cwd=folder) as child:
        child.wait_for("begun")
        child.signal()
        child.wait_for("draining")
        child.signal(second)
        assert child.wait() == 128 + second
        assert "error: A second signal" in child.stderr


def test_a_loop_that_hangs_is_ended_and_says_where(program: Program) -> None:
    folder = program("""
        def hanging_place():
            while True:
                time.sleep(0.01)
        hanging_place()
        """)
    with start_module("program", "--drain", "0.1", cwd=folder) as child:
        child.wait_for("begun")
        child.signal()
        assert child.wait() == 75
        assert "hanging_place" in child.stderr
        assert "error: the process did not end by itself" in child.stderr


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("await asyncio.to_thread(time.sleep, 100)", 75),
        ("asyncio.get_running_loop().run_in_executor(None, time.sleep, 100)", 0),
    ],
    ids=["awaited", "forgotten"],
)
def test_a_thread_that_cannot_be_interrupted_does_not_hold_the_process(
    body: str, code: int, program: Program
) -> None:
    with start_module("program", "--drain", "0.1", cwd=program(body)) as child:
        child.wait_for("begun")
        child.signal()
        assert child.wait(timeout=20) == code


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ("raise BadData('row 3: no id')", 65, "error: row 3: no id\n"),
        ("raise BadData()", 65, "error: The data are bad.\n"),
        ("raise SettingsInvalid('set X')", 78, "error: set X\n"),
    ],
)
def test_an_error_of_ours_is_one_line_and_its_exit_code(
    body: str, code: int, told: str, program: Program
) -> None:
    ended = run_module("program", cwd=program(body))
    assert (ended.returncode, ended.stderr) == (code, told)


def test_an_unexpected_error_is_a_bug_and_logged_with_its_traceback(
    program: Program,
) -> None:
    ended = run_module("program", cwd=program("{}['missing']"))
    assert ended.returncode == 70
    assert "KeyError" in ended.stderr and "Traceback" in ended.stderr
    assert ended.stderr.splitlines()[-1] == (
        "error: unexpected, a bug: KeyError: 'missing'"
    )


def test_errors_of_concurrent_tasks_are_told_once_each(program: Program) -> None:
    ended = run_module(
        "program",
        cwd=program("""
        async def fail(text):
            raise BadData(text)
        async with asyncio.TaskGroup() as group:
            group.create_task(fail("one"))
            group.create_task(fail("two"))
        """),
    )
    assert (ended.returncode, ended.stderr) == (65, "error: one; two\n")


def test_wrong_usage_ends_with_64(program: Program) -> None:
    folder = program("pass")
    wrong = {"--nonsense": "nonsense", "--count=many": "count", "surplus": "surplus"}
    for argument, told in wrong.items():
        ended = run_module("program", argument, cwd=folder)
        assert ended.returncode == 64
        assert told in ended.stderr
        assert "Traceback" not in ended.stderr


def test_help_ends_well(program: Program) -> None:
    ended = run_module("program", "--help", cwd=program("pass"))
    assert ended.returncode == 0
    assert "--drain" in ended.stdout


def test_a_setting_that_cannot_be_used_ends_with_78(program: Program) -> None:
    ended = run_module("program", cwd=program("pass"), env={"ROOKERY_THREADS": "x"})
    assert ended.returncode == 78
    assert ended.stderr.startswith("error: ROOKERY_THREADS: ")


def test_a_reader_that_has_seen_enough_is_no_error(program: Program) -> None:
    folder = program("""
        for _ in range(200_000):
            print("x" * 100)
        """)
    reader, writer = os.pipe()
    with start_module("program", cwd=folder, stdout=writer) as child:
        os.close(writer)
        assert os.read(reader, 5) == b"begun"
        os.close(reader)
        assert child.wait() == 141
        assert child.stderr == ""


def test_secrets_are_kept_out_of_the_error_line(program: Program) -> None:
    ended = run_module(
        "program",
        cwd=program("raise BadData('at nats://user:word@host with hush')"),
        env={"ROOKERY_TOKEN": "hush"},  # nosec B105
    )
    assert ended.stderr == "error: at nats://***@host with ***\n"


def test_threads_of_native_libraries_are_limited(program: Program) -> None:
    ended = run_module(
        "program",
        cwd=program("""
        import pyarrow
        print(pyarrow.cpu_count(), pyarrow.io_thread_count())
        print(os.environ["OMP_NUM_THREADS"])
        """),
        env={"ROOKERY_THREADS": "2", "OMP_NUM_THREADS": "1"},
    )
    assert ended.stdout.split() == ["begun", "2", "2", "1"]


def test_what_was_registered_for_the_end_is_done_and_nothing_else_is_waited_for(
    program: Program,
) -> None:
    folder = program("""
        import atexit
        atexit.register(print, "at exit")
        threading.Thread(target=time.sleep, args=[100]).start()
        """)
    with start_module("program", cwd=folder) as child:
        assert child.wait() == 0
        assert child.stdout == "begun\nat exit\n"


_PARENT = """
import subprocess, sys, time
from rookery.service import child_environment, module_command
child = subprocess.Popen(module_command("program"), env=child_environment())
print(child.pid, flush=True)
time.sleep(100)
"""


@pytest.mark.parametrize("body", ["await process.stop.wait()", "time.sleep(100)"])
def test_a_child_does_not_outlive_who_started_it(body: str, program: Program) -> None:
    folder = program(body)
    (folder / "parent.py").write_text(_PARENT)
    with start_module("parent", cwd=folder) as parent:
        parent.wait_for("begun")
        pid = int(parent.stdout.split()[0])
        assert is_alive(pid)
        parent.signal(signal.SIGKILL)
        eventually(
            lambda: not _runs(pid), timeout=15, message="the child ends with its parent"
        )


def test_a_child_whose_parent_died_before_it_looked_ends_too(program: Program) -> None:
    folder = program("""
        await process.stop.wait()
        print(process.stop.reason, flush=True)
        """)
    env = {"ROOKERY_PARENT": str(_reaped_pid())}
    with start_module("program", cwd=folder, env=env) as child:
        assert child.wait() == 0
        assert "parent died" in child.stdout


def test_a_process_far_above_can_be_watched(program: Program) -> None:
    folder = program("await process.stop.wait()")
    with start_module("http.server", "0", cwd=folder) as above:
        env = {"ROOKERY_PARENT": str(above.pid)}
        with start_module("program", cwd=folder, env=env) as child:
            child.wait_for("begun")
            time.sleep(0.5)  # longer than one look of the watch
            assert child.process.poll() is None
            above.signal(signal.SIGKILL)
            above.wait()
            assert child.wait() == 0


def _reaped_pid() -> int:
    with start_module("this") as ended:
        ended.wait()
        return ended.pid


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_this_process_is_alive_and_one_that_was_reaped_is_not() -> None:
    assert is_alive(os.getpid())
    assert not is_alive(_reaped_pid())
