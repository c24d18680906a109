import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from rookery.service.testing import eventually_async
from rookery.standalone import (
    ComponentFailed,
    ComponentMisconfigured,
    ComponentMisused,
    ComponentRefusedData,
)
from rookery.standalone._component import Child, ChildSpec
from rookery.standalone._supervisor import LONGEST_DELAY, Backoff, Supervisor

pytestmark = pytest.mark.integration

_OBEDIENT = "import time; print('up', flush=True); time.sleep(100)"
_STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
print(child.pid, flush=True)
time.sleep(100)
"""


class _Desk:
    """Children of one test, and what they and the supervisor said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.lines: list[tuple[str, str]] = []
        self.supervisor = Supervisor(say=self.said.append, first_delay=0.01)

    def child(
        self,
        program: str,
        *arguments: str,
        name: str = "worker",
        stage: int = 0,
        finite: bool = False,
    ) -> Child:
        command = [sys.executable, "-u", "-c", program, *arguments]
        spec = ChildSpec(
            name=name,
            command=lambda: command,
            environment=os.environ,
            stage=stage,
            finite=finite,
        )
        return Child(spec, lambda name, line: self.lines.append((name, line)))

    async def until(self, condition: Callable[[], object], what: str) -> None:
        await eventually_async(condition, timeout=30, message=what)


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.asyncio
async def test_a_component_that_is_killed_is_started_again() -> None:
    desk = _Desk()
    child = desk.child(_OBEDIENT)
    await desk.supervisor.start(child)
    try:
        await desk.until(lambda: desk.lines.count(("worker", "up")) == 1, "a start")
        assert child.pid is not None
        psutil.Process(child.pid).kill()
        await desk.until(lambda: desk.lines.count(("worker", "up")) == 2, "another")
        assert desk.said == ["worker was ended by signal 9; starting it again in 0.0 s"]
    finally:
        await desk.supervisor.stop(5)


@pytest.mark.asyncio
async def test_a_component_that_ends_well_without_being_done_is_started_again() -> None:
    desk = _Desk()
    await desk.supervisor.start(desk.child("print('up')"))
    try:
        await desk.until(lambda: len(desk.lines) >= 2, "another start")
        assert "worker ended with code 0" in desk.said[0]
    finally:
        await desk.supervisor.stop(5)


@pytest.mark.asyncio
async def test_a_finite_component_that_ends_well_is_done() -> None:
    desk = _Desk()
    await desk.supervisor.start(desk.child("print('up')", finite=True))
    async with asyncio.timeout(30):
        await desk.supervisor.done("worker")
    await desk.supervisor.stop(5)
    assert desk.lines == [("worker", "up")]
    assert desk.said == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "error"),
    [(64, ComponentMisused), (65, ComponentRefusedData), (78, ComponentMisconfigured)],
)
async def test_where_another_start_is_in_vain_everything_fails_with_that_code(
    code: int, error: type[ComponentFailed]
) -> None:
    desk = _Desk()
    program = f"import sys; print('error: row 3: no id'); sys.exit({code})"
    await desk.supervisor.start(desk.child(program, finite=True))
    async with asyncio.timeout(30):
        with pytest.raises(error, match=f"worker ended with code {code}: row 3: no id"):
            await desk.supervisor.failure()
    await desk.supervisor.stop(5)
    assert error.exit_code == code
    assert len(desk.lines) == 1


@pytest.mark.asyncio
async def test_what_never_stays_up_is_given_up() -> None:
    desk = _Desk()
    await desk.supervisor.start(desk.child("raise SystemExit(70)"))
    async with asyncio.timeout(30):
        with pytest.raises(ComponentFailed, match="code 70; it does not stay up"):
            await desk.supervisor.failure()
    await desk.supervisor.stop(5)


@pytest.mark.asyncio
async def test_an_error_of_a_first_start_is_raised_and_of_a_later_one_retried(
    tmp_path: Path,
) -> None:
    desk = _Desk()
    program = tmp_path / "program"
    spec = ChildSpec(name="x", command=lambda: [str(program)], environment=os.environ)
    with pytest.raises(FileNotFoundError):
        await desk.supervisor.start(Child(spec, lambda name, line: None))
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o700)
    await desk.supervisor.start(Child(spec, lambda name, line: None))
    program.unlink()
    async with asyncio.timeout(30):
        with pytest.raises(ComponentFailed, match="FileNotFoundError"):
            await desk.supervisor.failure()
    await desk.supervisor.stop(5)


@pytest.mark.asyncio
async def test_components_are_stopped_stage_by_stage() -> None:
    desk = _Desk()
    program = """
import signal, sys, time
def end(*_):
    print("ending"); time.sleep(0.2); print("ended"); sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up")
time.sleep(100)
"""
    for name, stage in (("server", 2), ("serving", 1), ("ingest", 0), ("archiver", 1)):
        await desk.supervisor.start(desk.child(program, name=name, stage=stage))
    await desk.until(lambda: len(desk.lines) == 4, "all are up")
    await desk.supervisor.stop(10)
    order = [(name, line) for name, line in desk.lines[4:]]
    assert order[:2] == [("ingest", "ending"), ("ingest", "ended")]
    assert {name for name, _ in order[2:6]} == {"serving", "archiver"}
    assert {line for _, line in order[2:4]} == {"ending"}
    assert order[6:] == [("server", "ending"), ("server", "ended")]


@pytest.mark.asyncio
async def test_what_does_not_end_is_killed_with_its_group_within_the_time() -> None:
    desk = _Desk()
    children = [
        desk.child(_STUBBORN, name="stubborn", stage=0),
        desk.child(_STUBBORN, name="stubborn too", stage=1),
        desk.child(_OBEDIENT, name="obedient", stage=2),
    ]
    for child in children:
        await desk.supervisor.start(child)
    await desk.until(lambda: len(desk.lines) == 3, "all are up")
    began = time.monotonic()
    await desk.supervisor.stop(0.6)
    assert time.monotonic() - began < 2.5
    pids = [child.pid for child in children]
    pids += [int(line) for _, line in desk.lines if line.isdecimal()]
    assert len(pids) == 5
    await desk.until(
        lambda: not any(_is_running(pid) for pid in pids if pid), "nobody is left"
    )


@pytest.mark.asyncio
async def test_what_waits_for_another_start_is_not_started_after_a_stop() -> None:
    said: list[str] = []
    desk = _Desk()
    supervisor = Supervisor(say=said.append, first_delay=30)
    await supervisor.start(desk.child("print('up')"))
    await desk.until(lambda: said, "it is to be started again")
    await supervisor.stop(5)
    assert desk.lines == [("worker", "up")]


@pytest.mark.asyncio
async def test_a_line_without_end_is_shown_in_pieces_and_held_in_no_memory() -> None:
    desk = _Desk()
    program = "import sys; sys.stdout.write('x' * 10_000_000); print(); print('end')"
    await desk.supervisor.start(desk.child(program, finite=True))
    async with asyncio.timeout(30):
        await desk.supervisor.done("worker")
    assert max(len(line) for _, line in desk.lines) <= 8192
    assert desk.lines[-1] == ("worker", "end")
    await desk.supervisor.stop(5)


@pytest.mark.asyncio
async def test_output_that_is_no_text_is_shown_as_well_as_it_can_be() -> None:
    desk = _Desk()
    program = "import sys; sys.stdout.buffer.write(b'\\xff ok\\r\\nlast')"
    await desk.supervisor.start(desk.child(program, finite=True))
    async with asyncio.timeout(30):
        await desk.supervisor.done("worker")
    assert desk.lines == [("worker", "\ufffd ok"), ("worker", "last")]
    await desk.supervisor.stop(5)


def test_delays_double_up_to_a_limit() -> None:
    backoff = Backoff(1.0)
    assert [backoff.after(0.1) for _ in range(6)] == [1, 2, 4, 8, 15, 15]
    assert backoff.is_hopeless
    assert LONGEST_DELAY == 15


def test_what_has_been_up_is_never_given_up_and_begins_with_the_shortest_delay() -> (
    None
):
    backoff = Backoff(1.0)
    backoff.after(0.1)
    assert backoff.after(3600) == 1
    for _ in range(20):
        backoff.after(0.1)
    assert not backoff.is_hopeless
