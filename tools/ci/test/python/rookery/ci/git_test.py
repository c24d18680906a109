import pytest

from rookery.ci import Change, ConfigurationError, Unavailable, find_change
from rookery.ci.testing import Repository

pytestmark = pytest.mark.integration


@pytest.fixture(name="clone")
def make_clone(repository: Repository) -> Repository:
    """A clone on a branch: one commit, one edit, one new file, one ignored file."""
    repository.write("kept", "1")
    repository.write("moved", "a long line that Git would know again\n")
    repository.commit("Second")
    clone = Repository(repository.root.with_name("clone"), repository.root.as_uri())
    clone.git("checkout", "-q", "-b", "feature")
    return clone


def change(clone: Repository) -> str:
    """Changes the clone in every way and returns the base."""
    base = clone.git("rev-parse", "HEAD")
    clone.git("mv", "moved", "to")
    clone.write("committed")
    clone.commit("Third")
    clone.write("kept", "2")
    clone.write("sub/new file")
    clone.write("dist/ignored")
    return base


CHANGED = ("committed", "kept", "moved", "sub/new file", "to")


def test_a_branch_is_compared_with_where_it_left_main(clone: Repository) -> None:
    base = change(clone)
    assert find_change(clone.root, {}) == Change(
        CHANGED, f"since {base[:12]} (origin/main)"
    )


def test_what_main_got_meanwhile_is_no_change_of_the_branch(
    repository: Repository, clone: Repository
) -> None:
    change(clone)
    repository.write("elsewhere")
    repository.commit("On main")
    clone.git("fetch", "-q")
    assert find_change(clone.root, {}).files == CHANGED


def test_a_pull_request_is_compared_with_the_branch_it_goes_to(
    repository: Repository, clone: Repository
) -> None:
    repository.git("checkout", "-q", "-b", "release/1")
    clone.git("fetch", "-q")
    base = change(clone)
    env = {
        "BUILDKITE_PULL_REQUEST": "7",
        "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "release/1",
    }
    found = find_change(clone.root, env)
    assert found.origin == f"since {base[:12]} (origin/release/1)"
    assert found.files == CHANGED


def test_the_base_can_be_named(clone: Repository) -> None:
    change(clone)
    found = find_change(clone.root, {"ROOKERY_BASE": "HEAD"})
    head = clone.git("rev-parse", "HEAD")
    assert found == Change(("kept", "sub/new file"), f"since {head[:12]} (HEAD)")


@pytest.mark.parametrize(
    ("env", "origin"),
    [
        ({}, "the commit is on origin/main"),
        ({"BUILDKITE_TAG": "rookery-text/v1.0.0"}, "a release checks everything"),
        (
            {
                "BUILDKITE_PULL_REQUEST": "7",
                "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "gone",
            },
            "there is no origin/gone to compare with",
        ),
    ],
)
def test_where_no_base_is_known_everything_counts(
    clone: Repository, env: dict[str, str], origin: str
) -> None:
    assert find_change(clone.root, env) == Change(None, origin)


def test_without_a_remote_everything_counts(repository: Repository) -> None:
    expected = Change(None, "there is no origin/main to compare with")
    assert find_change(repository.root, {}) == expected


def test_in_a_shallow_clone_everything_counts(clone: Repository) -> None:
    folder = clone.root.with_name("shallow")
    shallow = Repository(folder, clone.root.as_uri(), depth=1)
    expected = Change(None, "the clone is shallow, so no base is known")
    assert find_change(shallow.root, {}) == expected


def test_histories_that_share_nothing_are_all_change(clone: Repository) -> None:
    clone.git("checkout", "-q", "--orphan", "alone")
    clone.commit("Alone")
    expected = Change(None, "no commit is shared with origin/main")
    assert find_change(clone.root, {}) == expected


@pytest.mark.parametrize("base", ["nonsense", "--help", "0123456789abcdef"])
def test_a_base_that_does_not_exist_is_a_wrong_configuration(
    clone: Repository, base: str
) -> None:
    with pytest.raises(
        ConfigurationError, match=f"ROOKERY_BASE={base}: no such commit"
    ):
        find_change(clone.root, {"ROOKERY_BASE": base})


def test_a_folder_that_is_no_repository_is_told(repository: Repository) -> None:
    with pytest.raises(Unavailable, match="git rev-parse failed in .*: .*not a git"):
        find_change(repository.root.parent, {})
