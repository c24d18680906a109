"""Versions as PEP 440 defines them, in the part that releases need.

The packaging library does this too, but it is no part of the standard library, and this
code runs where nothing is installed. Tests compare the two.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Optional, Union

from rookery.versions._errors import VersionSyntaxError

if TYPE_CHECKING:
    from typing_extensions import override
else:

    def override(method):
        """Does nothing; `typing` has it from Python 3.12 on."""
        return method


# The regular expression of PEP 440, appendix B, with our names for the groups.
_PATTERN = re.compile(
    r"""
    v?
    (?:(?P<epoch>[0-9]+)!)?
    (?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:[-_.]?(?P<pre_kind>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre>[0-9]+)?)?
    (?P<has_post>-(?P<bare_post>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post>[0-9]+)?)?
    (?P<has_dev>[-_.]?dev[-_.]?(?P<dev>[0-9]+)?)?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PRE_KINDS = {
    "alpha": "a",
    "a": "a",
    "beta": "b",
    "b": "b",
    "c": "rc",
    "rc": "rc",
    "pre": "rc",
    "preview": "rc",
}
# A longer number is no version but a mistake, and would be slow to convert.
_LONGEST = 128


@functools.total_ordering
@dataclasses.dataclass(frozen=True)
class Version:
    """A version; compares as PEP 440 says, prints in its normal form.

    Args:
        release: The numbers between the dots.
        epoch: What stands before `!`.
        pre: Kind (`a`, `b` or `rc`) and number of a pre-release.
        post: Number of a post-release.
        dev: Number of a development release.
        local: The local part, after `+`.
    """

    release: tuple[int, ...]
    epoch: int = 0
    pre: Optional[tuple[str, int]] = None
    post: Optional[int] = None
    dev: Optional[int] = None
    local: Optional[str] = None

    @classmethod
    def parse(cls, text: str) -> Version:
        """Reads a version.

        Args:
            text: A version in any spelling that PEP 440 allows.

        Returns:
            The version.

        Raises:
            VersionSyntaxError: The text is none.
        """
        match = _PATTERN.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            raise VersionSyntaxError(
                f"{text[:_LONGEST]!r} is no version; a version looks like 1.4.2, "
                "1.5.0rc1 or 1.4.2.post1"
            )
        kind = match["pre_kind"]
        local = match["local"]
        return cls(
            release=tuple(int(number) for number in match["release"].split(".")),
            epoch=int(match["epoch"] or 0),
            pre=(_PRE_KINDS[kind.lower()], int(match["pre"] or 0)) if kind else None,
            post=(
                int(match["bare_post"] or match["post"] or 0)
                if match["has_post"]
                else None
            ),
            dev=int(match["dev"] or 0) if match["has_dev"] else None,
            local=_normal_local(local) if local else None,
        )

    @override
    def __str__(self) -> str:
        return "".join(
            [
                f"{self.epoch}!" if self.epoch else "",
                ".".join(map(str, self.release)),
                f"{self.pre[0]}{self.pre[1]}" if self.pre else "",
                f".post{self.post}" if self.post is not None else "",
                f".dev{self.dev}" if self.dev is not None else "",
                f"+{self.local}" if self.local else "",
            ]
        )

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    @override
    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        # 1.0 equals 1.0.0: zeros at the end do not count.
        numbers = list(self.release)
        while len(numbers) > 1 and not numbers[-1]:
            numbers.pop()
        # Order of what has the same numbers: dev, pre-releases, the release, post.
        # A development release alone comes before every pre-release, and any
        # development release before what it leads to.
        if self.pre is not None:
            pre = (1, *self.pre)
        elif self.post is None and self.dev is not None:
            pre = (0, "", 0)
        else:
            pre = (2, "", 0)
        return (
            self.epoch,
            tuple(numbers),
            pre,
            -1 if self.post is None else self.post,
            (1, 0) if self.dev is None else (0, self.dev),
            _local_key(self.local),
        )

    @property
    def is_final(self) -> bool:
        """Whether it is neither a pre-release nor a development release."""
        return self.pre is None and self.dev is None

    def with_local(self, local: str) -> Version:
        """Returns the version with another local part.

        Args:
            local: The local part, without `+`.

        Returns:
            The new version.
        """
        return dataclasses.replace(self, local=local)

    def next_development(self, number: int) -> Version:
        """Returns the version of a commit that comes after this release.

        It sorts above this version and below every later release: the last part that
        a release counts up is counted up, and `.devN` added. `1.4.2` is followed by
        `1.4.3.devN`, `1.5.0rc1` by `1.5.0rc2.devN`, `1.4.2.post1` by
        `1.4.2.post2.devN`.

        Args:
            number: How many commits later.

        Returns:
            The development version.
        """
        if self.post is not None:
            return dataclasses.replace(self, post=self.post + 1, dev=number, local=None)
        if self.pre is not None:
            kind, pre = self.pre
            return dataclasses.replace(
                self, pre=(kind, pre + 1), dev=number, local=None
            )
        # A patch is the third number: 1.4 is followed by 1.4.1.
        numbers = [*self.release, *[0] * (3 - len(self.release))]
        numbers[-1] += 1
        return Version(tuple(numbers), epoch=self.epoch, dev=number)


def _normal_local(local: str) -> str:
    parts = re.split(r"[-_.]", local.lower())
    return ".".join(str(int(part)) if part.isdigit() else part for part in parts)


def _local_key(local: Optional[str]) -> tuple[tuple[int, Union[int, str]], ...]:
    # None sorts first, then words, then numbers, each by its own order.
    if local is None:
        return ()
    return tuple(
        (1, int(part)) if part.isdigit() else (0, part) for part in local.split(".")
    )
