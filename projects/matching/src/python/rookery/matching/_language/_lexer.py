"""From the text of a rule to its pieces."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from rookery.matching._errors import RuleSyntaxError

# A rule longer than this is a mistake, and its depth would be that of the call stack.
MAX_RULE_CHARACTERS: Final = 16 * 1024

# Beside white space, what pages and editors leave between words and nobody sees: zero-width
# spaces, byte order marks, directions of writing. Joiners are part of words and of emoji.
SPACE: Final = r"\s\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
# What stands for a quotation mark anywhere but in rules.
CURLED: Final = "“”„‟«»＂"

QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_END: Final = rf"(?=[{SPACE})]|\Z)"
_PIECE: Final = re.compile(
    rf"""
      [()]
    | [0-9A-Za-z]+{_END}
    | \^?{QUOTED}(?:(?:~[0-9]*|\$)[^{SPACE})]?)?
    | \^?"
    | -[{SPACE})]
    | /(?:[^/\\]|\\.)+/{_END}
    | /
    | -
    | [A-Za-z_]+:(?:{QUOTED}|[^{SPACE}()"{CURLED}]*)
    | [^{SPACE}()"{CURLED}]+
    | [{CURLED}]
    """,
    re.VERBOSE | re.DOTALL,
)


def cut(text: str) -> list[str]:
    """Cuts a rule into pieces; any text can be cut.

    Args:
        text: The expression.

    Returns:
        Its pieces as they are written, without the spaces between them: brackets, minus
        signs, and what is to be a term. One that cannot be a term for what stands behind
        it has the next character too.

    Raises:
        RuleSyntaxError: It is too long, or no valid Unicode.
    """
    if len(text) > MAX_RULE_CHARACTERS:
        raise RuleSyntaxError(
            f"the rule is longer than {MAX_RULE_CHARACTERS} characters",
            text,
            MAX_RULE_CHARACTERS + 1,
            "split it into several rules",
        )
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RuleSyntaxError(
                "half of a surrogate pair is no character", text, error.start + 1
            ) from error
    return _PIECE.findall(text)


def column_of(text: str, number: int) -> int:
    """Says where a piece stands: asked for errors only.

    Args:
        text: The expression.
        number: Which piece, from 0; the one behind the last is the end.

    Returns:
        The column of its first character, from 1.
    """
    found = next(islice(_PIECE.finditer(text), number, None), None)
    return len(text) + 1 if found is None else found.start() + 1


def unquoted(text: str) -> str:
    r"""Takes quotation marks away.

    Args:
        text: What was written, with its marks.

    Returns:
        What stands within, `\"` and `\\` without their backslash.
    """
    inner = text[1:-1]
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if "\\" in inner else inner
