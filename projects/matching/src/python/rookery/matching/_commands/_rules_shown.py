"""Rules, their changes and their differences, as they are written for people."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rookery.matching._errors import MatchingError
from rookery.matching._files._fields import FIELDS
from rookery.matching._files._formats import RuleFormat
from rookery.matching._store._changes import Action, Entry, RuleChange
from rookery.matching._store._listing import Listed, Listing

# Of each change in the history, so many rules are shown.
_SHOWN: Final = 10


def write_rules(listing: Listing, format: RuleFormat) -> str:
    """Writes rules as a file of rules.

    Args:
        listing: The rules.
        format: What to write them in.

    Returns:
        The text of the file. A rule that the format has no way to say is a
        `MatchingError`.
    """
    rules = listing.rules.values()
    match format:
        case RuleFormat.TEXT:
            return str(listing)
        case RuleFormat.JSONL:
            return "".join(
                json.dumps(_fields(rule), ensure_ascii=False) + "\n" for rule in rules
            )
        case RuleFormat.CSV:
            return _csv(rules)
        case RuleFormat.YAML:
            return _yaml(rules)


def _fields(rule: Listed) -> dict[str, Any]:
    fields: dict[str, Any] = {} if rule.id == rule.text else {"id": rule.id}
    fields["rule"] = rule.text
    if rule.tags:
        fields["tags"] = list(rule.tags)
    if not rule.enabled:
        fields["enabled"] = False
    return fields


def _csv(rules: Iterable[Listed]) -> str:
    lines = [_csv_line(FIELDS)]
    for rule in rules:
        for text in (*rule.tags, rule.id):
            # Cells are read without the space around them.
            if text != text.strip() or not text or (";" in text and text in rule.tags):
                raise MatchingError(
                    f"CSV has no way to write {text!r} of the rule {rule.id!r}; "
                    "take another --format"
                )
        name = "" if rule.id == rule.text else rule.id
        enabled = str(rule.enabled).lower()
        lines.append(_csv_line((name, rule.text, ";".join(rule.tags), enabled)))
    return "".join(lines)


def _csv_line(cells: Sequence[str]) -> str:
    # Only what is part of the end of a line is quoted: without the \r, a cell that holds
    # one would not be.
    end = "\r\n"
    line = io.StringIO()
    csv.writer(line, lineterminator=end).writerow(cells)
    return line.getvalue().removesuffix(end) + "\n"


def _yaml(rules: Iterable[Listed]) -> str:
    # Imported here: the other formats do without.
    import yaml

    written = [_fields(rule) for rule in rules]
    plain = [one["rule"] if list(one) == ["rule"] else one for one in written]
    # The one in C is ten times as fast, where it was built.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(
        plain,
        Dumper=dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=2**31 - 1,
    )
    return text


def counted(changes: Iterable[RuleChange]) -> dict[Action, int]:
    """Counts changes by what was done.

    Args:
        changes: The changes.

    Returns:
        How many of each there are.
    """
    return dict(Counter(one.action for one in changes))


def summary(counts: Mapping[Action, int]) -> str:
    """Says how many rules what was done with.

    Args:
        counts: The numbers.

    Returns:
        For example `2 rules added, 1 removed`.
    """
    parts = [(n, action) for action in Action if (n := counts.get(action, 0))]
    if not parts:
        return "nothing changed"
    (first, action), *others = parts
    told = [f"{rules(first)} {action}", *(f"{n:,} {what}" for n, what in others)]
    return ", ".join(told)


def rules(number: int) -> str:
    """Says how many rules.

    Args:
        number: How many.

    Returns:
        For example `1 rule`.
    """
    return f"{number:,} rule{'' if number == 1 else 's'}"


def write_changes(changes: Iterable[RuleChange]) -> Iterator[str]:
    """Shows what became of rules: `-` before what was, `+` before what is.

    Args:
        changes: The changes.

    Yields:
        Lines.
    """
    for one in changes:
        if one.before is not None:
            yield f"- {_printable(one.before)}"
        if one.after is not None:
            yield f"+ {_printable(one.after)}"


def write_entry(entry: Entry) -> Iterator[str]:
    """Shows an entry of the audit trail.

    Args:
        entry: The entry.

    Yields:
        A line, and one or two for each rule.
    """
    if entry.counts is None:
        # An older release has put them in force, and has not said more.
        what = "rules put"
    else:
        what = summary(entry.counts)
        if entry.action in (Action.PUT, Action.RESTORED):
            what = f"{entry.action}: {what}"
    number = "" if entry.rules is None else f"; {rules(entry.rules)}"
    by = _printable(entry.by) or "-"
    note = f'  "{_printable(entry.note)}"' if entry.note else ""
    moment = f"{entry.at:%Y-%m-%d %H:%M:%S.%f}Z"
    yield f"{moment}  {entry.version}  {by}  {what}{number}{note}"
    for change in entry.changes[:_SHOWN]:
        if change.action in (Action.ENABLED, Action.DISABLED):
            yield f"    {change.action}: {_printable(change.id)}"
        else:
            yield from (f"    {line}" for line in write_changes([change]))
    more = len(entry.changes) - _SHOWN + entry.omitted
    if len(entry.changes) > _SHOWN or entry.omitted:
        since = f"match rules diff {entry.before} {entry.version}"
        yield f"    ... and {rules(more)} more" + (f": {since}" if entry.before else "")


def entry_fields(entry: Entry) -> dict[str, Any]:
    """Has an entry of the audit trail ready for JSON.

    Args:
        entry: The entry.

    Returns:
        Its fields.
    """
    return {
        "revision": entry.revision,
        "at": entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "by": entry.by,
        "note": entry.note,
        "action": entry.action,
        "before": entry.before,
        "version": entry.version,
        "rules": entry.rules,
        "counts": entry.counts,
        "changes": [
            {
                "id": one.id,
                "action": one.action,
                "before": one.before,
                "after": one.after,
            }
            for one in entry.changes
        ],
        "omitted": entry.omitted,
    }


def _printable(text: str) -> str:
    """Keeps control characters from the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
