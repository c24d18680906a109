from collections.abc import Callable, Collection

import pytest

from rookery.release import (
    Catalog,
    Change,
    Commit,
    Package,
    Plan,
    RefusedError,
    Request,
    changed_inputs,
    make_plan,
    notes,
    read_changes,
    read_commits,
)
from rookery.versions import History, Tag, TagError

HEAD, OLD = "a" * 40, "b" * 40
TEXT = Package(
    "rookery-text",
    "wheel",
    "lib/text:dist",
    frozenset({"lib/text/words.py", "lib/text/BUILD", "tools/macros.py"}),
    frozenset({"lib/text"}),
)
LAKE = Package(
    "rookery-lake",
    "wheel",
    "lib/lake:dist",
    frozenset({"lib/lake/blocks.py", "lib/lake/BUILD", "lib/text/words.py"}),
    frozenset({"lib/lake", "lib/text"}),
    requires=("rookery-text",),
)
INGEST = Package(
    "rookery-ingest",
    "image",
    "dockerfiles/stream:ingest",
    frozenset({"dockerfiles/stream/Dockerfile"}),
    frozenset({"dockerfiles/stream"}),
    repository="rookery/ingest",
)
CATALOG = Catalog(
    (TEXT, LAKE, INGEST),
    frozenset({"rookery-match"}),
    frozenset({"lib/text", "lib/text/test", "lib/lake", "dockerfiles/stream"}),
)


def plan(
    *tags: Tag,
    changes: Collection[Change] = (),
    published: Callable[[Package, str], bool | None] = lambda *_: False,
    request: Request | None = None,
    changed: tuple[str, ...] = (),
) -> Plan:
    history = History(HEAD, 1_795_273_200, 120, tags, changed)
    return make_plan(
        CATALOG, history, lambda _: changes, published, request or Request()
    )


def here(name: str) -> Tag:
    return Tag(name, HEAD, 0)


def before(name: str, distance: int = 12) -> Tag:
    return Tag(name, OLD, distance)


def rows(plan: Plan) -> dict[str, tuple[str, str, str]]:
    return {
        entry.package.name: (entry.version, entry.action, entry.reason)
        for entry in plan.entries
    }


def test_what_is_tagged_is_published_and_nothing_else() -> None:
    found = plan(here("rookery-text/v1.4.2"))
    assert rows(found) == {
        "rookery-text": ("1.4.2", "publish", "tagged rookery-text/v1.4.2"),
        "rookery-lake": (
            "0.0.1.dev120",
            "skip",
            "development build: no tag rookery-lake/v… yet",
        ),
        "rookery-ingest": (
            "0.0.1.dev120",
            "skip",
            "development build: no tag rookery-ingest/v… yet",
        ),
    }
    assert found.refusals == ()
    assert [entry.package.name for entry in found.wanted] == ["rookery-text"]


def test_what_changed_since_its_tag_is_a_development_build() -> None:
    found = plan(before("rookery-text/v1.4.1"), changes=[Change("lib/text/words.py")])
    assert rows(found)["rookery-text"] == (
        "1.4.2.dev12",
        "skip",
        "development build: 12 commits since rookery-text/v1.4.1, 1 input changed",
    )


def test_what_did_not_change_keeps_the_version_of_its_tag() -> None:
    found = plan(
        before("rookery-text/v1.4.1"),
        here("rookery-lake/v2.0.0"),
        changes=[Change("docs/index.md")],
        published=lambda package, version: version == "1.4.1",
    )
    assert rows(found)["rookery-text"] == (
        "1.4.1",
        "skip",
        "unchanged since rookery-text/v1.4.1",
    )
    # So what requires it can be released alone, and pins the version that is there.
    assert found.refusals == ()
    assert found.versions["rookery-text"] == "1.4.1"


def test_a_wheel_whose_pin_is_not_published_is_refused() -> None:
    found = plan(
        before("rookery-text/v1.4.1"),
        here("rookery-lake/v2.0.0"),
        changes=[Change("lib/text/words.py")],
    )
    assert found.refusals == (
        "rookery-lake 2.0.0 requires rookery-text 1.4.2.dev12, which is neither "
        "published nor part of this release (development build: 12 commits since "
        "rookery-text/v1.4.1, 1 input changed): tag rookery-text on this commit too, or "
        "publish it with --dev",
    )


def test_tagging_both_releases_both_in_order() -> None:
    found = plan(here("rookery-lake/v2.0.0"), here("rookery-text/v1.4.2"))
    assert found.refusals == ()
    assert [entry.package.name for entry in found.wanted] == [
        "rookery-text",
        "rookery-lake",
    ]


def test_a_version_that_exists_is_built_to_be_compared() -> None:
    found = plan(here("rookery-text/v1.4.2"), published=lambda *_: True)
    assert rows(found)["rookery-text"] == (
        "1.4.2",
        "compare",
        "tagged rookery-text/v1.4.2; exists already, so its content is compared",
    )


def test_development_versions_are_published_when_asked_for() -> None:
    found = plan(before("rookery-text/v1.4.1"), request=Request(development=True))
    assert rows(found) == {
        "rookery-text": ("1.4.1", "skip", "unchanged since rookery-text/v1.4.1"),
        "rookery-lake": (
            "0.0.1.dev120",
            "publish",
            "development build: no tag rookery-lake/v… yet",
        ),
        "rookery-ingest": (
            "0.0.1.dev120",
            "publish",
            "development build: no tag rookery-ingest/v… yet",
        ),
    }
    # What it pins is unchanged, but was never published.
    assert len(found.refusals) == 1


def test_packages_that_are_not_asked_for_are_left_out() -> None:
    found = plan(
        here("rookery-text/v1.4.2"),
        here("rookery-ingest/v1.0.0"),
        request=Request(packages=frozenset({"rookery-ingest"})),
    )
    assert rows(found)["rookery-text"] == (
        "1.4.2",
        "skip",
        "not asked for; tagged rookery-text/v1.4.2",
    )
    assert [entry.package.name for entry in found.wanted] == ["rookery-ingest"]


def test_without_an_index_a_pin_is_taken_to_be_published() -> None:
    found = plan(
        here("rookery-lake/v2.0.0"),
        before("rookery-text/v1.4.1"),
        published=lambda *_: None,
    )
    assert found.refusals == ()


def test_an_unclean_tree_is_refused_with_its_files() -> None:
    found = plan(here("rookery-text/v1.4.2"), changed=("a", "b", "c", "d", "e"))
    assert found.refusals == (
        "the work tree is not what the commit says (a, b, c and 2 more): commit or "
        "remove what differs",
    )
    assert rows(found)["rookery-text"][0] == "1.4.2+dirty"


def test_a_tag_of_a_package_that_does_not_exist_is_refused() -> None:
    found = plan(here("rookery-txet/v1.4.2"), here("rookery-match/v1.0.0"))
    assert found.refusals == (
        "tag rookery-txet/v1.4.2: there is no package rookery-txet; there are "
        "rookery-ingest, rookery-lake, rookery-match, rookery-text; remove it: "
        "git tag -d rookery-txet/v1.4.2",
    )


def test_a_tag_that_names_no_version_is_refused() -> None:
    with pytest.raises(TagError, match="tag rookery-text/vnext: names no version"):
        plan(here("rookery-text/vnext"))


def test_a_package_that_does_not_exist_is_named() -> None:
    with pytest.raises(RefusedError) as caught:
        plan(request=Request(packages=frozenset({"rookery-tex"})))
    assert str(caught.value) == (
        "rookery-tex: no such package; there are rookery-ingest, rookery-lake, "
        "rookery-text"
    )


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        pytest.param(Change("lib/text/words.py"), True, id="an input"),
        pytest.param(Change("lib/text/README.md"), False, id="no input"),
        pytest.param(Change("lib/text/gone.py", removed=True), True, id="removed"),
        pytest.param(
            Change("lib/text/deep/gone.py", removed=True), True, id="removed, below"
        ),
        pytest.param(
            Change("lib/text/test/gone.py", removed=True),
            False,
            id="removed, but of another BUILD file",
        ),
        pytest.param(Change("lib/gone.py", removed=True), False, id="of no BUILD file"),
    ],
)
def test_which_changes_make_another_package(change: Change, counts: bool) -> None:
    assert bool(changed_inputs(TEXT, [change], CATALOG.folders)) == counts


def test_changes_are_read() -> None:
    text = "M\0lib/a b.py\0D\0gone.py\0A\0new.py\0"
    assert read_changes(text) == [
        Change("lib/a b.py"),
        Change("gone.py", removed=True),
        Change("new.py"),
    ]
    assert read_changes("") == []


def test_notes_are_the_commits_that_touched_an_input() -> None:
    text = (
        "\x01abc1234 Find words faster\0\nlib/text/words.py\0docs/a.md\0"
        "\x01def5678 Explain: why\0\ndocs/a.md\0\x010123456 Say nothing\0"
    )
    commits = read_commits(text)
    assert commits == [
        Commit("abc1234", "Find words faster", ("lib/text/words.py", "docs/a.md")),
        Commit("def5678", "Explain: why", ("docs/a.md",)),
        Commit("0123456", "Say nothing", ()),
    ]
    assert notes(TEXT, commits) == ["abc1234 Find words faster"]
