from pathlib import Path

import pytest

from rookery.ci import CiError, read_allowed, read_reports
from rookery.ci.__main__ import main

GREEN = '<testcase classname="a" name="one" time="0.5"/>'
RED = '<testcase classname="a" name="two" time="1"><failure message="no"/></testcase>'
BROKEN = '<testcase classname="a" name="three"><error message="no"/></testcase>'
SKIPPED = (
    '<testcase classname="a" name="four"><skipped message="docker: none"/></testcase>'
)


def write_report(folder: Path, name: str, *cases: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(
        f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>", "utf-8"
    )


def write_allowed(folder: Path, *patterns: str) -> Path:
    path = folder / "skips.txt"
    path.write_text("# accepted\n" + "\n".join(patterns) + "\n", "utf-8")
    return path


def test_cases_are_added_up_over_all_files(tmp_path: Path) -> None:
    write_report(tmp_path / "reports", "a.xml", GREEN, RED)
    write_report(tmp_path / "reports", "b.xml", GREEN, BROKEN, SKIPPED)
    summary = read_reports(tmp_path / "reports")
    assert summary.files == 2
    assert summary.passed == 2
    assert summary.failed == ("a::two", "a::three")
    assert summary.skipped == {"docker: none": 1}
    assert summary.seconds == pytest.approx(2.0)
    assert "2 passed, 2 failed" in summary.lines()


def test_a_test_that_stands_in_two_reports_counts_once_as_what_came_of_it(
    tmp_path: Path,
) -> None:
    four = '<testcase classname="a" name="four"/>'
    four_red = '<testcase classname="a" name="four"><failure message="no"/></testcase>'
    for name, first, later in (
        ("run.later.xml", SKIPPED, four),
        ("red.later.xml", SKIPPED, four_red),
        ("still.skipped.xml", SKIPPED, SKIPPED),
        ("green.twice.xml", four, four),
        ("once.red.xml", four_red, four),
    ):
        write_report(tmp_path / "reports", name, first)
        write_report(tmp_path / "containers", name, later)
    summary = read_reports(tmp_path)
    assert summary.files == 5
    assert summary.passed == 2
    assert summary.failed == ("a::four", "a::four")
    assert summary.skipped == {"docker: none": 1}


def test_cases_of_one_name_in_one_report_count_each(tmp_path: Path) -> None:
    write_report(tmp_path, "a.xml", GREEN, GREEN)
    write_report(tmp_path, "b.xml", GREEN)
    assert read_reports(tmp_path).passed == 3


def test_a_skip_is_accepted_only_for_a_reason_on_the_list(tmp_path: Path) -> None:
    write_report(tmp_path / "reports", "a.xml", GREEN, SKIPPED)
    summary = read_reports(tmp_path / "reports")
    assert summary.unexpected_skips(["docker: *"]) == []
    assert summary.unexpected_skips(["chromium: *"]) == ["docker: none"]


@pytest.mark.parametrize(
    ("cases", "patterns", "code"),
    [
        ([GREEN], [], 0),
        ([GREEN, SKIPPED], ["docker: *"], 0),
        ([GREEN, SKIPPED], [], 65),
        ([GREEN, RED], [], 65),
        ([SKIPPED], ["docker: *"], 65),
        ([], [], 65),
    ],
    ids=["green", "allowed skip", "unknown skip", "red", "all skipped", "empty"],
)
def test_the_exit_code_tells_whether_something_was_tested_and_passed(
    tmp_path: Path, cases: list[str], patterns: list[str], code: int
) -> None:
    write_report(tmp_path / "reports", "a.xml", *cases)
    allowed = write_allowed(tmp_path, *patterns)
    reports = str(tmp_path / "reports")
    assert main(["summary", reports, "--allowed", str(allowed)]) == code


def test_no_report_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CiError, match="no JUnit report"):
        read_reports(tmp_path)


def test_a_report_that_is_cut_short_is_named(tmp_path: Path) -> None:
    (tmp_path / "cut.xml").write_text("<testsuites><testsu", "utf-8")
    with pytest.raises(CiError, match="cut.xml: not a JUnit report"):
        read_reports(tmp_path)


def test_comments_and_blank_lines_are_no_patterns(tmp_path: Path) -> None:
    path = tmp_path / "skips.txt"
    path.write_text("# why\n\n docker: * \n", "utf-8")
    assert read_allowed(path) == ["docker: *"]
