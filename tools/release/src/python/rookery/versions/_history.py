"""What Git knows, as plain values, and how the text that it prints is read."""

from __future__ import annotations

import dataclasses
import datetime

from rookery.versions._errors import RepositoryError


@dataclasses.dataclass(frozen=True)
class Tag:
    """A tag, and the commit it names.

    Args:
        name: Its name, such as `rookery-text/v1.4.2`.
        commit: The commit, also where an annotated tag is in between.
        distance: How many commits of the history come after that commit.
    """

    name: str
    commit: str
    distance: int = 0


@dataclasses.dataclass(frozen=True)
class History:
    """A commit, what came before it, and whether the work tree is that commit.

    Args:
        commit: The commit that is checked out, 40 hexadecimal digits.
        time: When it was committed, in seconds since 1970.
        commits: How many commits there are up to it, itself included.
        tags: The tags on it and on the commits before it.
        changed: Files of the work tree that are not as in the commit.
    """

    commit: str
    time: int
    commits: int
    tags: tuple[Tag, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def built(self) -> str:
        """The time of the commit as RFC 3339 writes it, in UTC."""
        return rfc3339(self.time)


def rfc3339(time: int) -> str:
    """Writes a time as `2026-11-21T15:00:00Z`.

    Args:
        time: Seconds since 1970, UTC.

    Returns:
        The text.
    """
    moment = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_head(text: str) -> tuple[str, int]:
    """Reads what `git log -1 --format='%H %ct'` prints.

    Args:
        text: Its output.

    Returns:
        The commit and its time in seconds since 1970.

    Raises:
        RepositoryError: It is something else.
    """
    words = text.split()
    if len(words) != 2 or len(words[0]) < 40 or not words[1].isdigit():
        raise RepositoryError(f"Git describes the commit as {text!r}; update Git")
    return words[0], int(words[1])


def read_tags(text: str) -> list[Tag]:
    """Reads what `git for-each-ref` prints with the format below.

    Args:
        text: A line for each tag: `%(objectname) %(*objectname) %(refname:strip=2)`;
            the second is empty where the tag is no object of its own.

    Returns:
        The tags, in the same order.
    """
    tags: list[Tag] = []
    for line in text.splitlines():
        direct, peeled, name = line.split(" ", 2)
        tags.append(Tag(name, peeled or direct))
    return tags


def read_changed(text: str) -> tuple[str, ...]:
    """Reads what `git status --porcelain -z` prints.

    Args:
        text: Its output.

    Returns:
        The paths that are changed, added, removed or not tracked, sorted.
    """
    found: set[str] = set()
    fields = iter(text.split("\0"))
    for field in fields:
        if len(field) < 4:
            continue
        found.add(field[3:])
        if field[0] in "RC" or field[1] in "RC":
            # The next field is the name it had before.
            found.add(next(fields, ""))
    return tuple(sorted(found - {""}))
