"""The lines of an OWNERS file, as Gerrit's code-owners plugin defines them.

https://gerrit.googlesource.com/plugins/code-owners, `backend-find-owners.md`. Imports
stay names here; `_tree` resolves them, since that needs the other files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rookery.owners._errors import OwnersSyntaxError
from rookery.owners._globs import expand_glob, split_globs

_EMAIL = re.compile(r"[^\s@,#=:/]+@[^\s@,#=:/]+")
_LAST_RESORT = re.compile(r"#\{LAST_RESORT_SUGGESTION\}")


@dataclass(frozen=True)
class Statement:
    """One line that says something.

    Attributes:
        line: Its number, from 1.
        kind: `owners`, `noparent`, `file` or `include`.
        owners: The e-mail addresses, or `*`, of an `owners` line.
        target: The path of a `file` or `include` line, as written.
        globs: The globs of a `per-file` line as written; empty for other lines.
        expanded: The same globs, expanded.
        last_resort: Whether the line has the annotation of that name.
    """

    line: int
    kind: str
    owners: tuple[str, ...] = ()
    target: str = ""
    globs: str = ""
    expanded: tuple[str, ...] = ()
    last_resort: bool = False


def parse_owners(text: str, path: str) -> list[Statement]:
    """Reads an OWNERS file.

    Args:
        text: What it contains.
        path: Where it is, for messages.

    Returns:
        Its statements in order, without comments and blank lines.

    Raises:
        OwnersSyntaxError: A line is none of those that an OWNERS file may have.
    """
    statements: list[Statement] = []
    for number, raw in enumerate(text.splitlines(), 1):
        body = raw.partition("#")[0].strip()
        if not body:
            continue
        last_resort = _LAST_RESORT.search(raw) is not None
        try:
            statements.append(_statement(number, body, last_resort))
        except ValueError as error:
            raise OwnersSyntaxError.at(path, number, str(error)) from None
    return statements


def _statement(number: int, body: str, last_resort: bool) -> Statement:
    words = body.split(None, 1)
    if words[0] != "per-file":
        return _directive(number, body, "", last_resort)
    globs, equals, directive = (words[1] if len(words) > 1 else "").partition("=")
    if not equals:
        raise ValueError("per-file needs `=`: per-file *.py=someone@example.com")
    if not globs.strip():
        raise ValueError("per-file names no files: per-file *.py=someone@example.com")
    if directive.split(None, 1)[:1] == ["include"]:
        raise ValueError("per-file cannot include; use per-file …=file:path")
    return _directive(number, directive.strip(), globs.strip(), last_resort)


def _directive(number: int, body: str, globs: str, last_resort: bool) -> Statement:
    expanded: dict[str, None] = {}
    if globs:
        for glob in split_globs(globs):
            expanded.update(dict.fromkeys(expand_glob(glob)))
    where = (globs, tuple(expanded), last_resort)
    if re.fullmatch(r"set\s+noparent", body):
        return Statement(number, "noparent", (), "", *where)
    match = re.fullmatch(r"(file:|include\s)\s*(\S+)", body)
    if match is not None:
        target = match.group(2)
        if ":" in target:
            raise ValueError(
                f"{target!r} is in another repository, which cannot be read from here; "
                "list the owners instead"
            )
        return Statement(number, match.group(1).rstrip(": \t"), (), target, *where)
    owners = [owner.strip() for owner in body.split(",")] if globs else [body]
    for owner in owners:
        if owner != "*" and not _EMAIL.fullmatch(owner):
            raise ValueError(
                f"{owner!r} is no owner: write an e-mail address, `*`, `set noparent`, "
                "`per-file globs=owners`, `file:path` or `include path`"
            )
    return Statement(number, "owners", tuple(owners), "", *where)
