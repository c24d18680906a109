import json
import re
import subprocess  # nosec B404
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rookery.release import RefusedError
from rookery.release.__main__ import main
from rookery.release._verify import run_program
from rookery.release_servers import PackageIndex, wheel
from rookery.service.testing import free_port, readme, start_module

pytestmark = pytest.mark.integration

README = readme(__file__)
COMMANDS = ("check", "notes", "plan", "publish", "verify", "version")

# Stands in for Pants: prints targets, and packages wheels with the versions it is told.
PANTS = """#!{python}
import json, os, pathlib, shutil, sys
if "peek" in sys.argv:
    print(pathlib.Path("peek.json").read_text())
    sys.exit()
if pathlib.Path("fail").exists():
    sys.exit(pathlib.Path("fail").read_text())
versions = json.loads(os.environ["ROOKERY_VERSIONS"])
(folder,) = (word[16:] for word in sys.argv if word.startswith("--pants-distdir="))
pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
for target in sys.argv[sys.argv.index("package") + 1:]:
    name = "rookery-" + target.split("/")[1].split(":")[0]
    stem = name.replace("-", "_") + "-" + versions[name] + "-py3-none-any.whl"
    shutil.copy(pathlib.Path("wheels") / stem, pathlib.Path(folder) / stem)
"""

TARGETS = [
    {
        "address": f"lib/{name}:dist",
        "target_type": "python_distribution",
        "provides": {"name": f"rookery-{name}"},
        "dependencies": [f"lib/{name}/{name}.py", *requires],
        "tags": None,
    }
    for name, requires in (("base", []), ("top", ["lib/base:dist"]))
] + [
    {
        "address": f"lib/{name}/{name}.py",
        "target_type": "python_source",
        "sources": [f"lib/{name}/{name}.py"],
        "dependencies": [],
    }
    for name in ("base", "top")
]


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    command = ["git", "-C", str(root), *identity, *words]
    return subprocess.check_output(command, text=True).strip()  # nosec B603


def commit(root: Path, name: str, text: str, subject: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", subject)


@pytest.fixture(name="repository")
def make_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q")
    (root / "pants.toml").write_text("[GLOBAL]\n", "utf-8")
    (root / ".gitignore").write_text("dist/\nfail\n", "utf-8")
    (root / "pants").write_text(PANTS.format(python=sys.executable), "utf-8")
    (root / "pants").chmod(0o755)
    (root / "peek.json").write_text(json.dumps(TARGETS), "utf-8")
    wheel(root / "wheels", "rookery-base", "1.0.0")
    wheel(root / "wheels", "rookery-top", "2.0.0", ["rookery-base==1.0.0"])
    commit(root, "lib/base/base.py", "", "Begin with the base")
    commit(root, "lib/top/top.py", "", "Put a top on the base")
    for name in ("INDEX", "REGISTRY", "USER", "PASSWORD", "SIMPLE"):
        monkeypatch.delenv(f"ROOKERY_RELEASE_{name}", raising=False)
    monkeypatch.delenv("ROOKERY_VERSIONS", raising=False)
    return root


@pytest.fixture(name="index")
def run_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PackageIndex]:
    index = PackageIndex(tmp_path / "index", free_port())
    monkeypatch.setenv("ROOKERY_RELEASE_INDEX", index.url)
    monkeypatch.setenv("ROOKERY_RELEASE_USER", "release")
    monkeypatch.setenv("ROOKERY_RELEASE_PASSWORD", "s3cret")
    with index.running():
        yield index


def run(root: Path, *words: str) -> int:
    return main(["--root", str(root), *words])


def tag(root: Path, *names: str) -> None:
    for name in names:
        git(root, "tag", name)


def test_a_plan_is_a_table_with_reasons(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-base/v1.0.0")
    assert run(repository, "plan") == 0
    head, titles, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith(f"commit {git(repository, 'rev-parse', 'HEAD')}, 20")
    assert titles == "package       kind   version     action   reason"
    assert rows == [
        "rookery-base  wheel  1.0.0       publish  tagged rookery-base/v1.0.0",
        "rookery-top   wheel  0.0.1.dev2  skip     development build: no tag "
        "rookery-top/v… yet",
        "no index is set, so what it holds is not known",
        "no registry is set, so what it holds is not known",
    ]


def test_a_plan_can_be_read_by_programs(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-base/v1.0.0", "rookery-top/v2.0.0")
    assert run(repository, "plan", "--json", "--packages", "rookery-top") == 0
    fields = json.loads(capsys.readouterr().out)
    assert fields["commit"] == git(repository, "rev-parse", "HEAD")
    assert fields["refusals"] == []
    assert fields["packages"][1] == {
        "package": "rookery-top",
        "kind": "wheel",
        "target": "lib/top:dist",
        "version": "2.0.0",
        "requires": ["rookery-base"],
        "action": "publish",
        "reason": "tagged rookery-top/v2.0.0",
    }


def test_a_release_is_published_and_published_again_changes_nothing(
    repository: Path, index: PackageIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-base/v1.0.0", "rookery-top/v2.0.0")
    assert run(repository, "publish") == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split(":")[:2] for line in lines] == [
        ["published", " rookery-base 1.0.0"],
        ["published", " rookery-top 2.0.0"],
    ]
    assert last.startswith("published: rookery-base 1.0.0, rookery-top 2.0.0; there")
    assert run(repository, "publish") == 0
    assert "published: nothing; there before: rookery-base 1.0.0, rookery-top" in (
        capsys.readouterr().out
    )
    assert len(list(index.packages.glob("*.whl"))) == 2


def test_what_requires_an_unchanged_package_pins_its_last_release(
    repository: Path, index: PackageIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-base/v1.0.0")
    assert run(repository, "publish") == 0
    commit(repository, "docs.md", "", "Write about it")
    tag(repository, "rookery-top/v2.0.0")
    capsys.readouterr()
    assert run(repository, "publish") == 0
    assert "published: rookery-top 2.0.0; there before: nothing" in (
        capsys.readouterr().out
    )


def test_a_pin_on_what_is_not_published_is_refused(
    repository: Path, index: PackageIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-top/v2.0.0")
    assert run(repository, "plan") == 65
    assert "requires rookery-base 0.0.1.dev2, which is neither published" in (
        capsys.readouterr().err
    )
    assert run(repository, "publish") == 65
    assert not list(index.packages.glob("*.whl"))


def test_an_unclean_tree_is_not_published(
    repository: Path, index: PackageIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-base/v1.0.0")
    (repository / "new.txt").write_text("", "utf-8")
    assert run(repository, "publish") == 65
    assert capsys.readouterr().err == (
        "error: the work tree is not what the commit says (new.txt): commit or remove "
        "what differs\n"
    )
    assert not list(index.packages.glob("*.whl"))


@pytest.mark.parametrize(
    ("says", "code", "expected"),
    [
        ("Error: no such target", 70, "`./pants package` failed with exit code 1"),
        ("Error: No space left on device (28)", 74, "no space left on device; make"),
    ],
)
def test_a_build_that_fails_publishes_nothing(
    repository: Path,
    index: PackageIndex,
    capsys: pytest.CaptureFixture[str],
    says: str,
    code: int,
    expected: str,
) -> None:
    tag(repository, "rookery-base/v1.0.0")
    (repository / "fail").write_text(says, "utf-8")
    assert run(repository, "publish") == code
    *_, last = capsys.readouterr().err.splitlines()
    assert expected in last
    assert not list(index.packages.glob("*.whl"))


def test_a_wrong_password_has_its_own_exit_code(
    repository: Path,
    index: PackageIndex,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tag(repository, "rookery-base/v1.0.0")
    monkeypatch.setenv("ROOKERY_RELEASE_PASSWORD", "not-the-one")
    assert run(repository, "publish") == 77
    captured = capsys.readouterr()
    assert "not published: rookery-base 1.0.0" in captured.out
    assert "not-the-one" not in captured.out + captured.err


def test_a_missing_index_is_a_matter_of_configuration(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-base/v1.0.0")
    assert run(repository, "publish") == 78
    assert capsys.readouterr().err.startswith("error: ROOKERY_RELEASE_INDEX is not set")


def test_nothing_tagged_is_nothing_published(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(repository, "publish") == 0
    assert capsys.readouterr().out == (
        "published: nothing; there before: nothing; not published: nothing\n"
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 64),
        (("plan", "--nothing"), 64),
        (("version",), 64),
        (("--help",), 0),
        (("plan", "--packages", "rookery-none"), 65),
    ],
)
def test_a_wrong_call_has_its_exit_code(
    repository: Path, words: tuple[str, ...], code: int
) -> None:
    assert run(repository, *words) == code


def test_a_tag_that_names_no_version_is_one_line(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-base/vnext")
    assert run(repository, "plan") == 65
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: tag rookery-base/vnext: names no version")
    assert captured.err.count("\n") == 1


def test_a_folder_that_is_no_repository_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "plan") == 69
    assert capsys.readouterr().err.count("\n") == 1


def test_a_full_disk_is_one_line(repository: Path) -> None:
    with (
        open("/dev/full", "w") as full,
        start_module(
            "rookery.release", "--root", str(repository), "plan", stdout=full
        ) as child,
    ):
        assert child.wait() == 74
        assert child.stderr == (
            "error: the output: No space left on device; make room and run this again\n"
        )


def test_a_version_is_printed(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tag(repository, "rookery-base/v1.0.0")
    assert run(repository, "version", "rookery-base") == 0
    assert run(repository, "version", "rookery-top") == 0
    monkeypatch.setenv("ROOKERY_VERSIONS", '{"rookery-top": "7.0"}')
    assert run(repository, "version", "rookery-top") == 0
    assert capsys.readouterr().out == "1.0.0\n0.0.1.dev2\n7.0\n"
    monkeypatch.setenv("ROOKERY_VERSIONS", "7.0")
    assert run(repository, "version", "rookery-top") == 78


def test_notes_list_the_commits_of_a_package_since_its_last_tag(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(repository, "notes", "rookery-base") == 0
    *_, line = capsys.readouterr().out.splitlines()
    assert line.endswith("Begin with the base")
    tag(repository, "rookery-base/v1.0.0")
    commit(repository, "lib/base/base.py", "1", "Count from one")
    commit(repository, "docs.md", "", "Write about it")
    tag(repository, "rookery-base/v1.1.0")
    assert run(repository, "notes", "rookery-base") == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert title == "rookery-base 1.1.0, since rookery-base/v1.0.0:"
    assert [line.split(" ", 2)[2] for line in lines] == ["Count from one"]
    assert run(repository, "notes", "rookery-none") == 65


def test_what_was_packaged_is_compared_with_the_versions(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-base/v1.0.0", "rookery-top/v2.0.0")
    assert run(repository, "check", str(repository / "wheels")) == 0
    assert capsys.readouterr().out.endswith("2 files right, 0 problems\n")
    wheel(repository / "dist", "rookery-top", "2.0.1", ["rookery-base==0.9"])
    wheel(repository / "dist" / "unversioned", "rookery-top", "0")
    assert run(repository, "check", str(repository / "dist")) == 65
    captured = capsys.readouterr()
    assert "is version 2.0.1, and should be 2.0.0" in captured.err
    assert "requires rookery-base==0.9, and should 1.0.0" in captured.err
    assert captured.out == "0 files right, 2 problems\n"
    assert run(repository, "check", str(repository / "lib")) == 65


def test_what_is_published_can_be_installed_and_used(
    repository: Path, index: PackageIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    tag(repository, "rookery-base/v1.0.0", "rookery-top/v2.0.0")
    assert run(repository, "publish") == 0
    assert run(repository, "verify") == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last == "verified: rookery-base 1.0.0, rookery-top 2.0.0"


def test_nothing_released_is_nothing_to_verify(
    repository: Path, index: PackageIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(repository, "verify") == 65
    assert "no wheel of this commit is released" in capsys.readouterr().err


def test_what_cannot_be_installed_is_said_in_one_line(tmp_path: Path) -> None:
    program = "import sys; sys.exit('Looking\\nERROR: No matching distribution\\nBye')"
    with pytest.raises(RefusedError) as caught:
        run_program([sys.executable, "-c", program], tmp_path)
    assert str(caught.value) == "verification failed: ERROR: No matching distribution"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_and_has_help(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"tools/release -- {command}" in README.read_text("utf-8")
    assert main([command, "--help"]) == 0
    assert f"release {command}" in capsys.readouterr().out


def test_no_command_is_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = re.findall(r"^    (\w+) ", capsys.readouterr().out, re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)
