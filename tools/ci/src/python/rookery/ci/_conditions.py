"""The part of Buildkite's conditions that this pipeline uses, evaluated here.

`build.tag != null && !(build.branch == "main")`: comparisons of variables, strings and
null, with `&&`, `||`, `!` and parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rookery.ci._errors import CiError

_TOKEN = re.compile(
    r"""\s*(?:(?P<operator>&&|\|\||==|!=|!|\(|\))
    |"(?P<double>[^"\\]*)"|'(?P<single>[^'\\]*)'
    |(?P<name>[a-z_]+(?:\.[a-z_]+)*))""",
    re.VERBOSE,
)


def holds(condition: str, variables: Mapping[str, str | None]) -> bool:
    """Evaluates a condition.

    Args:
        condition: Such as `build.tag != null`.
        variables: The value of each variable, None for null.

    Returns:
        Whether it holds. A condition that is not of the form above, or names an
        unknown variable, is a `CiError`.
    """
    return _Parser(condition, variables).parse()


class _Parser:
    """Recursive descent: or, and, not, comparison."""

    def __init__(self, text: str, variables: Mapping[str, str | None]) -> None:
        self._text = text
        self._variables = variables
        self._tokens = self._split()
        self._at = 0

    def parse(self) -> bool:
        result = self._any()
        if self._at != len(self._tokens):
            raise self._wrong()
        return result

    def _split(self) -> list[re.Match[str]]:
        tokens: list[re.Match[str]] = []
        at = 0
        while at < len(self._text.rstrip()):
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self._wrong()
            tokens.append(match)
            at = match.end()
        return tokens

    def _wrong(self) -> CiError:
        return CiError(
            f"condition {self._text!r}: only ==, !=, &&, ||, !, parentheses, strings, "
            f"null and {', '.join(sorted(self._variables))} are understood"
        )

    def _next(self, *operators: str) -> str | None:
        if self._at < len(self._tokens):
            operator = self._tokens[self._at]["operator"]
            if operator in operators:
                self._at += 1
                return operator
        return None

    def _any(self) -> bool:
        result = self._all()
        while self._next("||"):
            # The right side is parsed in any case.
            result = self._all() or result
        return result

    def _all(self) -> bool:
        result = self._not()
        while self._next("&&"):
            result = self._not() and result
        return result

    def _not(self) -> bool:
        if self._next("!"):
            return not self._not()
        if self._next("("):
            result = self._any()
            if not self._next(")"):
                raise self._wrong()
            return result
        left = self._operand()
        operator = self._next("==", "!=")
        if operator is None:
            raise self._wrong()
        return (left == self._operand()) == (operator == "==")

    def _operand(self) -> str | None:
        if self._at == len(self._tokens):
            raise self._wrong()
        token = self._tokens[self._at]
        self._at += 1
        for name in ("double", "single"):
            if token[name] is not None:
                return token[name]
        name = token["name"]
        if name == "null":
            return None
        if name not in self._variables:
            raise self._wrong()
        return self._variables[name]
