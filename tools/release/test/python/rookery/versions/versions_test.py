import json
from collections.abc import Sequence

import pytest

from rookery.versions import (
    History,
    Tag,
    TagError,
    Version,
    VersionsSettingError,
    build_stamp,
    package_tags,
    package_version,
    read_changed,
    read_head,
    read_tags,
    read_versions,
    rfc3339,
    tag_name,
    tag_version,
)

HEAD = "a" * 40
OLD = "b" * 40
OLDER = "c" * 40


def history(tags: Sequence[Tag] = (), changed: Sequence[str] = ()) -> History:
    return History(HEAD, 1_795_273_200, 120, tuple(tags), tuple(changed))


def here(name: str) -> Tag:
    return Tag(name, HEAD, 0)


def before(name: str, commits: int) -> Tag:
    return Tag(name, OLD, commits)


@pytest.mark.parametrize(
    ("tags", "changed", "version"),
    [
        pytest.param([], [], "0.0.1.dev120", id="no tag yet"),
        pytest.param([], ["x"], "0.0.1.dev120+dirty", id="no tag, unclean"),
        pytest.param([here("rookery-text/v1.4.2")], [], "1.4.2", id="tagged"),
        pytest.param(
            [here("rookery-text/v1.4.2")], ["x"], "1.4.2+dirty", id="tagged, unclean"
        ),
        pytest.param(
            [before("rookery-text/v1.4.2", 12)], [], "1.4.3.dev12", id="later"
        ),
        pytest.param(
            [before("rookery-text/v1.4.2", 12)],
            ["x"],
            "1.4.3.dev12+dirty",
            id="later, unclean",
        ),
        pytest.param(
            [Tag("rookery-text/v1.4.9", OLDER, 30), before("rookery-text/v1.4.10", 3)],
            [],
            "1.4.11.dev3",
            id="the highest version counts, as numbers",
        ),
        pytest.param(
            [here("rookery-text/v1.5.0rc1"), here("rookery-text/v1.5.0")],
            [],
            "1.5.0",
            id="of two on one commit the higher",
        ),
        pytest.param(
            [before("rookery-text/v2.0.0", 5), here("rookery-text/v1.4.3")],
            [],
            "1.4.3",
            id="the tag on the commit counts before a higher one",
        ),
        pytest.param(
            [before("rookery-text-native/v3.0.0", 5), before("rookery-lake/v2.0.0", 5)],
            [],
            "0.0.1.dev120",
            id="tags of other packages do not count",
        ),
        pytest.param(
            [before("rookery-text/v1.4.2-rc.1", 2)],
            [],
            "1.4.2rc2.dev2",
            id="another spelling",
        ),
        pytest.param(
            [before("v9", 1), before("nightly", 1)],
            [],
            "0.0.1.dev120",
            id="tags of no package do not count",
        ),
    ],
)
def test_the_version_of_a_package(
    tags: list[Tag], changed: list[str], version: str
) -> None:
    found = package_version("rookery-text", history(tags, changed))
    assert str(found.version) == version
    assert found.released == (version in {"1.4.2", "1.5.0", "1.4.3"})


def test_a_version_says_which_tag_it_comes_from() -> None:
    tag = before("rookery-text/v1.4.2", 12)
    found = package_version("rookery-text", history([tag]))
    assert (found.tag, found.distance) == (tag, 12)
    assert package_version("rookery-lake", history([tag])).tag is None


@pytest.mark.parametrize(
    "tag",
    [
        "rookery-text/1.4.2",
        "rookery-text/v",
        "rookery-text/vnext",
        "rookery-text/v1.4.x",
        "rookery-text/release-1",
    ],
)
def test_a_tag_that_names_no_version_is_refused(tag: str) -> None:
    with pytest.raises(TagError) as caught:
        package_version("rookery-text", history([before(tag, 1)]))
    assert str(caught.value) == (
        f"tag {tag}: names no version of rookery-text: a tag of this package looks like "
        "rookery-text/v1.4.2 or rookery-text/v1.5.0rc1; "
        f"remove it: git tag -d {tag}"
    )
    assert caught.value.exit_code == 65


@pytest.mark.parametrize("version", ["1.4.3.dev1", "1.4.2+local"])
def test_a_tag_cannot_name_a_development_version(version: str) -> None:
    with pytest.raises(TagError, match="is a development version of rookery-text"):
        tag_version("rookery-text", f"rookery-text/v{version}")


def test_a_wrong_tag_of_another_package_harms_nobody_else() -> None:
    tags = [here("rookery-lake/vnext"), here("rookery-text/v1.0.0")]
    assert package_tags("rookery-text", tags) == [(Version.parse("1.0.0"), tags[1])]


def test_a_tag_name_reads_back() -> None:
    version = Version.parse("1.5.0rc1")
    tag = tag_name("rookery-text", version)
    assert tag == "rookery-text/v1.5.0rc1"
    assert tag_version("rookery-text", tag) == version


def test_the_variable_sets_versions_in_their_normal_form() -> None:
    text = '{"rookery-text": "v1.4.2-RC1", "rookery-lake": "2"}'
    assert read_versions(text) == {"rookery-text": "1.4.2rc1", "rookery-lake": "2"}
    assert read_versions("") == read_versions(" ") == read_versions("{}") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1.4.2", "is no JSON"),
        ("{", "is no JSON"),
        ('["rookery-text"]', "is no JSON object"),
        ('{"rookery-text": "next"}', "rookery-text: 'next' is no version"),
        ('{"rookery-text": 1.4}', "rookery-text: 1.4 is no version"),
        ('{"rookery-text": null}', "rookery-text: None is no version"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(text: str, says: str) -> None:
    with pytest.raises(VersionsSettingError) as caught:
        read_versions(text)
    assert says in str(caught.value)
    assert "ROOKERY_VERSIONS looks like" in str(caught.value)
    assert caught.value.exit_code == 78


def test_a_stamp_says_package_version_commit_and_time() -> None:
    assert json.loads(build_stamp("rookery-ingest", "1.4.2", history())) == {
        "package": "rookery-ingest",
        "version": "1.4.2",
        "commit": HEAD,
        "built": "2026-11-21T15:00:00Z",
    }


def test_a_stamp_without_a_repository_says_so() -> None:
    stamp = json.loads(build_stamp("rookery-ingest", "0+source", None))
    assert stamp["commit"] is None
    assert stamp["built"] is None


def test_times_are_written_in_utc() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00Z"


def test_the_head_is_read() -> None:
    assert read_head(f"{HEAD} 1795273200\n") == (HEAD, 1_795_273_200)


def test_a_tag_names_its_commit_whether_it_is_an_object_or_not() -> None:
    text = f"{HEAD}  rookery-text/v1\n{OLDER} {OLD} rookery-lake/v2\n"
    assert read_tags(text) == [
        Tag("rookery-text/v1", HEAD),
        Tag("rookery-lake/v2", OLD),
    ]


def test_changed_files_are_read_with_both_names_of_a_moved_one() -> None:
    text = " M lib/a b.py\0?? new/\0R  to.py\0from.py\0D  gone.py\0"
    assert read_changed(text) == ("from.py", "gone.py", "lib/a b.py", "new/", "to.py")
    assert read_changed("") == ()
