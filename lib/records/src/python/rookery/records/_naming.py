"""Which of a file's columns is which of ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rookery.records._errors import SchemaError
from rookery.records._schemas import POST

SNOWFLAKE = "snowflake"
NEEDED = ("id", "text", "created_at")
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
            how_often = "no" if theirs not in names else "more than one"
            raise SchemaError(_said(how_often, ours, theirs, names))
        found[ours] = names.index(theirs)
    return found


def _said(how_often: str, ours: str, theirs: str, names: Sequence[str]) -> str:
    there = ", ".join(map(repr, names)) or "nothing"
    return f"there is {how_often} column {theirs!r} for {ours}; there is {there}"


def require_needed(
    found: Collection[str],
    given: Sequence[str],
    columns: Mapping[str, str] | None,
    time: str | None,
) -> None:
    """Refuses a file without a column that every post must have.

    Args:
        found: Our names of the columns that are there.
        given: Names in the file.
        columns: Our name to theirs.
        time: Their name of `created_at`, or `snowflake`.

    Raises:
        SchemaError: If there is no such column.
    """
    names = [name.strip() for name in given]
    for ours in NEEDED:
        if ours not in found and not (ours == "created_at" and time == SNOWFLAKE):
            raise SchemaError(_said("no", ours, (columns or {}).get(ours, ours), names))


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
