import io
import json
from pathlib import Path

import pytest

from rookery.ci._agent import STORE, artifacts, glob, main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(name="store")
def make_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    store = tmp_path / "store"
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv(STORE, str(store))
    monkeypatch.setenv("BUILDKITE_JOB_ID", "0001")
    return store


def say(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("dist/*.whl", "dist/a.whl", True),
        ("dist/*.whl", "dist/a/b.whl", False),
        ("dist/**/*.whl", "dist/a.whl", True),
        ("dist/**/*.whl", "dist/a/b/c.whl", True),
        ("dist/**", "dist/a/b", True),
        ("dist/*.{whl,pex}", "dist/a.pex", True),
        ("dist/*.{whl,pex}", "dist/a.txt", False),
        ("dist/?.txt", "dist/ab.txt", False),
        ("dist/a+b.txt", "dist/a+b.txt", True),
        ("*", "dist/a", False),
    ],
)
def test_globs_are_those_of_the_agent(pattern: str, path: str, matches: bool) -> None:
    assert (glob(pattern).fullmatch(path) is not None) is matches


def test_artifacts_are_kept_by_job_and_the_last_one_wins(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    made = Path("dist", "sub")
    made.mkdir(parents=True)
    (made / "a.txt").write_text("1")
    (made / "b.bin").write_text("1")
    assert main(["artifact", "upload", "dist/**/*.txt;nothing/*"]) == 0
    monkeypatch.setenv("BUILDKITE_JOB_ID", "0002")
    (made / "a.txt").write_text("2")
    assert main(["artifact", "upload", "dist/sub/a.txt"]) == 0
    assert list(artifacts(store)) == ["dist/sub/a.txt"]
    assert main(["artifact", "download", "dist/**/*", "out"]) == 0
    assert Path("out/dist/sub/a.txt").read_text() == "2"
    assert "downloaded 1 files" in capsys.readouterr().err
    assert main(["artifact", "download", "*.none", "."]) == 1
    assert "no artifact matches '*.none'" in capsys.readouterr().err


def test_artifacts_of_one_step_can_be_asked_for(store: Path) -> None:
    Path("a.txt").write_text("1")
    assert main(["artifact", "upload", "*.txt"]) == 0
    (store / "jobs").mkdir()
    (store / "jobs" / "0001").write_text("make")
    assert main(["artifact", "download", "*", "out", "--step", "make"]) == 0
    assert main(["artifact", "download", "*", "out", "--step", "other"]) == 1


def test_meta_data_is_kept_under_any_key(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    say(monkeypatch, "from input")
    for arguments in (["release/1.0", "value"], ["..", "dots"], ["ключ"]):
        assert main(["meta-data", "set", *arguments]) == 0
    assert store.exists()
    for key, value in (
        ("release/1.0", "value"),
        ("..", "dots"),
        ("ключ", "from input"),
    ):
        assert main(["meta-data", "get", key]) == 0
        assert capsys.readouterr().out == value
        assert main(["meta-data", "exists", key]) == 0
    assert main(["meta-data", "keys"]) == 0
    assert set(capsys.readouterr().out.split()) == {"release/1.0", "..", "ключ"}


def test_meta_data_that_is_not_there(store: Path, capsys: Capture) -> None:
    assert main(["meta-data", "exists", "key"]) == 100
    assert main(["meta-data", "get", "key", "--default", "x"]) == 0
    assert capsys.readouterr().out == "x"
    assert main(["meta-data", "get", "key"]) == 1
    assert "no meta-data under the key 'key'" in capsys.readouterr().err
    assert store.name == "store"


def test_a_note_is_replaced_or_made_longer(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, "one")
    assert main(["annotate", "--style", "error", "--context", "a/b"]) == 0
    assert main(["annotate", " two", "--context", "a/b", "--append"]) == 0
    (path,) = (store / "annotations").iterdir()
    expected = {"context": "a/b", "style": "info", "body": "one two"}
    assert json.loads(path.read_text("utf-8")) == expected
    assert main(["annotate", "new", "--context", "a/b"]) == 0
    assert json.loads(path.read_text("utf-8"))["body"] == "new"


def test_a_pipeline_is_kept_for_the_runner_and_for_nobody_else(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    say(monkeypatch, "steps: []")
    assert main(["pipeline", "upload"]) == 0
    (path,) = (store / "uploads").iterdir()
    upload = json.loads(path.read_text("utf-8"))
    assert upload["text"] == "steps: []"
    assert upload["env"]["BUILDKITE_JOB_ID"] == "0001"
    # The environment may hold secrets.
    assert path.stat().st_mode & 0o077 == 0
    say(monkeypatch, "")
    assert main(["pipeline", "upload"]) == 1
    assert "the pipeline is empty" in capsys.readouterr().err


def test_the_outcome_of_a_step_is_known_when_it_ended(
    store: Path, capsys: Capture
) -> None:
    assert main(["step", "get", "outcome", "--step", "lint"]) == 1
    (store / "outcomes").mkdir(parents=True)
    (store / "outcomes" / "lint").write_text("passed")
    assert main(["step", "get", "outcome", "--step", "lint"]) == 0
    assert capsys.readouterr().out == "passed\n"


@pytest.mark.parametrize(
    "arguments", [[], ["oidc"], ["artifact", "search", "x"], ["step", "get", "label"]]
)
def test_what_it_does_not_know_is_a_usage_error(
    store: Path, arguments: list[str]
) -> None:
    assert main(arguments) == 64
    assert not store.exists()


def test_outside_a_run_it_has_no_place_to_keep_things(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delenv(STORE)
    assert main(["meta-data", "keys"]) == 78
    assert f"{STORE} names no folder" in capsys.readouterr().err
    assert not store.exists()
