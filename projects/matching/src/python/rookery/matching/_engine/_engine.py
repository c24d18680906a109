"""The tables and the expressions of a rule set at work on a batch of posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

import numpy as np
import pyarrow as pa

from rookery.matching._engine._anchoring import Frequencies, reanchored
from rookery.matching._engine._eager import Beside, table_of
from rookery.matching._engine._lazy import Lazy
from rookery.matching._engine._program import Integers, compile_rules
from rookery.matching._language._expression import Node
from rookery.matching._language._lowered import Lowered
from rookery.text import Candidates, Expressions, Truths

# More than there can be.
NO_LIMIT: Final = 1 << 62
# How many posts say what is rare, and how many more come before others are asked.
SAMPLE: Final = 4096
BETWEEN_SAMPLES: Final = 1 << 20


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
    """Rules at work, shared by threads: what they find never changes.

    Args:
        lowered: The rules.
        limits: How many places are told.
        nodes: Their expressions, so that they can be anchored by what is rare in the
            posts that come by; none to leave them as they are.
    """

    def __init__(
        self,
        lowered: Sequence[Lowered],
        limits: Limits,
        nodes: Sequence[Node] = (),
    ) -> None:
        program = compile_rules(lowered)
        self._program = program
        self._limits = limits
        self._nodes = nodes
        self._beside = Beside(program)
        self._lazy = Lazy(program, limits.of_leaf)
        self._table = table_of(program)
        self._layout = program.layout
        self._expressions = Expressions(self._table, self._layout)
        self._learning = Lock()
        self._wait = 0
        self._often = Frequencies(len(self._table))

    def match(self, posts: pa.RecordBatch) -> Truths:
        """Matches a batch.

        Args:
            posts: Posts.

        Returns:
            Which rules are true of which posts, and where their leaves stand.
        """
        if self._nodes:
            self._learn(posts)
        true = self._beside.find(posts)
        expressions = self._expressions
        candidates = expressions.match(posts.column("text"), true)
        if len(candidates.row):
            found = self._lazy.look(posts, candidates.row, candidates.atom)
            true = np.sort(np.concatenate((true, found.true)))
            if found.places:
                candidates = replace(
                    candidates, places=_merged(candidates, found.places)
                )
        return expressions.settle(
            candidates,
            true,
            expressions=self._limits.rules,
            of_leaf=self._limits.of_leaf,
            of_text=self._limits.of_post,
        )

    def _learn(self, posts: pa.RecordBatch) -> None:
        """Takes a sample of posts from time to time, and anchors rules by it."""
        if not self._learning.acquire(blocking=False):
            return
        try:
            self._wait -= posts.num_rows
            if self._wait >= 0:
                return
            sample = posts.slice(0, SAMPLE - self._often.posts)
            hits = self._table.find(sample.column("text"))
            self._often.add(hits, sample.num_rows)
            if self._often.posts < SAMPLE:
                return
            layout = reanchored(self._program, self._layout, self._nodes, self._often)
            if layout is not None:
                self._layout = layout
                self._expressions = Expressions(self._table, layout)
            self._often = Frequencies(len(self._table))
            self._wait = BETWEEN_SAMPLES
        finally:
            self._learning.release()


def _merged(candidates: Candidates, more: list[tuple[int, int, int, int]]) -> Integers:
    """Adds places of lazy atoms, which stand behind all others of their row."""
    places = np.frombuffer(candidates.places, np.int32).reshape(-1, 4)
    late = np.array(sorted(more), np.int32)
    behind = np.searchsorted(places[:, 0], late[:, 0], side="right")
    return np.insert(places, behind, late, axis=0)
