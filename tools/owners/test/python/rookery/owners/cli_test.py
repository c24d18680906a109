import re
import subprocess  # nosec B404
from pathlib import Path

import pytest

from rookery.owners import HANDLES, TARGET
from rookery.owners.__main__ import main
from rookery.service.testing import examples, readme, run_example

pytestmark = pytest.mark.integration

README = readme(__file__)


@pytest.fixture(name="repository")
def make_repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    write(tmp_path, "OWNERS", "root@x.org\n")
    write(tmp_path, "lib/OWNERS", "lib@x.org\nper-file *.md=docs@x.org\n")
    write(tmp_path, "lib/a.py", "")
    write(tmp_path, "lib/README.md", "")
    assert run(tmp_path, "compile") == 0
    track(tmp_path)
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    track(root)


def track(root: Path) -> None:
    git(root, "add", "-A")


def git(root: Path, *words: str) -> None:
    command = ["git", "-C", str(root), *words]
    subprocess.run(command, check=True)  # nosec B603


def run(root: Path, *words: str) -> int:
    return main(["--root", str(root), *words])


def test_a_compiled_repository_has_no_problems(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (repository / TARGET).read_text("utf-8")
    assert run(repository, "compile") == 0
    assert (repository / TARGET).read_text("utf-8") == before
    capsys.readouterr()
    assert run(repository, "check") == 0
    assert capsys.readouterr().out == "5 files, 2 OWNERS files, 0 problems\n"


def test_the_compiled_file_says_what_is_expected(repository: Path) -> None:
    assert (repository / TARGET).read_text("utf-8") == (
        "# Generated from the OWNERS files. Do not edit: change the OWNERS file, then"
        " run\n# ./pants run tools/owners -- compile\n\n"
        "* root@x.org\n"
        "/lib/ lib@x.org root@x.org\n"
        "/lib/**/*.md docs@x.org lib@x.org root@x.org\n"
    )


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("lib/OWNERS", "new@x.org\nper-file *.md=docs@x.org\n", f"{TARGET}: stale"),
        ("lib/x/OWNERS", "set noparent\n", "lib/x/OWNERS: unowned"),
        ("lib/x/OWNERS", "per-file *.js=js@x.org\n", "lib/x/OWNERS:1: unreachable"),
        (HANDLES, '[handles]\n"root@x.org"="@root"\n', "lib/OWNERS:1: unknown"),
    ],
    ids=["stale", "unowned", "unreachable", "unknown"],
)
def test_what_is_wrong_is_said_with_its_place_and_remedy(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    path: str,
    text: str,
    said: str,
) -> None:
    write(repository, path, text)
    capsys.readouterr()
    assert run(repository, "check") == 65
    (line,) = (
        line for line in capsys.readouterr().err.splitlines() if line.startswith(said)
    )
    assert re.search("; (run|add|correct) ", line)


def test_a_stale_file_is_shown_as_a_difference(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository, "lib/OWNERS", "new@x.org\nper-file *.md=docs@x.org\n")
    assert run(repository, "check") == 65
    said = capsys.readouterr().err
    assert "    -/lib/ lib@x.org root@x.org\n" in said
    assert "    +/lib/ new@x.org root@x.org\n" in said


def test_handles_stand_for_the_addresses(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = ("root", "lib", "docs")
    lines = [f'"{name}@x.org" = "@org/{name}"' for name in people]
    write(repository, HANDLES, "\n".join(["[handles]", *lines]))
    assert run(repository, "compile") == 0
    track(repository)
    assert "/lib/ @org/lib @org/root\n" in (repository / TARGET).read_text("utf-8")
    assert run(repository, "check") == 0


def test_who_prints_the_owners_with_the_deciding_chain(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(repository, "who", "lib/README.md") == 0
    assert capsys.readouterr().out == (
        "lib/README.md: docs@x.org lib@x.org root@x.org\n"
        "  lib/OWNERS:2: docs@x.org (per-file *.md)\n"
        "  lib/OWNERS:1: lib@x.org (owns the folder)\n"
        "  OWNERS:1: root@x.org (owns the repository)\n"
        f"  {TARGET}: /lib/**/*.md docs@x.org lib@x.org root@x.org\n"
    )


def test_suggest_prints_the_reviewer_and_why(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(repository, "suggest", "lib/a.py", "--without", "root@x.org") == 0
    assert capsys.readouterr().out == "lib@x.org: 1 file, by lib/OWNERS:1\n  lib/a.py\n"


@pytest.mark.parametrize(
    ("handles", "said"),
    [("[handles", "is no TOML"), ("", "no table"), ("[handles]\na=1", "is no handle")],
)
def test_an_unusable_table_of_handles_is_a_configuration_error(
    repository: Path, capsys: pytest.CaptureFixture[str], handles: str, said: str
) -> None:
    write(repository, HANDLES, handles)
    assert run(repository, "compile") == 78
    assert said in capsys.readouterr().err


def test_a_broken_owners_file_is_bad_data_and_leaves_the_compiled_file_alone(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (repository / TARGET).read_text("utf-8")
    write(repository, "lib/OWNERS", "nobody\n")
    assert run(repository, "compile") == 65
    assert "lib/OWNERS:1: 'nobody' is no owner" in capsys.readouterr().err
    assert (repository / TARGET).read_text("utf-8") == before


def test_outside_of_a_repository_git_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "check") == 69
    assert "Git lists no files" in capsys.readouterr().err


def test_a_wrong_call_is_a_usage_error() -> None:
    assert main(["guess"]) == 64
    assert main(["who"]) == 64


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples(README)
    run_example(example, README)
    said = capsys.readouterr().out
    assert "/docs/ ada@example.com\n" in said
    assert "docs/OWNERS:1" in said
