"""What a rule says, as a tree; and how it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

_BEGINS_WORD = re.compile(r"\w")
_ESCAPED = re.compile(r'["\\]')


@dataclass(frozen=True, slots=True)
class Term:
    """Something that has to stand in the text: a leaf of the tree.

    Attributes:
        text: What to look for, with its sign.
    """

    text: str

    @property
    def is_literal(self) -> bool:
        """Whether it has no word, as an emoji has none, and is found anywhere."""
        return not _BEGINS_WORD.search(self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Keyword(Term):
    """A word, or several written as one: `fire`, `covid-19`."""


@dataclass(frozen=True, slots=True)
class Phrase(Term):
    """Words one after the other: `"boulder fire"`."""

    def __str__(self) -> str:
        return '"' + _ESCAPED.sub(r"\\\g<0>", self.text) + '"'


@dataclass(frozen=True, slots=True)
class Hashtag(Term):
    """A word behind a `#`: `#fire`."""


@dataclass(frozen=True, slots=True)
class Mention(Term):
    """A name behind an `@`: `@bbc`."""


@dataclass(frozen=True, slots=True)
class Cashtag(Term):
    """A word behind a `$`: `$AAPL`."""


@dataclass(frozen=True, slots=True)
class Not:
    """What must not match.

    Attributes:
        operand: That.
    """

    operand: Node

    def __str__(self) -> str:
        return f"-{_grouped(self.operand, And | Or)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of them match.

    Attributes:
        operands: Two or more, none of which is an `And`.
    """

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        return " ".join(_grouped(operand, And | Or) for operand in self.operands)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them matches.

    Attributes:
        operands: Two or more, none of which is an `Or`.
    """

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(_grouped(operand, Or) for operand in self.operands)


Node: TypeAlias = "Term | Not | And | Or"


def _grouped(node: Node, needs: type | object) -> str:
    return f"({node})" if isinstance(node, needs) else str(node)  # type: ignore[arg-type]  # a union of classes is one


def terms(node: Node) -> Iterator[Term]:
    """Goes through the leaves of a tree.

    Args:
        node: Its root.

    Yields:
        The leaves as they are written, left to right. The place of a leaf in this order
        is the number of its clause.
    """
    if isinstance(node, Term):
        yield node
    elif isinstance(node, Not):
        yield from terms(node.operand)
    else:
        for operand in node.operands:
            yield from terms(operand)
