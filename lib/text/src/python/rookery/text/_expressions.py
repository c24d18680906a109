"""Boolean expressions over the phrases of a table, evaluated in the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rookery.text._columns import Array, Integers, column, integers
from rookery.text._errors import ColumnError
from rookery.text._phrases import PhraseTable
from rookery.text_native import kernel

Longs: TypeAlias = npt.NDArray[np.int64]
Lists: TypeAlias = tuple[Integers, Integers]

# Where evaluation ends.
TRUE = -1
FALSE = -2


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Expressions as numbers, int32.

    What expressions ask for are atoms: first the phrases of a table, then nears, then
    what its user knows, and last the open ones, which its user finds out where they
    decide. Lists are the place of the first value of each list, and one more; and the
    values of all.

    Attributes:
        atoms: How many there are.
        first_near: The atom of the first near; those before it are phrases, of which
            the table may have fewer.
        open: The first atom that is open.
        leaves: For each expression, its atoms from left to right.
        shape: For each expression, its entry in `code`.
        code: How leaves are joined: for each leaf where to go on if its atom is true,
            and where if it is not, which is a leaf behind it, `TRUE` or `FALSE`; and
            whether it is negated.
        anchored: For each atom, the expressions that it anchors: of these, twice its
            number, and one more if anchor and guard prove it; and the guard, an atom that
            is true too wherever this anchor leads to a match, or -1. Of every text of
            which an expression is true, an anchor of it is true that leads there.
        triggers: For each open atom, those of which one is true where it is; none where
            nothing is known of it.
        near: For each near, its words: phrases of one word, and how often each is wanted.
        distance: For each near, how many other words may stand among them.
        near_of: For each atom before the nears, the nears that are looked at where it is
            true; each of them is in the list of one of its words.
    """

    atoms: int
    first_near: int
    open: int
    leaves: Lists
    shape: Integers
    code: Lists
    anchored: Lists
    triggers: Lists
    near: Lists
    distance: Integers
    near_of: Lists


@dataclass(frozen=True, eq=False)
class Candidates:
    """What may match, as the kernel has it.

    Attributes:
        pairs: Row, expression, and whether it is open, of each pair that is not false;
            int32 in a row.
        places: Row, atom, start and end of all phrases and nears in rows of pairs, sorted;
            int32 in a row.
        row: The row of each open atom that decides on a pair, int32, ascending.
        atom: That atom, int32; each pair of a row and an atom once.
    """

    pairs: bytes
    places: bytes | Integers
    row: Integers
    atom: Integers


@dataclass(frozen=True, eq=False)
class Truths:
    """Which expressions are true of which texts, and where their leaves stand.

    Attributes:
        row: The texts of which some are true, int32, ascending.
        expressions: How many are true of each, int32.
        spans: How many spans each has, int32.
        expression: The expressions that are true, text by text, ascending, int32.
        span_expression: The expression of each span, int32.
        clause: Which of its leaves it is, int32.
        start: Where it begins, in characters, int32.
        end: Where it ends, exclusive, int32.
    """

    row: Integers
    expressions: Integers
    spans: Integers
    expression: Integers
    span_expression: Integers
    clause: Integers
    start: Integers
    end: Integers


class Expressions:
    """Boolean expressions; immutable, shared by threads. The GIL is released meanwhile.

    Args:
        table: The phrases that they ask for.
        layout: The expressions.

    Raises:
        ValueError: A number leads nowhere.
    """

    def __init__(self, table: PhraseTable, layout: Layout) -> None:
        try:
            self._native = kernel.Expressions(
                table.native,
                layout.atoms,
                layout.open,
                layout.first_near,
                layout.leaves,
                layout.code,
                layout.shape,
                layout.anchored,
                layout.triggers,
                layout.near,
                layout.distance,
                layout.near_of,
            )
        except IndexError as error:
            raise ValueError(f"the layout of expressions is damaged: {error}") from None

    def match(self, texts: Array, others: Longs) -> Candidates:
        """Finds what may match.

        Args:
            texts: Array of string or large_string; of nulls, only `others` are true.
            others: Which atoms behind the nears are true: row << 32 | atom, int64, sorted.

        Returns:
            The candidates.

        Raises:
            ColumnError: If the array does not hold text, or is damaged.
            ValueError: If `others` are not in order, or no such atoms.
        """
        try:
            pairs, wanted, places = self._native.match(column(texts), others)
        except IndexError as error:
            raise ValueError(f"what else is true is damaged: {error}") from None
        except ValueError as error:
            raise ColumnError(f"the array is damaged: {error}") from error
        return Candidates(pairs, places, *integers(wanted, 2))

    def settle(
        self,
        candidates: Candidates,
        others: Longs,
        *,
        expressions: int,
        of_leaf: int,
        of_text: int,
    ) -> Truths:
        """Evaluates what is open, now that all is known.

        Args:
            candidates: What may match; the places of open atoms are among its places.
            others: All atoms that are true and have no place: row << 32 | atom, int64,
                sorted.
            expressions: Of how many expressions of a text spans are told.
            of_leaf: How many spans of a leaf.
            of_text: How many spans of a text.

        Returns:
            What is true.
        """
        rows, numbers, spans = self._native.settle(
            candidates.pairs, candidates.places, others, expressions, of_leaf, of_text
        )
        row, count, places = integers(rows, 3)
        (expression,) = integers(numbers, 1)
        return Truths(row, count, places, expression, *integers(spans, 4))
