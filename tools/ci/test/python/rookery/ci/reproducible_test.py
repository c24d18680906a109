import zipfile
from pathlib import Path

import pytest

from rookery.ci import compare

WHEN = (2026, 1, 1, 0, 0, 0)


def write(
    path: Path,
    *members: tuple[str, str],
    when: tuple[int, int, int, int, int, int] = WHEN,
    mode: int = 0o644,
    packing: int = zipfile.ZIP_STORED,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members:
            info = zipfile.ZipInfo(name, when)
            info.external_attr = mode << 16
            info.compress_type = packing
            archive.writestr(info, text)


A = ("a.py", "1")
B = ("b.py", "2")


def test_builds_that_are_the_same_are_told_by_their_digests(tmp_path: Path) -> None:
    for build in ("first", "second"):
        write(tmp_path / build / "a-1.0-py3-none-any.whl", A, B)
        write(tmp_path / build / "projects.a" / "a.pex", B)
    found = compare(tmp_path / "first", tmp_path / "second")
    assert found.problems == ()
    assert list(found.same) == ["a-1.0-py3-none-any.whl", "projects.a/a.pex"]
    assert all(len(digest) == 64 for digest in found.same.values())


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (((A, ("b.py", "3")), {}), "b.py: other content"),
        (((A,), {}), "b.py is only in the first"),
        (((A, B, ("c.py", "")), {}), "c.py is only in the second"),
        (((A, B), {"when": (2027, 1, 1, 0, 0, 0)}), "a.py: other time; b.py: other t"),
        (((A, B), {"mode": 0o755}), "a.py: other permissions"),
        (((A, B), {"packing": zipfile.ZIP_DEFLATED}), "a.py: packed otherwise"),
        (((B, A), {}), "the order of the members"),
    ],
)
def test_a_difference_names_the_file_and_its_members(
    tmp_path: Path, other: tuple[tuple[tuple[str, str], ...], dict[str, int]], says: str
) -> None:
    write(tmp_path / "first" / "x.pex", A, B)
    members, options = other
    write(tmp_path / "second" / "x.pex", *members, **options)  # type: ignore[arg-type]
    (problem,) = compare(tmp_path / "first", tmp_path / "second").problems
    assert problem.startswith("x.pex differs: ")
    assert says in problem


def test_what_lies_before_the_members_counts(tmp_path: Path) -> None:
    for build, prefix in (("first", b"#!one\n"), ("second", b"#!two\n")):
        path = tmp_path / build / "x.pex"
        write(path, A)
        path.write_bytes(prefix + path.read_bytes())
    (problem,) = compare(tmp_path / "first", tmp_path / "second").problems
    assert "the same members" in problem


def test_a_long_list_of_members_is_cut(tmp_path: Path) -> None:
    for build in ("first", "second"):
        members = [(f"{number:02}.py", build) for number in range(30)]
        write(tmp_path / build / "x.whl", *members)
    (problem,) = compare(tmp_path / "first", tmp_path / "second").problems
    assert problem.count("other content") == 10
    assert problem.endswith("; ...")


def test_a_file_that_only_one_build_made_is_told(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write(first / "a.whl", A)
    write(second / "b.whl", A)
    assert compare(first, second).problems == (
        f"a.whl is only in {first}",
        f"b.whl is only in {second}",
    )


def test_what_other_steps_left_below_dist_is_no_package(tmp_path: Path) -> None:
    for build in ("first", "second"):
        write(tmp_path / build / "a.whl", A)
    write(tmp_path / "first" / "ci" / "artifacts" / "0001" / "old.whl", A)
    write(tmp_path / "first" / "reproducible" / "second" / "a.whl", A)
    assert compare(tmp_path / "first", tmp_path / "second").problems == ()


def test_two_builds_of_nothing_are_not_the_same(tmp_path: Path) -> None:
    assert "hold no wheel" in compare(tmp_path / "a", tmp_path / "b").problems[0]


def test_files_that_are_no_archives_differ_without_members(tmp_path: Path) -> None:
    for build in ("first", "second"):
        (tmp_path / build).mkdir()
        (tmp_path / build / "x.whl").write_text(build)
    (problem,) = compare(tmp_path / "first", tmp_path / "second").problems
    assert "not an archive" in problem
