import os
import subprocess  # nosec B404
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from rookery.bus import testing
from rookery.service.testing import free_port, run_module

pytestmark = pytest.mark.integration

RULES = "# what burns\nfires  =  ((fire))  -drill\n\n#tag\n"
CANONICAL = "fires = fire -drill\n#tag\n"


@pytest_asyncio.fixture
async def state(tmp_path: Path) -> AsyncIterator[Path]:
    async with testing.server(tmp_path / "state") as server:
        yield server.state


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.txt"
    path.write_text(RULES)
    return path


def _match(
    *arguments: str, state: Path, input: str | None = None, bus: str = ""
) -> subprocess.CompletedProcess[str]:
    env = {"ROOKERY_STATE": str(state), "ROOKERY_BUS": bus, "COLUMNS": "200"}
    return run_module("rookery.matching", *arguments, env=env, input=input)


@pytest.mark.asyncio
async def test_rules_that_are_put_are_those_that_are_shown(
    state: Path, rules: Path
) -> None:
    none = _match("rules", "show", state=state)
    assert (none.returncode, none.stdout) == (1, "")
    assert "match rules put FILE" in none.stderr

    put = _match("rules", "put", str(rules), state=state)
    assert (put.returncode, put.stderr) == (0, "")
    said, _, version = put.stdout.rstrip().rpartition(" ")
    assert said == "2 rules are in force, version"

    shown = _match("rules", "show", state=state)
    assert (shown.returncode, shown.stdout) == (0, CANONICAL)
    assert shown.stderr == f"2 rules, version {version}\n"

    again = _match("rules", "put", "-", state=state, input=shown.stdout)
    assert (again.returncode, again.stdout) == (0, put.stdout)


@pytest.mark.asyncio
async def test_rules_to_begin_with_leave_those_that_are_in_force(
    state: Path, rules: Path
) -> None:
    first = _match("rules", "put", "--if-none", str(rules), state=state)
    assert (first.returncode, first.stderr) == (0, "")
    version = first.stdout.split()[-1]
    assert first.stdout == f"2 rules are in force, version {version}\n"
    rules.write_text("other\n")
    second = _match("rules", "put", "--if-none", str(rules), state=state)
    assert (second.returncode, second.stdout) == (
        0,
        f"rules are in force already, version {version}: nothing changed\n",
    )
    assert _match("rules", "show", state=state).stdout == CANONICAL


@pytest.mark.asyncio
async def test_broken_rules_change_nothing_and_are_all_named(
    state: Path, rules: Path
) -> None:
    assert _match("rules", "put", str(rules), state=state).returncode == 0
    for text, told in (
        ("fire\n(a\n-drill\n", ["2 rules cannot", "<stdin>:2:1: ", "<stdin>:3:1: "]),
        ("", ["no rules in it", "--allow-empty"]),
        ("# nothing\n", ["no rules in it"]),
    ):
        broken = _match("rules", "put", "-", state=state, input=text)
        assert (broken.returncode, broken.stdout) == (65, "")
        assert all(one in broken.stderr for one in told), broken.stderr
        assert "Traceback" not in broken.stderr
    assert _match("rules", "show", state=state).stdout == CANONICAL


@pytest.mark.asyncio
async def test_no_rules_are_put_where_that_is_meant(state: Path, rules: Path) -> None:
    assert _match("rules", "put", str(rules), state=state).returncode == 0
    put = _match("rules", "put", os.devnull, "--allow-empty", state=state)
    assert (put.returncode, put.stdout.split(",")[0]) == (0, "0 rules are in force")
    shown = _match("rules", "show", state=state)
    assert (shown.returncode, shown.stdout) == (0, "")


@pytest.mark.asyncio
async def test_the_bus_can_be_named_by_its_address(state: Path, rules: Path) -> None:
    async with testing.server(state.parent / "other") as other:
        put = _match("rules", "put", str(rules), state=other.state)
        assert put.returncode == 0
        shown = _match("rules", "show", state=state, bus=other.url)
        assert (shown.returncode, shown.stdout) == (0, CANONICAL), shown.stderr
        assert _match("rules", "show", state=state).returncode == 1


@pytest.mark.parametrize("embedded", [True, False])
def test_without_a_bus_it_ends_with_69(
    embedded: bool, rules: Path, tmp_path: Path
) -> None:
    bus = "embedded:" if embedded else f"nats://127.0.0.1:{free_port()}"
    for command in (("put", str(rules)), ("show",)):
        ended = _match("rules", *command, state=tmp_path / "none", bus=bus)
        assert (ended.returncode, ended.stdout) == (69, "")
        assert ended.stderr.startswith("error: ")
        assert ended.stderr.count("\n") == 1, ended.stderr


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.txt"
    path.write_bytes(b"fire\n\xff\n")
    ended = _match("rules", "put", str(path), state=tmp_path)
    assert ended.returncode == 65
    assert "is not UTF-8" in ended.stderr


def test_broken_rules_are_told_before_the_bus_is_asked(tmp_path: Path) -> None:
    ended = _match("rules", "put", "-", state=tmp_path / "none", input="-drill\n")
    assert ended.returncode == 65
    assert "<stdin>:1:1: " in ended.stderr
