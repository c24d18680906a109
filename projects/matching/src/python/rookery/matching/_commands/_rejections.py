"""Records that are no posts: the first ones named, the others counted by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from rookery.records import Rejected

SHOWN: Final = 10
_REASONS: Final = 10
# Reasons are counted without what is particular about a record.
_DISTINCT: Final = 1000
_OTHER: Final = "other reasons"


class Rejections:
    """Counts records that are no posts.

    Args:
        say: Writes a line for a person.
        shown: How many to name.
    """

    def __init__(self, say: Callable[[str], None], *, shown: int = SHOWN) -> None:
        self.count = 0
        self._say = say
        self._shown = shown
        self._reasons: Counter[str] = Counter()

    def add(self, rejected: Iterable[Rejected]) -> None:
        """Counts some.

        Args:
            rejected: The records.
        """
        for one in rejected:
            self.count += 1
            if self.count <= self._shown:
                self._say(f"{one.where}: {one.reason}")
            elif self.count == self._shown + 1:
                self._say("more records are no posts: they are counted by reason")
            kind = _kind(one.reason)
            known = kind in self._reasons or len(self._reasons) < _DISTINCT
            self._reasons[kind if known else _OTHER] += 1

    def summary(self) -> Iterator[str]:
        """Yields how many there were for which reason, unless each was named."""
        if self.count <= self._shown:
            return
        yield f"{self.count:,} records are no posts:"
        common = self._reasons.most_common()
        rest = sum(count for _, count in common[_REASONS:])
        for reason, count in common[:_REASONS]:
            yield f"  {count:>9,}  {reason}"
        if rest:
            yield f"  {rest:>9,}  {_OTHER}"


def _kind(reason: str) -> str:
    """`likes: is not a whole number: 'x'` without the value."""
    return ": ".join(reason.split(": ")[:2])
