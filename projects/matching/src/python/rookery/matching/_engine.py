"""The tables and the expressions of a rule set at work on a batch of posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from rookery.matching._eager import Beside, table_of
from rookery.matching._lazy import Lazy
from rookery.matching._lowered import Lowered
from rookery.matching._program import Integers, compile_rules
from rookery.text import Candidates, Expressions, Truths

# More than there can be.
NO_LIMIT = 1 << 62


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many places of what matches are told.

    Attributes:
        rules: How many rules of a post have places.
        of_leaf: How many places a leaf of a rule has.
        of_post: How many a post has in all.
    """

    rules: int = NO_LIMIT
    of_leaf: int = NO_LIMIT
    of_post: int = NO_LIMIT


class Engine:
    """Rules at work; immutable, shared by threads.

    Args:
        lowered: The rules.
        limits: How many places are told.
    """

    def __init__(self, lowered: Sequence[Lowered], limits: Limits) -> None:
        program = compile_rules(lowered)
        self._limits = limits
        self._beside = Beside(program)
        self._lazy = Lazy(program, limits.of_leaf)
        self._expressions = Expressions(table_of(program), program.layout)

    def match(self, posts: pa.RecordBatch) -> Truths:
        """Matches a batch.

        Args:
            posts: Posts.

        Returns:
            Which rules are true of which posts, and where their leaves stand.
        """
        true = self._beside.find(posts)
        candidates = self._expressions.match(posts.column("text"), true)
        if len(candidates.row):
            found = self._lazy.look(posts, candidates.row, candidates.atom)
            true = np.sort(np.concatenate((true, found.true)))
            if found.places:
                candidates = replace(
                    candidates, places=_merged(candidates, found.places)
                )
        return self._expressions.settle(
            candidates,
            true,
            expressions=self._limits.rules,
            of_leaf=self._limits.of_leaf,
            of_text=self._limits.of_post,
        )


def _merged(candidates: Candidates, more: list[tuple[int, int, int, int]]) -> Integers:
    """Adds places of lazy atoms, which stand behind all others of their row."""
    places = np.frombuffer(candidates.places, np.int32).reshape(-1, 4)
    late = np.array(sorted(more), np.int32)
    behind = np.searchsorted(places[:, 0], late[:, 0], side="right")
    return np.insert(places, behind, late, axis=0)
