"""Globs of `per-file` lines: file names with wildcards, never with folders.

Gerrit writes alternatives (`{a,b}`) and sets (`[0-9]`), which GitHub cannot read. They
are multiplied out here, so that what is left (`*`, `?`) means the same to both.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from typing import Pattern

# Enough for [0-9] twice over; beyond that a glob is better written as several.
MAX_ALTERNATIVES = 128
# Comparing two globs doubles with each star.
MAX_STARS = 6


def split_globs(text: str) -> list[str]:
    """Splits the left side of a `per-file` line at the commas outside of braces.

    Args:
        text: Such as `*.{c,h}, BUILD`.

    Returns:
        The globs without surrounding space, such as `["*.{c,h}", "BUILD"]`.
    """
    depth = 0
    parts = [""]
    for character in text:
        if character == "," and depth == 0:
            parts.append("")
            continue
        depth += {"{": 1, "}": -1}.get(character, 0)
        parts[-1] += character
    return [part.strip() for part in parts]


def expand_glob(glob: str) -> tuple[str, ...]:
    """Multiplies out the alternatives and sets of a glob.

    Args:
        glob: A glob over file names.

    Returns:
        Globs with the wildcards `*` and `?` only, in order, without repetition; a file
        name matches `glob` if it matches one of them.

    Raises:
        ValueError: The glob is not one, spans folders or is too large.
    """
    if not glob:
        raise ValueError("an empty glob matches nothing")
    if "/" in glob:
        raise ValueError(
            f"{glob!r} spans folders; globs match file names, in this folder and all "
            "below: put an OWNERS file into the folder that is meant"
        )
    found: dict[str, None] = {}
    for text in _alternatives(glob):
        for plain in _sets(text):
            found[re.sub(r"\*+", "*", plain)] = None
            if len(found) > MAX_ALTERNATIVES:
                raise ValueError(
                    f"{glob!r} stands for more than {MAX_ALTERNATIVES} globs; use `?` "
                    "or `*`"
                )
    return tuple(found)


def glob_pattern(glob: str) -> str:
    """Returns the regular expression of an expanded glob, for `re.fullmatch`.

    Args:
        glob: A glob with the wildcards `*` and `?` only.

    Returns:
        The expression, without groups.
    """
    wild = {"*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(character) or re.escape(character) for character in glob)


@functools.lru_cache(maxsize=None)
def compile_globs(globs: tuple[str, ...]) -> Pattern[str]:
    """Returns one expression that matches what any of the globs matches.

    Args:
        globs: Expanded globs.

    Returns:
        The expression, for `fullmatch`.
    """
    return re.compile("|".join(map(glob_pattern, globs)) or r"(?!)", re.DOTALL)


def covers(wide: str, narrow: str) -> bool:
    """Tells whether a glob matches everything that another one matches.

    The wildcards of `narrow` become characters that only a wildcard of `wide` accepts.
    So True is always right; False may be wrong for odd globs, such as those with many stars.

    Args:
        wide: An expanded glob.
        narrow: An expanded glob.

    Returns:
        Whether every name that matches `narrow` is known to match `wide`.
    """
    if wide == narrow:
        return True
    pieces = narrow.replace("?", "\0").split("*")
    pattern = re.compile(glob_pattern(wide), re.DOTALL)
    # A run that is longer than `wide` can only be taken up by one of its `*`.
    runs = ("", "\0" * (len(wide) + 1))
    if len(pieces) > MAX_STARS:
        return False
    return all(
        pattern.fullmatch("".join(map("".join, zip(pieces, (*chosen, "")))))
        for chosen in itertools.product(runs, repeat=len(pieces) - 1)
    )


def _alternatives(glob: str) -> Iterator[str]:
    match = re.search(r"\{([^{}]*)\}", glob)
    if match is None:
        if "{" in glob or "}" in glob:
            raise ValueError(f"{glob!r} has a brace without its partner")
        yield glob
        return
    for choice in match.group(1).split(","):
        yield from _alternatives(glob[: match.start()] + choice + glob[match.end() :])


def _sets(glob: str) -> Iterator[str]:
    match = re.search(r"\[([^\[\]]*)\]", glob)
    if match is None:
        if "[" in glob or "]" in glob:
            raise ValueError(f"{glob!r} has a bracket without its partner")
        yield glob
        return
    for character in _members(match.group(1), glob):
        yield from _sets(glob[: match.start()] + character + glob[match.end() :])


def _members(text: str, glob: str) -> list[str]:
    if not text or text[0] in "!^":
        raise ValueError(f"{glob!r}: an empty or negated set has no equal on GitHub")
    members: list[str] = []
    rest = text
    while rest:
        if len(rest) > 2 and rest[1] == "-":
            first, last = ord(rest[0]), ord(rest[2])
            if not 0 <= last - first <= MAX_ALTERNATIVES:
                raise ValueError(f"{glob!r}: the range {rest[:3]!r} is no range")
            members += map(chr, range(first, last + 1))
            rest = rest[3:]
        else:
            members.append(rest[0])
            rest = rest[1:]
    if any(character in "*?{},/" for character in members):
        raise ValueError(f"{glob!r}: a set holds plain characters only")
    return members
