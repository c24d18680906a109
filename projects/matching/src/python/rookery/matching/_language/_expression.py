"""The expression of a rule as a tree, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import override

from rookery.matching._language._leaves import Field, Leaf


@dataclass(frozen=True, slots=True)
class Not:
    """True where its child is not."""

    child: Node

    @override
    def __str__(self) -> str:
        """Returns the negation as it is written in a rule."""
        return f"-{_inside(self.child)}"


@dataclass(frozen=True, slots=True)
class And:
    """True where all children are; at least two, none of them an `And`."""

    children: tuple[Node, ...]

    @override
    def __str__(self) -> str:
        """Returns the conjunction as it is written in a rule."""
        return " ".join(
            [
                f"({child})" if isinstance(child, Or) else str(child)
                for child in self.children
            ]
        )


@dataclass(frozen=True, slots=True)
class Or:
    """True where some child is; at least two, none of them an `Or`."""

    children: tuple[Node, ...]

    @override
    def __str__(self) -> str:
        """Returns the disjunction as it is written in a rule."""
        return " OR ".join([str(child) for child in self.children])


Node = Leaf | Not | And | Or


def leaves(node: Node) -> Iterator[Leaf]:
    """Yields the leaves of an expression from left to right.

    The position of a leaf in this order is its clause: what a span in a match names.

    Args:
        node: The expression.

    Yields:
        Each leaf, as often as it is written.
    """
    match node:
        case Not(child):
            yield from leaves(child)
        case And(children) | Or(children):
            for child in children:
                yield from leaves(child)
        case _:
            yield node


def is_positive(node: Node) -> bool:
    """Tells whether the expression asks for something to be there.

    Args:
        node: The expression.

    Returns:
        False where it holds for a post of which none of its leaves is true, as `-a`
        does.
    """
    match node:
        case Not():
            return False
        case And(children):
            return any(is_positive(child) for child in children)
        case Or(children):
            return all(is_positive(child) for child in children)
        case _:
            return True


def is_anchored(node: Node) -> bool:
    """Tells whether few posts are to be looked at to find those it is true of.

    Args:
        node: The expression.

    Returns:
        Whether it can only be true of posts of which some leaf of it is true that is
        looked for in all posts: any but `lang:` and `has:`.
    """
    match node:
        case Not():
            return False
        case And(children):
            return any(is_anchored(child) for child in children)
        case Or(children):
            return all(is_anchored(child) for child in children)
        case Field():
            return node.is_selective
        case _:
            return True


def conjunction(children: list[Node]) -> Node:
    """Joins expressions by AND, flat.

    Args:
        children: At least one expression.

    Returns:
        The only child, or an `And` whose children are no `And`.
    """
    return _joined(And, children)


def disjunction(children: list[Node]) -> Node:
    """Joins expressions by OR, flat.

    Args:
        children: At least one expression.

    Returns:
        The only child, or an `Or` whose children are no `Or`.
    """
    return _joined(Or, children)


def _joined(kind: type[And] | type[Or], children: list[Node]) -> Node:
    if len(children) == 1:
        return children[0]
    flat: list[Node] = []
    for child in children:
        flat += child.children if isinstance(child, kind) else (child,)
    return kind(tuple(flat))


def _inside(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)
