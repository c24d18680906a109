import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

import rookery.service
from rookery.service import Build, BuildInvalid, build
from rookery.service.testing import run_example_alone, run_module, start_module

pytestmark = pytest.mark.integration

Program = Callable[[str], Path]

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TIME = "2026-11-21T15:00:00Z"
BUILT = datetime(2026, 11, 21, 15, tzinfo=UTC)
STAMP = {"package": "rookery-ingest", "version": "1.4.2", "commit": COMMIT}
NOWHERE = "rookery-nothing-of-that-name"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VERSION", "COMMIT", "BUILT"):
        monkeypatch.delenv(f"ROOKERY_{name}", raising=False)


def _stamp(folder: Path, said: object) -> Path:
    path = folder / "rookery" / "build.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    return folder


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (Build("0+source"), "0+source"),
        (Build("1.2", COMMIT), "1.2 (commit 0123456789ab)"),
        (Build("1.2", built=BUILT), "1.2 (built 2026-11-21T15:00:00Z)"),
        (
            Build("1.4.3.dev12", COMMIT, BUILT),
            "1.4.3.dev12 (commit 0123456789ab, built 2026-11-21T15:00:00Z)",
        ),
        (
            Build("1", built=BUILT.astimezone(timezone(timedelta(hours=2)))),
            "1 (built 2026-11-21T15:00:00Z)",
        ),
    ],
)
def test_the_text_of_a_build_leaves_out_what_is_not_known(
    one: Build, text: str
) -> None:
    assert str(one) == text


def test_from_a_checkout_nothing_is_known() -> None:
    assert build(NOWHERE) == Build("0+source")
    assert not build(NOWHERE).is_known


def test_a_wheel_has_the_version_of_its_metadata() -> None:
    found = build("prometheus-client")
    assert found.version.startswith("0.")
    assert (found.commit, found.built, found.is_known) == (None, None, True)


def test_the_stamp_of_a_pex_wins_over_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One of several folders that make up the namespace has it, and it is not the first.
    (tmp_path / "first" / "rookery").mkdir(parents=True)
    (tmp_path / "second").mkdir()
    monkeypatch.syspath_prepend(str(_stamp(tmp_path / "second", STAMP)))
    monkeypatch.syspath_prepend(str(tmp_path / "first"))
    assert build("prometheus-client") == Build("1.4.2", COMMIT)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"commit": None, "built": TIME}, Build("1.4.2", None, BUILT)),
        ({"commit": COMMIT.upper(), "built": None}, Build("1.4.2", COMMIT)),
    ],
)
def test_a_stamp_may_leave_things_out(
    more: dict[str, object],
    expected: Build,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(_stamp(tmp_path, STAMP | more)))
    assert build(NOWHERE) == expected


def test_an_archive_among_the_folders_of_the_namespace_hides_no_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "more.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("rookery/something/part.py", "")
    monkeypatch.syspath_prepend(str(_stamp(tmp_path, STAMP)))
    monkeypatch.syspath_prepend(str(archive))
    assert build(NOWHERE).version == "1.4.2"


def test_the_environment_of_an_image_wins_over_the_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(_stamp(tmp_path, STAMP)))
    monkeypatch.setenv("ROOKERY_VERSION", "2.0")
    # Empty is unset; what the stamp says is of another build.
    monkeypatch.setenv("ROOKERY_COMMIT", "")
    monkeypatch.setenv("ROOKERY_BUILT", TIME)
    assert build(NOWHERE) == Build("2.0", None, BUILT)
    monkeypatch.setenv("ROOKERY_VERSION", "")
    assert build(NOWHERE) == Build("1.4.2", COMMIT)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "build.json is not JSON"),
        ("\udcff", "build.json is not JSON"),
        ("[]", "build.json names no version; build the package again"),
        ({"version": 3}, "build.json names no version"),
        ({"version": " "}, "build.json names no version"),
        (STAMP | {"commit": "main"}, "'main' is not the id of a commit"),
        (STAMP | {"commit": 7}, "7 is not the id of a commit"),
        (STAMP | {"built": "yesterday"}, "'yesterday' is not a time in UTC"),
        (STAMP | {"built": 5}, "5 is not a time in UTC"),
    ],
)
def test_a_damaged_stamp_is_one_clear_error(
    said: object, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = said if isinstance(said, str) else json.dumps(said)
    path = _stamp(tmp_path, "") / "rookery" / "build.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BuildInvalid, match=told) as raised:
        build(NOWHERE)
    assert raised.value.exit_code == 78
    assert "build.json" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_stamp_that_cannot_be_read_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rookery" / "build.json").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BuildInvalid, match="build.json cannot be read: Is a dir"):
        build(NOWHERE)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ROOKERY_BUILT", "2026-11-21"),
        ("ROOKERY_BUILT", "2026-11-21T15:00:00+01:00"),
        ("ROOKERY_BUILT", "2026-13-41T15:00:00Z"),
        ("ROOKERY_COMMIT", "HEAD"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_VERSION", "1.0")
    monkeypatch.setenv(variable, value)
    with pytest.raises(BuildInvalid, match=f"^{variable}: '") as raised:
        build(NOWHERE)
    assert raised.value.exit_code == 78


_IMAGE = {
    "ROOKERY_VERSION": "1.4.3.dev12",
    "ROOKERY_COMMIT": COMMIT,
    "ROOKERY_BUILT": TIME,
}


def test_a_program_says_what_it_is(program: Program) -> None:
    folder = program("raise AssertionError('only the version was asked for')")

    def asked(**env: str) -> str:
        ended = run_module("program", "--version", cwd=folder, env=env)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    assert asked() == "program 0+source\n"
    whole = "1.4.3.dev12 (commit 0123456789ab, built 2026-11-21T15:00:00Z)"
    assert asked(**_IMAGE) == f"program {whole}\n"
    _stamp(folder, STAMP)
    assert asked() == "program 1.4.2 (commit 0123456789ab)\n"
    assert asked(**_IMAGE) == f"program {whole}\n"


@pytest.mark.parametrize("arguments", [["--version"], []], ids=["version", "run"])
def test_a_program_whose_build_is_damaged_ends_with_78(
    arguments: list[str], program: Program
) -> None:
    folder = _stamp(program("raise AssertionError('started')"), "{")
    ended = run_module("program", *arguments, cwd=folder)
    assert ended.returncode == 78
    assert ended.stderr.startswith("error: ")
    assert "build.json is not JSON" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_help_names_the_program_and_its_version_option(program: Program) -> None:
    ended = run_module("program", "--help", cwd=program("pass"), env={"COLUMNS": "99"})
    assert "Usage: program [OPTIONS]" in ended.stdout
    assert "Show the version and exit." in ended.stdout


_COMMANDS = """
import typer
from rookery.service import cli

app = typer.Typer()

@app.command("take-in")
def take_in(source: str) -> int:
    print("took in", source)
    return 3

@app.command()
def give() -> None:
    pass

if __name__ == "__main__":
    cli(app, name="taker", command="take-in")
"""


def test_one_command_of_many_can_be_a_program_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "taker.py").write_text(_COMMANDS)

    def run(*arguments: str) -> tuple[int, str]:
        env = {"COLUMNS": "99"}
        ended = run_module("taker", *arguments, cwd=tmp_path, env=env)
        return ended.returncode, ended.stdout + ended.stderr

    assert run("here") == (3, "took in here\n")
    assert run("--version") == (0, "taker 0+source\n")
    code, said = run("--help")
    assert code == 0
    assert "Usage: taker [OPTIONS]" in said
    assert "give" not in said
    code, said = run()
    assert code == 64
    assert "Usage: taker [OPTIONS]" in said


def test_metrics_and_log_say_which_build_runs(program: Program) -> None:
    folder = program("await process.stop.wait()")
    env = _IMAGE | {"ROOKERY_METRICS_PORT": "0"}
    with start_module("program", cwd=folder, env=env) as child:
        port = json.loads(child.wait_for("health endpoint"))["port"]
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        child.signal()
        assert child.wait() == 0
    families = {f.name: f for f in text_string_to_metric_families(text)}
    (sample,) = families["rookery_build_info"].samples
    assert (sample.value, sample.labels) == (
        1,
        {"version": "1.4.3.dev12", "commit": COMMIT},
    )
    first = json.loads(child.stderr.splitlines()[0])
    assert {
        "event": "process started",
        "version": "1.4.3.dev12",
    }.items() <= first.items()
    assert first["commit"] == COMMIT


def test_every_public_name_is_there() -> None:
    for name in rookery.service.__all__:
        assert getattr(rookery.service, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        getattr(rookery.service, "nonsense")  # noqa: B009


_HEAVY = ("pyarrow", "pydantic_settings", "prometheus_client", "structlog", "uvicorn")


def test_a_command_line_loads_nothing_that_its_help_does_not_need(
    tmp_path: Path,
) -> None:
    code = f"""
import sys
from rookery.service import cli
print(sorted(set({_HEAVY!r}) & set(sys.modules)))
"""
    ended = run_example_alone(code, tmp_path)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
