import pytest

from rookery.owners import OwnersTree, Suggestion, suggest

TEXTS = {
    "OWNERS": "root@x.org #{LAST_RESORT_SUGGESTION}",
    "a/OWNERS": "a@x.org\nboth@x.org",
    "b/OWNERS": "b@x.org\nboth@x.org",
    "c/OWNERS": "set noparent\nc@x.org",
    "free/OWNERS": "*",
    "none/OWNERS": "set noparent",
}


def suggested(*paths: str, without: tuple[str, ...] = ()) -> Suggestion:
    return suggest(OwnersTree.from_texts(TEXTS), paths, without=without)


@pytest.mark.parametrize(
    ("paths", "wanted"),
    [
        (["a/f"], ["a@x.org"]),
        (["a/f", "b/f"], ["both@x.org"]),
        (["a/f", "b/f", "c/f"], ["both@x.org", "c@x.org"]),
        (["f"], ["root@x.org"]),
        (["f", "a/f"], ["a@x.org", "root@x.org"]),
        (["free/f"], []),
        ([], []),
    ],
)
def test_the_fewest_owners_are_chosen_and_the_last_resort_last(
    paths: list[str], wanted: list[str]
) -> None:
    assert [reviewer.owner for reviewer in suggested(*paths).reviewers] == wanted


def test_each_reviewer_comes_with_the_files_and_the_lines_that_say_so() -> None:
    (reviewer,) = suggested("a/f", "b/f").reviewers
    assert reviewer.covers == ("a/f", "b/f")
    assert reviewer.because == ("a/OWNERS:2", "b/OWNERS:2")
    assert not reviewer.last_resort


def test_the_author_does_not_review() -> None:
    found = suggested("c/f", "a/f", without=("c@x.org", "a@x.org"))
    assert [reviewer.owner for reviewer in found.reviewers] == ["both@x.org"]
    assert found.uncovered == ("c/f",)


def test_files_for_anyone_and_for_nobody_are_told_apart() -> None:
    found = suggested("free/f", "none/f")
    assert (found.free, found.uncovered) == (("free/f",), ("none/f",))
