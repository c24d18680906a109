"""The expression of a rule as a tree, and how it is printed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from typing_extensions import override

from rookery.matching._words import has_word


class Kind(Enum):
    """What a term asks of the text; the value is the sign it is written with."""

    KEYWORD = ""
    PHRASE = '"'
    HASHTAG = "#"
    MENTION = "@"
    CASHTAG = "$"


@dataclass(frozen=True, slots=True)
class Term:
    """A leaf: something that must stand in the text.

    Attributes:
        kind: What it is.
        text: What was written, without quotes or sign.
    """

    kind: Kind
    text: str

    @property
    def phrase(self) -> str:
        """The phrase that a `rookery.text.PhraseTable` searches for this term."""
        if self.is_symbol:
            # A symbol may stand there with or without a wish how to draw it.
            return self.text.rstrip("\ufe0e\ufe0f")
        if self.kind in (Kind.KEYWORD, Kind.PHRASE):
            return self.text
        return f"{self.kind.value}{self.text}"

    @property
    def is_symbol(self) -> bool:
        """Whether it has no word, as an emoji has none, and is found anywhere."""
        return not has_word(self.text)

    @override
    def __str__(self) -> str:
        """Returns the term as it is written in a rule."""
        if self.kind is Kind.PHRASE:
            escaped = self.text.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        return f"{self.kind.value}{self.text}"


@dataclass(frozen=True, slots=True)
class Not:
    """True where its child is not."""

    child: "Node"

    @override
    def __str__(self) -> str:
        """Returns the negation as it is written in a rule."""
        return f"-{_inside(self.child)}"


@dataclass(frozen=True, slots=True)
class And:
    """True where all children are; at least two, none of them an `And`."""

    children: tuple["Node", ...]

    @override
    def __str__(self) -> str:
        """Returns the conjunction as it is written in a rule."""
        return " ".join(
            f"({child})" if isinstance(child, Or) else str(child)
            for child in self.children
        )


@dataclass(frozen=True, slots=True)
class Or:
    """True where some child is; at least two, none of them an `Or`."""

    children: tuple["Node", ...]

    @override
    def __str__(self) -> str:
        """Returns the disjunction as it is written in a rule."""
        return " OR ".join(str(child) for child in self.children)


Node = Term | Not | And | Or


def leaves(node: Node) -> Iterator[Term]:
    """Yields the terms of an expression from left to right.

    The position of a term in this order is its clause: what a span in a match names.

    Args:
        node: The expression.

    Yields:
        Each term, as often as it is written.
    """
    match node:
        case Term():
            yield node
        case Not(child):
            yield from leaves(child)
        case And(children) | Or(children):
            for child in children:
                yield from leaves(child)


def is_anchored(node: Node) -> bool:
    """Tells whether the expression can only be true where some term of it stands.

    Args:
        node: The expression.

    Returns:
        False where it holds for a text that has none of its terms, as `-a` does.
    """
    match node:
        case Term():
            return True
        case Not():
            return False
        case And(children):
            return any(is_anchored(child) for child in children)
        case Or(children):
            return all(is_anchored(child) for child in children)


def conjunction(children: list[Node]) -> Node:
    """Joins expressions by AND, flat.

    Args:
        children: At least one expression.

    Returns:
        The only child, or an `And` whose children are no `And`.
    """
    flat: list[Node] = []
    for child in children:
        flat += child.children if isinstance(child, And) else (child,)
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(children: list[Node]) -> Node:
    """Joins expressions by OR, flat.

    Args:
        children: At least one expression.

    Returns:
        The only child, or an `Or` whose children are no `Or`.
    """
    flat: list[Node] = []
    for child in children:
        flat += child.children if isinstance(child, Or) else (child,)
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def _inside(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)
