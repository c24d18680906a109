"""What became of a rule set: the entries of the audit trail, and how they are written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from rookery.matching._errors import MatchingError
from rookery.matching._store._listing import Listed, Listing

MAX_BY: Final = 100
MAX_NOTE: Final = 500
# An entry travels in a header of at most 64 KB. What does not fit is counted; it can
# still be seen by comparing the two versions.
_MAX_DETAILS: Final = 40_000
_MAX_TEXT: Final = 1_000
_ELLIPSIS: Final = "…"


class Action(StrEnum):
    """What was done, with a rule or with all."""

    ADDED = "added"
    CHANGED = "changed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    REMOVED = "removed"
    PUT = "put"
    RESTORED = "restored"


@dataclass(frozen=True)
class RuleChange:
    """What became of one rule.

    Attributes:
        id: Its name.
        action: What was done with it.
        before: The rule as it was, as a line of a rule file; None if it is new.
        after: The rule as it is; None if it was removed.
    """

    id: str
    action: Action
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Signature:
    """Who changes rules, and why.

    Attributes:
        by: Who; empty where nobody has said. At most 100 characters.
        note: Why; at most 500 characters.
    """

    by: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Checks the lengths."""
        for what, text, most in (
            ("who changes rules", self.by, MAX_BY),
            ("the note", self.note, MAX_NOTE),
        ):
            if len(text) > most:
                raise MatchingError(
                    f"{what} has {len(text):,} characters, at most {most} are kept"
                )


@dataclass(frozen=True)
class Entry:
    """One change of the rules in force.

    Attributes:
        revision: Its place among all changes; it rises.
        at: When the server stored it, UTC.
        by: Who has done it; empty where nobody has said.
        note: Why.
        action: What was done.
        before: The version before; None where there was none.
        version: The version from then on.
        rules: How many rules that were; None where an older release has written it.
        counts: How many rules each thing was done with.
        changes: What became of single rules, as far as it is kept; long texts end
            with an ellipsis.
        omitted: How many more there were.
        token: Names this change, in the hand of its writer.
    """

    revision: int
    at: datetime
    by: str
    note: str
    action: Action
    before: str | None
    version: str
    rules: int | None = None
    counts: Mapping[Action, int] | None = None
    changes: tuple[RuleChange, ...] = ()
    omitted: int = 0
    token: str = ""


def compare(before: Listing, after: Listing) -> list[RuleChange]:
    """Says what became of each rule.

    Args:
        before: The rules as they were.
        after: The rules as they are.

    Returns:
        The rules that differ: those that are gone, then the others in their order.
    """
    return list(_compare(before.rules, after.rules))


def _compare(
    before: Mapping[str, Listed], after: Mapping[str, Listed]
) -> Iterator[RuleChange]:
    for name, old in before.items():
        if name not in after:
            yield RuleChange(name, Action.REMOVED, old.line, None)
    for name, new in after.items():
        former = before.get(name)
        if former is None:
            yield RuleChange(name, Action.ADDED, None, new.line)
        elif former[:4] != new[:4]:
            yield RuleChange(name, _action(former, new), former.line, new.line)


def _action(old: Listed, new: Listed) -> Action:
    if old[:3] != new[:3]:
        return Action.CHANGED
    return Action.ENABLED if new.enabled else Action.DISABLED


def write_entry(
    changes: Sequence[RuleChange],
    *,
    action: Action,
    before: str | None,
    rules: int,
    signature: Signature,
    token: str,
) -> str:
    """Writes an entry of the audit trail, but for what the server adds to it.

    Args:
        changes: What became of each rule.
        action: What was done.
        before: The version before.
        rules: How many rules there are from now on.
        signature: Who does it, and why.
        token: Names this change.

    Returns:
        JSON in ASCII, at most 60,000 bytes.
    """
    kept: list[list[str | None]] = []
    left = _MAX_DETAILS
    for change in changes:
        row = [change.action.value, change.id, change.before, change.after]
        size = len(json.dumps(row))
        if size > left and not kept:
            row = [row[0], *map(_cut, row[1:])]
            size = len(json.dumps(row))
        if size > left:
            break
        left -= size + 2
        kept.append(row)
    counts = Counter(change.action.value for change in changes)
    return json.dumps(
        {
            "token": token,
            "action": action.value,
            "by": signature.by,
            "note": signature.note,
            "before": before,
            "rules": rules,
            "counts": counts,
            "changes": kept,
            "omitted": len(changes) - len(kept),
        }
    )


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= _MAX_TEXT:
        return text
    return text[: _MAX_TEXT - 1] + _ELLIPSIS


def read_entry(
    text: str | None, *, revision: int, at: datetime, version: str, before: str | None
) -> Entry:
    """Reads an entry of the audit trail.

    Args:
        text: What was written; None where an older release has put rules in force.
        revision: The revision of the pointer.
        at: When it was stored.
        version: The version it names.
        before: The version named before, as far as that is known.

    Returns:
        The entry. What cannot be read is as if it had not been written: the change
        itself is beyond doubt.
    """
    try:
        found: dict[str, Any] = json.loads(text or "{}")
        return Entry(
            revision=revision,
            at=at,
            by=str(found.get("by", "")),
            note=str(found.get("note", "")),
            action=Action(found.get("action", Action.PUT)),
            before=found.get("before", before),
            version=version,
            rules=found.get("rules"),
            counts=(
                {Action(key): int(n) for key, n in found["counts"].items()}
                if "counts" in found
                else None
            ),
            changes=tuple(
                RuleChange(name, Action(action), old, new)
                for action, name, old, new in found.get("changes", ())
            ),
            omitted=int(found.get("omitted", 0)),
            token=str(found.get("token", "")),
        )
    except (ValueError, TypeError, AttributeError):
        return Entry(revision, at, "", "", Action.PUT, before, version)
