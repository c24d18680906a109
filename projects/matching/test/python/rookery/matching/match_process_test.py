"""What a shell sees of `match`: pipes, signals, terminals, memory."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess  # nosec B404
import termios
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from rookery.service import child_environment, module_command
from rookery.service.testing import eventually, run_module, start_module

pytestmark = pytest.mark.integration

AT = "2024-01-01T00:00:00Z"
MODULE = "rookery.matching"


def line(number: int, text: str = "a fire") -> str:
    return json.dumps({"id": str(number), "text": text, "created_at": AT}) + "\n"


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "rules.txt"
    path.write_text("fires = fire\n")
    return str(path)


@pytest.fixture
def posts(tmp_path: Path) -> str:
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(line(number) for number in range(60_000)))
    return str(path)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_each_format_is_read_from_standard_input(
    form: str, rules: str, tmp_path: Path
) -> None:
    rows = [json.loads(line(number)) for number in range(3)]
    path = tmp_path / "posts"
    match form:
        case "jsonl":
            path.write_text("".join(map(line, range(3))))
        case "csv":
            text = "".join(f"{r['id']},{r['text']},{r['created_at']}\n" for r in rows)
            path.write_text("id,text,created_at\n" + text)
        case _:
            pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    for script in ('"$@" < posts', 'cat posts | "$@"'):
        command = module_command(MODULE, rules, "--format", form, "--select", "id")
        done = subprocess.run(  # nosec B603
            ["/bin/sh", "-c", script, "sh", *command],
            env=child_environment(),
            cwd=tmp_path,
            timeout=60,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "".join(f'{{"id":"stdin:{n}"}}\n' for n in range(3))


def test_a_reader_that_has_enough_ends_it_quietly(rules: str, posts: str) -> None:
    with start_module(MODULE, rules, posts) as child:
        assert child.process.stdout is not None
        child.wait_for('"posts:0"')
    shell = subprocess.run(  # nosec B603
        [
            "/bin/sh",
            "-c",
            '"$@" | head -n 1',
            "sh",
            *module_command(MODULE, rules, posts),
        ],
        env=child_environment(),
        capture_output=True,
        timeout=60,
    )
    assert shell.stdout.count(b"\n") == 1
    assert shell.stderr == b""


@pytest.mark.parametrize(
    ("signum", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_an_interrupt_leaves_neither_a_traceback_nor_half_a_file(
    signum: signal.Signals, code: int, rules: str, tmp_path: Path
) -> None:
    target = tmp_path / "m.jsonl"
    arguments = (rules, "--to", str(target))
    with start_module(MODULE, *arguments, stdin=subprocess.PIPE) as child:
        assert child.process.stdin is not None
        child.process.stdin.write(line(1))
        child.process.stdin.flush()
        eventually(
            lambda: [p for p in tmp_path.glob(".*.part") if p.stat().st_size],
            timeout=30,
            message="nothing is written",
        )
        child.signal(signum)
        assert child.wait() == code
        child.process.stdin.close()
    assert child.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["rules.txt"]


def test_standard_output_that_is_full_is_an_error_of_output(
    rules: str, posts: str
) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        with start_module(MODULE, rules, posts, stdout=full) as child:
            assert child.wait() == 74
    assert child.stderr == "error: standard output: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["{rules}", "missing.jsonl"], 69, "missing.jsonl: there is no such file"),
        (["{rules}", "{posts}", "--select", "x"], 64, "there is no column 'x'"),
        (["{rules}", "{posts}", "--to", "no/m.csv"], 73, "cannot be created"),
        (["{posts}", "{posts}"], 65, "posts.jsonl"),
    ],
)
def test_the_exit_code_says_whose_mistake_it_is(
    arguments: list[str], code: int, says: str, rules: str, posts: str
) -> None:
    filled = [one.format(rules=rules, posts=posts) for one in arguments]
    done = run_module(MODULE, *filled)
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def on_terminal(
    *arguments: str, is_output: bool = False, env: dict[str, str] | None = None
) -> tuple[str, bytes]:
    """Runs a command with standard error on a terminal, and output too if wished."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
    extra = {"TERM": "xterm-256color", "COLUMNS": "", "LINES": ""} | (env or {})
    process = subprocess.Popen(  # nosec B603
        module_command(MODULE, *arguments),
        env=child_environment(extra),
        stdin=subprocess.DEVNULL,
        stdout=theirs if is_output else subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    output = b""
    if process.stdout is not None:
        # Short enough for the buffer of the terminal to hold what is said meanwhile.
        output = process.stdout.read()
        process.stdout.close()
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode("utf-8", "replace"), output


def test_a_bar_shows_how_far_it_is_and_leaves_the_output_alone(
    rules: str, posts: str
) -> None:
    shown, output = on_terminal(rules, posts, "--select", "id")
    assert re.search(r"\d+%.* posts/s, \d+ MB/s, [\d,]+ matches", shown)
    lines = output.decode().splitlines()
    assert lines == [f'{{"id":"posts:{n}"}}' for n in range(60_000)]
    assert (
        shown.rstrip()
        .splitlines()[-1]
        .endswith(
            "60,000 of 60,000 posts match one of 1 rules, "
            f"version {shown.rstrip()[-16:]}"
        )
    )


def test_no_bar_is_shown_where_it_would_disturb(rules: str, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text(line(1))
    shown, _ = on_terminal(rules, str(few), is_output=True)
    assert "%" not in shown
    shown, _ = on_terminal(rules, str(few), "--no-progress")
    assert "%" not in shown
    done = run_module(MODULE, rules, str(few))
    assert done.stderr.count("\n") == 1


def test_words_are_marked_on_a_terminal(rules: str, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text(line(1, "a \x1b[31mbig fire") + line(2, "fire " * 40))
    shown, _ = on_terminal(rules, str(few), "-o", "table", is_output=True)
    assert "big \x1b[1;33mfire\x1b[0m" in shown
    assert "\x1b[31m" not in shown
    rows = [re.sub(r"\x1b\[[\d;]*m", "", row) for row in shown.splitlines()]
    assert max(map(len, rows[:-1])) <= 80
    plain, _ = on_terminal(
        rules, str(few), "-o", "table", is_output=True, env={"NO_COLOR": "1"}
    )
    assert "\x1b" not in plain


def test_memory_does_not_grow_with_the_file(rules: str, tmp_path: Path) -> None:
    peaks = []
    text = "x" * 1500 + " fire"
    for size in (5_000, 60_000):
        path = tmp_path / "large.csv"
        with path.open("w") as file:
            file.write("id,text,created_at\n")
            file.writelines(f"{n},{text},{AT}\n" for n in range(size))
        process = subprocess.Popen(  # nosec B603
            module_command(MODULE, rules, str(path), "--to", str(tmp_path / "m.jsonl")),
            env=child_environment(),
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss * 1024)
        assert (tmp_path / "m.jsonl").read_bytes().count(b"\n") == size
    # The file is 90 MB, and so is what is written of it.
    assert peaks[1] - peaks[0] < 60_000_000
