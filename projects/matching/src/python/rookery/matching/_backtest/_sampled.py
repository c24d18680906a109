"""A few posts for each of many rules, evenly chosen and always the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rookery.matching._backtest._tally import Integers, rank_in_group
from rookery.records import MATCH, concat

Ranks = NDArray[np.uint64]

# Entries beyond twice those that were kept, before what is not needed is left out.
_LOOSE: Final = 20_000
_FIRST: Final = np.uint64(2**64 - 1)


@dataclass
class _Entries:
    """Which post is a sample of which rule; `post` is a row of `posts`."""

    rule: Integers
    rank: Ranks
    serial: Integers
    post: Integers
    posts: pa.RecordBatch


class Samples:
    """Keeps those posts of each rule whose ids have the least hashes.

    Args:
        rules: How many rules there are.
        each: How many posts to keep of each.
    """

    def __init__(self, rules: int, each: int) -> None:
        self._each = each
        # Nothing behind this can be a sample any more.
        self._limit: Ranks = np.full(rules, _FIRST)
        self._parts: list[_Entries] = []
        self._loose = 0
        self._kept = 0

    def add(
        self, rule: Integers, row: Integers, found: pa.RecordBatch, first: int
    ) -> None:
        """Considers posts.

        Args:
            rule: Rules that match, for each pair of a rule and a post.
            row: The rows of these posts.
            found: The posts, of schema `MATCH`.
            first: The number of the first of them among all that were ever found.
        """
        if not self._each or not len(rule):
            return
        rank = _ranks(found)[row]
        near = np.flatnonzero(rank <= self._limit[rule])
        near = near[np.lexsort((row[near], rank[near], rule[near]))]
        near = near[rank_in_group(rule[near]) < self._each]
        rows, post = np.unique(row[near], return_inverse=True)
        posts = found.take(pa.array(rows, pa.int64()))
        self._parts.append(
            _Entries(rule[near], rank[near], row[near] + first, post, posts)
        )
        self._loose += len(near)
        if self._loose > self._kept + _LOOSE:
            self._prune()

    def _prune(self) -> None:
        if not self._parts:
            return
        parts = self._parts
        before = np.cumsum([0, *(part.posts.num_rows for part in parts)])
        rule = np.concatenate([part.rule for part in parts])
        rank = np.concatenate([part.rank for part in parts])
        serial = np.concatenate([part.serial for part in parts])
        post = np.concatenate(
            [part.post + at for part, at in zip(parts, before.tolist(), strict=False)]
        )
        order = np.lexsort((serial, rank, rule))
        place = rank_in_group(rule[order])
        order, place = order[place < self._each], place[place < self._each]
        full = order[place == self._each - 1]
        self._limit[rule[full]] = rank[full]
        posts = concat([part.posts for part in parts], MATCH)
        rows, post = np.unique(post[order], return_inverse=True)
        posts = posts.take(pa.array(rows, pa.int64()))
        self._parts = [_Entries(rule[order], rank[order], serial[order], post, posts)]
        self._loose, self._kept = 0, len(order)

    def of(self, rule: int) -> list[dict[str, Any]]:
        """Returns the samples of a rule.

        Args:
            rule: Its number.

        Returns:
            Rows of `MATCH`, in the order in which they were found.
        """
        if len(self._parts) > 1 or self._loose:
            self._prune()
        if not self._parts:
            return []
        (kept,) = self._parts
        first, last = np.searchsorted(kept.rule, [rule, rule + 1])
        order = np.argsort(kept.serial[first:last]) + first
        taken = kept.posts.take(pa.array(kept.post[order], pa.int64()))
        rows: list[dict[str, Any]] = taken.to_pylist()
        return rows


def _ranks(found: pa.RecordBatch) -> Ranks:
    names: list[Any] = found.column("id").to_pylist()
    hashes = np.array([crc32(name.encode()) for name in names], np.uint64)
    # What splitmix64 does at its end (Steele, Lea and Flood, 2014): a checksum alone
    # would rank ids that follow each other in order.
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(31))
