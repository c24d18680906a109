import subprocess  # nosec B404
from pathlib import Path

import pytest

from rookery.versions import (
    RepositoryError,
    package_version,
    read_history,
)

pytestmark = pytest.mark.integration


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    command = ["git", "-C", str(root), *identity, *words]
    return subprocess.check_output(command, text=True).strip()  # nosec B603


def commit(root: Path, name: str, text: str = "") -> str:
    (root / name).write_text(text, "utf-8")
    git(root, "add", name)
    git(root, "commit", "-q", "-m", f"Change {name}")
    return git(root, "rev-parse", "HEAD")


def version(root: Path) -> str:
    return str(package_version("rookery-text", read_history(root)).version)


@pytest.fixture(name="repository")
def make_repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    commit(root, "first")
    return root


def test_a_history_is_read_as_it_is(repository: Path) -> None:
    git(repository, "tag", "rookery-text/v1.0.0")
    git(repository, "tag", "-m", "Annotated", "rookery-lake/v2.0.0")
    tagged = git(repository, "rev-parse", "HEAD")
    head = commit(repository, "second")
    found = read_history(repository)
    assert (found.commit, found.commits, found.changed) == (head, 2, ())
    assert found.time == int(git(repository, "log", "-1", "--format=%ct"))
    assert {(tag.name, tag.commit, tag.distance) for tag in found.tags} == {
        ("rookery-text/v1.0.0", tagged, 1),
        ("rookery-lake/v2.0.0", tagged, 1),
    }


def test_a_version_follows_tags_commits_and_changes(repository: Path) -> None:
    seen = [version(repository)]
    git(repository, "tag", "rookery-text/v1.4.2")
    seen.append(version(repository))
    commit(repository, "second")
    seen.append(version(repository))
    (repository / "third").write_text("", "utf-8")
    seen.append(version(repository))
    commit(repository, "third")
    seen.append(version(repository))
    (repository / "third").write_text("edited", "utf-8")
    seen.append(version(repository))
    git(repository, "checkout", "-q", "third")
    git(repository, "tag", "-m", "Release", "rookery-text/v1.5.0")
    seen.append(version(repository))
    assert seen == [
        "0.0.1.dev1",
        "1.4.2",
        "1.4.3.dev1",
        "1.4.3.dev1+dirty",
        "1.4.3.dev2",
        "1.4.3.dev2+dirty",
        "1.5.0",
    ]


def test_a_tag_on_another_branch_does_not_count(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "other")
    commit(repository, "second")
    git(repository, "tag", "rookery-text/v9.0.0")
    git(repository, "checkout", "-q", "main")
    assert version(repository) == "0.0.1.dev1"


def test_ignored_files_are_no_change(repository: Path) -> None:
    commit(repository, ".gitignore", "dist/\n")
    (repository / "dist").mkdir()
    (repository / "dist" / "wheel").write_text("", "utf-8")
    assert version(repository) == "0.0.1.dev2"


def test_a_shallow_clone_is_refused_since_it_cannot_count(
    repository: Path, tmp_path: Path
) -> None:
    commit(repository, "second")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", repository.as_uri(), str(shallow))
    with pytest.raises(RepositoryError, match="git fetch --unshallow --tags"):
        read_history(shallow)


def test_a_folder_that_is_no_repository_is_named(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError) as caught:
        read_history(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: git rev-parse: fatal: not a git")
    assert caught.value.exit_code == 69


def test_a_repository_without_a_commit_is_named(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(RepositoryError, match="that has a commit"):
        read_history(tmp_path)


def test_without_git_the_error_says_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RepositoryError, match="install Git"):
        read_history(repository)
