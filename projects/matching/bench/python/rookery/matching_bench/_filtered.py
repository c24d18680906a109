"""Mixed rules without this engine: a filter for their rarest words, and functions.

The filter finds the anchors of all rules in a batch. Each rule of which one is found in a
post is evaluated there by a Python function that was made of it. No better use of a
library that finds literals is known to those who wrote this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TypeAlias, cast

from rookery.matching_bench._found import Found, Pairs, Tuples
from rookery.matching_bench._normal import normal
from rookery.matching_bench._rules import BenchRule, Post
from rookery.matching_bench._sides import Batch, Work
from rookery.text import fold

_Filter: TypeAlias = Callable[[Sequence[str]], Work]


class Filtered(Pairs):
    """Rules behind a filter.

    Args:
        rules: The rules.
        make: Makes the filter of phrases.
    """

    def __init__(self, rules: Sequence[BenchRule], make: _Filter) -> None:
        self._tests = [rule.test() for rule in rules]
        by_anchor: dict[str, list[int]] = {}
        for number, rule in enumerate(rules):
            for anchor in rule.anchors:
                by_anchor.setdefault(anchor, []).append(number)
        self._rules = list(by_anchor.values())
        self._filter = make(list(by_anchor))

    def find(self, batch: Batch) -> Tuples:
        """Matches posts.

        Args:
            batch: The posts.

        Returns:
            Row and rule of each pair.
        """
        hits = self._filter.find(batch)
        candidates: dict[int, set[int]] = {}
        for row, anchor in _pairs(hits):
            candidates.setdefault(row, set()).update(self._rules[anchor])
        tests = self._tests
        pairs: Tuples = []
        for row, rules in candidates.items():
            text = fold(batch.texts[row])
            post = Post(normal(text), text, batch.languages[row], batch.authors[row])
            pairs += [(row, rule) for rule in rules if tests[rule](post)]
        return pairs


def _pairs(hits: object) -> list[tuple[int, ...]]:
    if isinstance(hits, Found):
        return list(zip(hits.row.tolist(), hits.rule.tolist(), strict=True))
    return [hit[:2] for hit in cast(Tuples, hits)]


def trie(rules: Sequence[BenchRule]) -> Filtered:
    """Filters with one pattern of `re`."""
    return Filtered(rules, _named("_python", "Trie"))


def pyahocorasick(rules: Sequence[BenchRule]) -> Filtered:
    """Filters with pyahocorasick, in all posts at once."""
    return Filtered(rules, _named("_ahocorasick", "Literals"))


def ahocorasick_rs(rules: Sequence[BenchRule]) -> Filtered:
    """Filters with ahocorasick_rs, in all posts at once."""
    return Filtered(rules, _named("_ahocorasick", "LiteralsRs"))


def hyperscan_post(rules: Sequence[BenchRule]) -> Filtered:
    """Filters with Hyperscan, in each post by itself."""
    return Filtered(rules, _named("_hyperscan", "EachPost"))


def hyperscan_batch(rules: Sequence[BenchRule]) -> Filtered:
    """Filters with Hyperscan, in all posts at once."""
    return Filtered(rules, _named("_hyperscan", "Literals"))


def _named(module: str, name: str) -> _Filter:
    found = import_module(f"rookery.matching_bench.{module}")
    return cast(_Filter, getattr(found, name))
