"""From the text of a rule to its tokens."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from rookery.matching._errors import RuleSyntaxError

# A rule longer than this is a mistake, and its depth would be that of the call stack.
MAX_RULE_CHARACTERS: Final = 16 * 1024

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_TOKEN: Final = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<plain>[0-9A-Za-z]+(?=[\s)]|$))
    | (?P<open>\()
    | (?P<close>\))
    | (?P<quoted>\^?{_QUOTED}(?:~[0-9]*|\$)?)
    | (?P<torn>\^?")
    | (?P<minus>-(?=[^\s)]))
    | (?P<regex>/(?:[^/\\]|\\.)+/(?=[\s)]|$))
    | (?P<slash>/)
    | (?P<field>[A-Za-z_]+:(?:{_QUOTED}|[^\s()"]*))
    | (?P<word>[^\s()"]+)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of a rule.

    Attributes:
        kind: The name of its group in the pattern of tokens.
        text: What was written.
        column: Where it begins, in characters, from 1.
    """

    kind: str
    text: str
    column: int


def tokens(text: str) -> list[Token]:
    """Cuts a rule into tokens; any text can be cut.

    Args:
        text: The expression.

    Returns:
        Its tokens, without the spaces between them, and one of kind `end`.

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
    found = [
        Token(str(match.lastgroup), match.group(), match.start() + 1)
        for match in _TOKEN.finditer(text)
        if match.lastgroup != "space"
    ]
    found.append(Token("end", "", len(text) + 1))
    return found


def unquoted(text: str) -> str:
    r"""Takes quotation marks away.

    Args:
        text: What was written, with its marks.

    Returns:
        What stands within, `\"` and `\\` without their backslash.
    """
    inner = text[1:-1]
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if "\\" in inner else inner
