"""Which of a file's columns is which of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rookery.records._errors import SchemaError
from rookery.records._schemas import POST

SNOWFLAKE = "snowflake"
_SET_HERE = ("source", "ingested_at", "time_suspect")


def columns_wanted(
    given: Sequence[str], columns: Mapping[str, str] | None, time: str | None
) -> dict[str, int]:
    """Finds our columns among those of a file.

    Args:
        given: Names in the file; white space around them does not count.
        columns: Our name to theirs; what is not here goes by our name.
        time: Their name of `created_at`; `snowflake` where it is in the id.

    Returns:
        Our name to the index of their column, for all that are there.

    Raises:
        SchemaError: If a column of ours does not exist, or the file lacks one that was
            named, or has two of that name.
    """
    names = [name.strip() for name in given]
    asked = {ours: theirs.strip() for ours, theirs in (columns or {}).items()}
    for ours in asked:
        if ours not in POST.names:
            known = ", ".join(POST.names)
            raise SchemaError(f"a post has no column {ours!r}; it has {known}")
    if time is not None and time != SNOWFLAKE:
        asked["created_at"] = time.strip()
    elif time == SNOWFLAKE:
        asked.pop("created_at", None)
    taken = set(asked.values())
    found: dict[str, int] = {}
    for ours in POST.names:
        theirs = asked.get(ours, ours)
        if ours in _SET_HERE or (ours == "created_at" and time == SNOWFLAKE):
            continue
        if ours not in asked and (theirs not in names or theirs in taken):
            continue
        if names.count(theirs) != 1:
            there = ", ".join(map(repr, names)) or "nothing"
            how_often = "no" if theirs not in names else "more than one"
            raise SchemaError(
                f"there is {how_often} column {theirs!r} for {ours}; there is {there}"
            )
        found[ours] = names.index(theirs)
    return found


def reason_of(reason: str, time: str | None) -> str:
    """Says of a post without a time what is wrong with the id it should come from.

    Args:
        reason: Why a row is no post.
        time: As for `columns_wanted`.

    Returns:
        The reason in terms of the columns of the file.
    """
    if time == SNOWFLAKE and reason.startswith("created_at: is missing"):
        return "id: is not a snowflake, so it holds no time"
    return reason
