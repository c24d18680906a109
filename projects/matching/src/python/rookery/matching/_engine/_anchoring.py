"""Better anchors for rules, once it is known how often things are true of posts.

When a rule is read, only its length says how rare a word is. Where posts come by, a sample
of them says more: `user` may stand in every post, and the word of the day in every second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from rookery.matching._engine._program import Integers, Longs, Program
from rookery.matching._language._expression import Node
from rookery.matching._language._lowered import anchors_of
from rookery.text import Hits, Layout

# An anchor that is true of a larger share of posts is worth another look.
_OFTEN: Final = 1 / 256
# How many rules are looked at again at once, at about ten microseconds each.
_MAX_RULES: Final = 20_000


class Frequencies:
    """How often the terms of a table are true of posts.

    Args:
        terms: How many there are.
    """

    def __init__(self, terms: int) -> None:
        self.posts = 0
        self.counts: Longs = np.zeros(terms, np.int64)

    def add(self, hits: Hits, posts: int) -> None:
        """Counts in some more posts.

        Args:
            hits: What was found in them.
            posts: How many there are.
        """
        pairs = np.unique(hits.row.astype(np.int64) << 32 | hits.phrase)
        self.counts += np.bincount(pairs & 0xFFFFFFFF, minlength=len(self.counts))
        self.posts += posts


def reanchored(
    program: Program, layout: Layout, nodes: Sequence[Node], often: Frequencies
) -> Layout | None:
    """Anchors rules elsewhere whose anchors are true too often.

    Args:
        program: What was compiled.
        layout: How it is anchored by now.
        nodes: The expressions of the rules.
        often: What is known of posts.

    Returns:
        A layout that finds the same; None where nothing is to be gained.
    """
    first, values = layout.anchored
    postings = values.reshape(-1, 2)
    atom = np.repeat(np.arange(layout.atoms), np.diff(first) // 2)
    rules = _too_often(atom, postings, often)
    if not len(rules):
        return None

    def share(key: str, guess: float) -> float:
        number = program.numbers[key]
        known = number < len(often.counts)
        count = float(often.counts[number]) if known else guess * often.posts
        return (count + min(guess, 1.0)) / (often.posts + 1)

    atoms: list[int] = []
    better: list[tuple[int, int]] = []
    for rule in rules.tolist():
        for anchor, guard, certain in anchors_of(nodes[rule], share):
            atoms.append(program.numbers[anchor])
            better.append((2 * rule + certain, program.numbers.get(guard, -1)))
    kept = ~np.isin(postings[:, 0] >> 1, rules)
    atom = np.concatenate((atom[kept], atoms))
    postings = np.concatenate((postings[kept], np.array(better, np.int32)))
    # The rules of an atom stay in order.
    order = np.lexsort((postings[:, 0], atom))
    sizes = 2 * np.bincount(atom, minlength=layout.atoms)
    first = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
    return replace(layout, anchored=(first, postings[order].ravel()))


def _too_often(atom: Longs, postings: Integers, often: Frequencies) -> Integers:
    """Lists the rules that are looked at too often, unless every time is a match."""
    shares = np.zeros(max(int(atom.max(initial=0)) + 1, len(often.counts)))
    shares[: len(often.counts)] = often.counts / max(often.posts, 1)
    share = shares[atom]
    matches = (postings[:, 0] & 1 == 1) & (postings[:, 1] < 0)
    chosen = np.flatnonzero((share > _OFTEN) & ~matches)
    worst = chosen[np.argsort(-share[chosen], kind="stable")[:_MAX_RULES]]
    return np.unique(postings[worst, 0] >> 1)
