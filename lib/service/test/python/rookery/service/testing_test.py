import socket
import subprocess  # nosec B404
from pathlib import Path

import pytest

from rookery.service.testing import (
    eventually,
    eventually_async,
    examples,
    free_port,
    readme,
    require,
    run_example,
    run_example_alone,
    run_module,
    start_module,
)


def test_what_is_there_is_returned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROOKERY_DATA", str(tmp_path))
    assert require("data") == tmp_path
    binary = require("nats")
    told = subprocess.run([binary, "--version"], capture_output=True)  # nosec B603
    assert told.stdout.startswith(b"nats-server: v")


def test_what_is_absent_skips_the_test_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ROOKERY_DATA", raising=False)
    monkeypatch.delenv("ROOKERY_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="data: .*ROOKERY_DATA"):
        require("data")


@pytest.mark.parametrize("required", ["data", "nats, data", "data,chromium"])
def test_what_is_absent_but_required_fails_the_test(
    required: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROOKERY_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("ROOKERY_REQUIRE", required)
    with pytest.raises(pytest.fail.Exception, match="data is required"):
        require("data")


def test_programs_are_looked_for_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ROOKERY_REQUIRE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        require("chromium")
    with pytest.raises(pytest.skip.Exception, match="install Docker"):
        require("docker")
    (tmp_path / "chromium").touch(mode=0o755)
    assert require("chromium") == tmp_path / "chromium"
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "docker").chmod(0o755)
    with pytest.raises(pytest.skip.Exception, match="no Docker engine answers"):
        require("docker")


_CLIENT = """#!/bin/sh
case "$*" in
  "info") ;;
  "info --format"*) echo "$PLUGINS" ;;
  "images --format"*)
    for name in $IMAGES; do echo "rookery/$name"; done; echo "rookery/nats:other" ;;
  *) exit 1 ;;
esac
"""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A client of an engine that holds what a test says."""
    for variable in ("ROOKERY_REQUIRE", "ROOKERY_IMAGE_TAG", "IMAGES", "PLUGINS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    client = tmp_path / "docker"
    client.write_text(_CLIENT)
    client.chmod(0o755)
    return client


def test_images_are_there_when_all_of_them_are_in_the_engine_under_one_tag(
    client: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("analytics", "archiver", "ingest", "match-worker", "serving", "standalone")
    monkeypatch.setenv("IMAGES", " ".join(f"{name}:dev" for name in names))
    with pytest.raises(pytest.skip.Exception) as skipped:
        require("images")
    assert "no image rookery/nats:dev;" in str(skipped.value)
    assert "./pants --tag=image package dockerfiles::" in str(skipped.value)
    monkeypatch.setenv("IMAGES", " ".join(f"{name}:dev" for name in (*names, "nats")))
    assert require("images") == client
    monkeypatch.setenv("ROOKERY_IMAGE_TAG", "other")
    with pytest.raises(pytest.skip.Exception, match="no image rookery/analytics:other"):
        require("images")
    monkeypatch.setenv("ROOKERY_REQUIRE", "images")
    with pytest.raises(pytest.fail.Exception, match="images is required"):
        require("images")


def test_compose_is_the_plugin_of_the_client_or_a_program_of_its_own(
    client: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(pytest.skip.Exception, match="apt-get install docker-compose"):
        require("compose")
    program = client.with_name("docker-compose")
    program.touch(mode=0o755)
    assert require("compose") == program
    monkeypatch.setenv("PLUGINS", "compose=/plugins/docker-compose")
    assert require("compose") == Path("/plugins/docker-compose")


def test_waiting_returns_what_the_condition_returned() -> None:
    values = iter([0, None, "", 7])
    assert eventually(lambda: next(values)) == 7


def test_waiting_in_vain_fails_and_says_for_what() -> None:
    with pytest.raises(pytest.fail.Exception, match="the impossible"):
        eventually(lambda: False, timeout=0.05, message="the impossible")


@pytest.mark.asyncio
async def test_in_a_loop_a_condition_may_be_a_coroutine() -> None:
    values = iter([0, 7])

    async def ask() -> int:
        return next(values)

    assert await eventually_async(ask) == 7
    assert await eventually_async(lambda: 8) == 8
    with pytest.raises(pytest.fail.Exception, match="the impossible"):
        await eventually_async(lambda: 0, timeout=0.05, message="the impossible")


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", free_port()))


@pytest.mark.integration
def test_a_child_is_ended_with_its_block(tmp_path: Path) -> None:
    with start_module("http.server", "0", "--bind", "127.0.0.1", cwd=tmp_path) as child:
        assert "Serving HTTP" in child.wait_for("Serving HTTP")
        assert child.process.poll() is None
    assert child.process.returncode == -9


@pytest.mark.integration
def test_waiting_for_what_a_child_never_writes_fails_when_it_ends() -> None:
    with start_module("this") as child:
        assert child.wait_for("Zen of Python")
        with pytest.raises(pytest.fail.Exception, match="it ended"):
            child.wait_for("not in the zen", timeout=60)


@pytest.mark.integration
def test_a_child_reads_its_input_and_its_environment(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text("import os; print(input(), os.environ['X'])")
    ran = run_module("echo", cwd=tmp_path, input="hello\n", env={"X": "there"})
    assert (ran.returncode, ran.stdout) == (0, "hello there\n")


@pytest.mark.parametrize("floor", ["lib", "projects", "tools"])
def test_the_readme_of_a_room_is_the_nearest_one_of_a_room(
    floor: str, tmp_path: Path
) -> None:
    room = tmp_path / "lib" / "checkout" / floor / "room"
    test_file = room / "test" / "python" / "rookery" / "room" / "some_test.py"
    test_file.parent.mkdir(parents=True)
    # Neither a README deeper than the room nor one of what is around it.
    for folder in (test_file.parent, room, room.parent, room.parent.parent):
        (folder / "README.md").touch()
    assert readme(test_file) == readme(str(test_file)) == room / "README.md"


def test_a_room_without_a_readme_is_told_what_its_test_depends_on(
    tmp_path: Path,
) -> None:
    (tmp_path / "README.md").touch()
    with pytest.raises(FileNotFoundError, match="some_test.py; .*`:readme`"):
        readme(tmp_path / "lib" / "room" / "test" / "some_test.py")


_README = """# Room

```python
print("ä, ```")
```

```bash
false
```

```python
raise ValueError(__name__)
```
"""


@pytest.fixture(name="page")
def make_page(tmp_path: Path) -> Path:
    page = tmp_path / "README.md"
    page.write_text(_README, encoding="utf-8")
    return page


def test_the_python_examples_of_a_readme_are_found_and_no_other_block(
    page: Path,
) -> None:
    assert [example.strip() for example in examples(page)] == [
        'print("ä, ```")',
        "raise ValueError(__name__)",
    ]
    page.write_text("# Room\n")
    assert examples(page) == []


def test_an_example_runs_here_and_its_error_names_the_line_of_the_readme(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = examples(page)
    run_example(good, page)
    assert capsys.readouterr().out == "ä, ```\n"
    with pytest.raises(ValueError, match="^example$") as raised:
        run_example(bad, page)
    last = raised.traceback[-1]
    assert (Path(last.path), last.lineno + 1) == (page, 12)


@pytest.mark.integration
def test_an_example_alone_is_the_main_module_of_another_process(
    page: Path, tmp_path: Path
) -> None:
    good, bad = examples(page)
    ended = run_example_alone(good, tmp_path, env={"PYTHONUTF8": "1"})
    assert (ended.returncode, ended.stdout) == (0, "ä, ```\n")
    ended = run_example_alone(bad, tmp_path)
    assert ended.returncode == 1
    assert "line 12" in ended.stderr
    assert ended.stderr.endswith("ValueError: __main__\n")
