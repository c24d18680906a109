import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version as Oracle

from rookery.versions import Version, VersionSyntaxError

NUMBERS = st.integers(0, 30)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Versions in any spelling that PEP 440 allows."""
    separators = st.sampled_from(["", ".", "-", "_"])
    text = draw(st.sampled_from(["", "v", "V"]))
    text += draw(st.sampled_from(["", "", "0!", "2!"]))
    text += ".".join(str(draw(NUMBERS)) for _ in range(draw(st.integers(1, 4))))
    if draw(st.booleans()):
        kinds = ["a", "alpha", "b", "Beta", "rc", "c", "pre", "PREVIEW"]
        text += draw(separators) + draw(st.sampled_from(kinds))
        text += draw(st.sampled_from(["", "0", "1", ".2", "-3", "07"]))
    if draw(st.booleans()):
        posts = ["post", ".post1", "-r2", "rev3", "_POST.4", "-5"]
        text += draw(st.sampled_from(posts))
    if draw(st.booleans()):
        text += draw(st.sampled_from(["dev", ".dev1", "-DEV2", "_dev_3", "dev.04"]))
    if draw(st.booleans()):
        text += draw(st.sampled_from(["+dirty", "+Ubuntu-1", "+1.02_a", "+10", "+9"]))
    return text


@given(texts())
@settings(max_examples=300, deadline=None)
def test_a_version_prints_in_the_normal_form_that_packaging_gives_it(text: str) -> None:
    assert str(Version.parse(text)) == str(Oracle(text))


@given(texts(), texts())
@settings(max_examples=500, deadline=None)
def test_versions_compare_as_packaging_compares_them(left: str, right: str) -> None:
    ours, theirs = Version.parse(left), Version.parse(right)
    assert (ours < theirs) == (Oracle(left) < Oracle(right))
    assert (ours > theirs) == (Oracle(left) > Oracle(right))
    assert (ours == theirs) == (Oracle(left) == Oracle(right))
    if ours == theirs:
        assert hash(ours) == hash(theirs)


@given(st.text("0123456789.!v-_+abcrdevpostx \n", max_size=12))
@settings(max_examples=500, deadline=None)
def test_what_packaging_refuses_is_refused(text: str) -> None:
    try:
        expected = str(Oracle(text))
    except ValueError:
        with pytest.raises(VersionSyntaxError):
            Version.parse(text)
        return
    # packaging lets white space around a version pass; a tag or a variable has none.
    if text == text.strip():
        assert str(Version.parse(text)) == expected


@pytest.mark.parametrize("text", ["", "latest", "1..2", "1.x", "v", "1" * 200, " 1.0"])
def test_a_text_that_is_no_version_is_named(text: str) -> None:
    with pytest.raises(VersionSyntaxError, match="is no version; a version looks like"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("release", "then"),
    [
        ("1.4.2", "1.4.3.dev7"),
        ("1.4", "1.4.1.dev7"),
        ("2", "2.0.1.dev7"),
        ("1.2.3.4", "1.2.3.5.dev7"),
        ("1.5.0rc1", "1.5.0rc2.dev7"),
        ("1.5.0a2", "1.5.0a3.dev7"),
        ("1.4.2.post1", "1.4.2.post2.dev7"),
        ("1.5.0rc1.post2", "1.5.0rc1.post3.dev7"),
        ("1!1.0.0", "1!1.0.1.dev7"),
    ],
)
def test_a_development_version_counts_up_what_a_release_counts_up(
    release: str, then: str
) -> None:
    assert str(Version.parse(release).next_development(7)) == then


RELEASES = st.builds(
    Version,
    release=st.lists(NUMBERS, min_size=3, max_size=3).map(tuple),
    pre=st.none() | st.tuples(st.sampled_from(["a", "b", "rc"]), st.integers(1, 5)),
    post=st.none() | st.integers(1, 5),
)


@given(RELEASES, st.integers(1, 1000), st.integers(1, 1000))
@settings(max_examples=300, deadline=None)
def test_development_versions_sort_above_their_release_and_by_commits(
    release: Version, first: int, second: int
) -> None:
    versions = [release.next_development(number) for number in (first, second)]
    assert all(release < version for version in versions)
    assert (versions[0] < versions[1]) == (first < second)


@given(RELEASES, RELEASES, st.integers(1, 10_000))
@settings(max_examples=500, deadline=None)
def test_development_versions_sort_below_every_later_release(
    left: Version, right: Version, number: int
) -> None:
    # But for a release that only adds to this one what can be added later: 1.4.2.post1
    # comes after 1.4.2, and the commits in between count towards 1.4.3.
    low, high = sorted([left, right])
    if low == high or (low.release, low.pre) == (high.release, high.pre):
        return
    assert low.next_development(number) < high


def test_an_unclean_tree_sorts_right_after_its_commit() -> None:
    texts = ["1.4.2", "1.4.3.dev1", "1.4.3.dev1+dirty", "1.4.3.dev2", "1.4.3"]
    versions = [Version.parse(text) for text in texts]
    assert versions == sorted(versions)
    assert len(set(versions)) == len(texts)


def test_zeros_at_the_end_do_not_count() -> None:
    assert Version.parse("1.0") == Version.parse("1.0.0")
    assert Version.parse("1.0") != "1.0"
