"""What is measured: who takes part, and what each is given and has to give back."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

import pyarrow as pa

from rookery.matching_bench._found import Found


class Workload(StrEnum):
    """What is looked for.

    Attributes:
        PHRASES: One phrase for each rule.
        RULES: Mixed rules: words in any order, negations, alternatives, signs, fields.
    """

    PHRASES = "phrases"
    RULES = "rules"


@dataclass(frozen=True)
class Batch:
    """Posts as they come, in each form that some side likes best.

    Attributes:
        texts: The texts as Python's strings.
        languages: Their languages.
        authors: Who wrote them.
        array: The texts as an Arrow array.
        posts: The same as a record batch of posts.
    """

    texts: list[str]
    languages: list[str]
    authors: list[str]
    array: pa.Array[Any]
    posts: pa.RecordBatch


class Work(Protocol):
    """A side with its rules, ready."""

    def find(self, batch: Batch) -> object:
        """Does what is measured; returns what it found in whatever form it likes."""

    def found(self, result: object) -> Found:
        """Writes down what `find` returned; this is not measured."""


@dataclass(frozen=True)
class Side:
    """One of those that are measured.

    Attributes:
        key: How it is called on the command line.
        name: How it is called in tables.
        module: The module that has it, below this package.
        factory: What makes it of phrases or rules, in that module.
        workload: What it can look for.
        threads: How many threads it uses.
        partial: Why it finds less than there is; empty where it has to find all.
        needs: The module it measures, which may not be there.
    """

    key: str
    name: str
    module: str
    factory: str
    workload: Workload
    threads: int = 1
    partial: str = ""
    needs: str = ""

    def make(self) -> Callable[[Sequence[Any]], Work]:
        """Imports what makes it.

        Returns:
            A function of phrases or rules.
        """
        module = importlib.import_module(f"rookery.matching_bench.{self.module}")
        factory: Callable[..., Work] = getattr(module, self.factory)
        if self.module != "_engine":
            return factory
        return lambda rules: factory(rules, threads=self.threads)


_ALL: Final = max(os.cpu_count() or 1, 1)
_P, _R = Workload.PHRASES, Workload.RULES
_GREEDY: Final = "leaves out what overlaps a longer phrase"

# The reference, to which all others are compared, comes first.
SIDES: Final = (
    Side("find", "PhraseTable.find", "_engine", "Find", _P),
    Side("find-all", "PhraseTable.find", "_engine", "Find", _P, _ALL),
    Side("matcher", "Matcher", "_engine", "phrase_matcher", _P),
    Side("matcher-all", "Matcher", "_engine", "phrase_matcher", _P, _ALL),
    Side("re", "re, a loop", "_python", "Loop", _P),
    Side("re-trie", "re, one alternation", "_python", "Trie", _P),
    Side(
        "flashtext",
        "FlashText",
        "_python",
        "Flash",
        _P,
        partial=_GREEDY,
        needs="flashtext",
    ),
    Side("re2", "google-re2 Set", "_python", "Re2", _P, needs="re2"),
    Side(
        "pyahocorasick",
        "pyahocorasick + re",
        "_ahocorasick",
        "verified",
        _P,
        needs="ahocorasick",
    ),
    Side(
        "ahocorasick_rs",
        "ahocorasick_rs + re",
        "_ahocorasick",
        "verified_rs",
        _P,
        needs="ahocorasick_rs",
    ),
    Side(
        "pyahocorasick-batch",
        "pyahocorasick, one batch",
        "_ahocorasick",
        "Literals",
        _P,
        needs="ahocorasick",
    ),
    Side(
        "ahocorasick_rs-batch",
        "ahocorasick_rs, one batch",
        "_ahocorasick",
        "LiteralsRs",
        _P,
        needs="ahocorasick_rs",
    ),
    Side(
        "hyperscan-post",
        "Hyperscan, each post",
        "_hyperscan",
        "EachPost",
        _P,
        needs="hyperscan",
    ),
    Side(
        "hyperscan-expressions",
        "Hyperscan, one batch, expressions",
        "_hyperscan",
        "Expressions",
        _P,
        needs="hyperscan",
    ),
    Side(
        "hyperscan-batch",
        "Hyperscan, one batch, literals",
        "_hyperscan",
        "Literals",
        _P,
        needs="hyperscan",
    ),
    Side("rules-matcher", "Matcher", "_engine", "rule_matcher", _R),
    Side("rules-matcher-all", "Matcher", "_engine", "rule_matcher", _R, _ALL),
    Side("rules-re-trie", "re, one alternation + closures", "_filtered", "trie", _R),
    Side(
        "rules-pyahocorasick",
        "pyahocorasick + closures",
        "_filtered",
        "pyahocorasick",
        _R,
        needs="ahocorasick",
    ),
    Side(
        "rules-ahocorasick_rs",
        "ahocorasick_rs + closures",
        "_filtered",
        "ahocorasick_rs",
        _R,
        needs="ahocorasick_rs",
    ),
    Side(
        "rules-hyperscan-post",
        "Hyperscan, each post + closures",
        "_filtered",
        "hyperscan_post",
        _R,
        needs="hyperscan",
    ),
    Side(
        "rules-hyperscan-batch",
        "Hyperscan, one batch + closures",
        "_filtered",
        "hyperscan_batch",
        _R,
        needs="hyperscan",
    ),
)

# What the others are measured against: of several forms of one, the fastest.
BASELINES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    Workload.PHRASES: {
        "pyahocorasick + re": ("pyahocorasick",),
        "Hyperscan, one batch": ("hyperscan-expressions", "hyperscan-batch"),
    },
    Workload.RULES: {
        "pyahocorasick": ("rules-pyahocorasick",),
        "Hyperscan, one batch": ("rules-hyperscan-batch",),
    },
}


def reference(workload: Workload) -> Side:
    """Returns the side to which the others are compared.

    Args:
        workload: What is looked for.

    Returns:
        The side.
    """
    return next(side for side in SIDES if side.workload is workload)
