import pytest

from rookery.ci import CiError, interpolate
from rookery.ci._emit import escape

VARIABLES = {"BRANCH": "main", "EMPTY": "", "COMMIT": "0123456789abcdef"}


@pytest.mark.parametrize(
    ("text", "uploaded"),
    [
        ("echo $BRANCH", "echo main"),
        ("echo ${BRANCH}", "echo main"),
        ("echo $MISSING.", "echo ."),
        ("${MISSING:-none} ${MISSING-none}", "none none"),
        ("${EMPTY:-none} ${EMPTY-none}", "none "),
        ("${COMMIT:0:7} ${COMMIT:8}", "0123456 89abcdef"),
        ("$$BRANCH \\$BRANCH $${BRANCH}", "$BRANCH $BRANCH ${BRANCH}"),
        ("${BRANCH:?needed}", "main"),
        ("price: 5 $", "price: 5 $"),
        ("$(date)", "$(date)"),
    ],
)
def test_variables_are_replaced_as_the_upload_does(text: str, uploaded: str) -> None:
    assert interpolate(text, VARIABLES) == uploaded


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("${MISSING?is needed}", r"\$MISSING: is needed"),
        ("${EMPTY:?}", r"\$EMPTY: not set"),
        ("${a b}", "is no variable"),
    ],
)
def test_what_cannot_be_replaced_is_told(text: str, says: str) -> None:
    with pytest.raises(CiError, match=says):
        interpolate(text, VARIABLES)


@pytest.mark.parametrize(
    "text", ["$BRANCH ${BRANCH:-x} $? $$ \\$BRANCH", "no dollar", "'$(cat x)'"]
)
def test_an_escaped_text_comes_out_as_it_was(text: str) -> None:
    assert interpolate(escape(text), VARIABLES) == text
