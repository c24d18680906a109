import pytest

from rookery.ci import CiError, condition_variables, holds

BUILD = {"build.tag": None, "build.branch": "main"}


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        ("build.tag != null", False),
        ("build.tag == null", True),
        ('build.branch == "main"', True),
        ("build.branch == 'other'", False),
        ('build.tag != null || build.branch == "main"', True),
        ('build.tag == null && build.branch != "main"', False),
        ('!(build.tag != null) && build.branch == "main"', True),
        ('build.branch == "a" || build.branch == "b" && build.tag == null', False),
        ('build.tag == null || build.branch == "b" && build.tag != null', True),
    ],
)
def test_conditions_are_evaluated(condition: str, result: bool) -> None:
    assert holds(condition, BUILD) is result


@pytest.mark.parametrize(
    "condition",
    ["", "build.tag", "build.tag =~ /v/", "build.tag != null)", "(build.tag == null",
     "build.message == null", "build.tag == null build.tag == null"],
)  # fmt: skip
def test_what_is_not_understood_is_told_with_what_is(condition: str) -> None:
    with pytest.raises(CiError, match=r"only ==, !=.*build\.branch, build\.tag"):
        holds(condition, BUILD)


def test_what_buildkite_does_not_set_is_null() -> None:
    variables = condition_variables({"BUILDKITE_TAG": "", "BUILDKITE_BRANCH": "main"})
    assert holds('build.tag == null && build.branch == "main"', variables)
    assert holds("build.pull_request.id == null", variables)
