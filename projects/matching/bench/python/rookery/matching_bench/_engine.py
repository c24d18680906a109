"""This engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa

from rookery.matching import Matcher, RuleSet
from rookery.matching_bench._found import Found
from rookery.matching_bench._rules import BenchRule, Words
from rookery.matching_bench._sides import Batch
from rookery.text import Hits, PhraseTable


class Find:
    """The phrase table of the kernel, by itself.

    Args:
        phrases: What is looked for.
        threads: On how many threads.
    """

    def __init__(self, phrases: Sequence[str], *, threads: int) -> None:
        self._table = PhraseTable.build(phrases)
        self._threads = threads

    def find(self, batch: Batch) -> Hits:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            The hits.
        """
        return self._table.find(batch.array, threads=self._threads)

    def found(self, result: object) -> Found:
        """Writes them down.

        Args:
            result: The hits.

        Returns:
            The same.
        """
        hits = cast(Hits, result)
        columns = (hits.row, hits.phrase, hits.start, hits.end)
        return Found(*(column.astype(np.int64) for column in columns))


class Whole:
    """The whole matcher: from a batch of posts to a batch of matches.

    Args:
        lines: The rules; their numbers are their names.
        threads: On how many threads.
    """

    def __init__(self, lines: Sequence[str], *, threads: int) -> None:
        rules = RuleSet.parse(f"{n} = {line}" for n, line in enumerate(lines))
        self._matcher = Matcher(rules, threads=threads)

    def find(self, batch: Batch) -> pa.RecordBatch:
        """Matches posts.

        Args:
            batch: The posts.

        Returns:
            The matches.
        """
        return self._matcher(batch.posts)

    def found(self, result: object) -> Found:
        """Writes down which rules match which posts.

        Args:
            result: The matches.

        Returns:
            The same.
        """
        matches = cast(pa.RecordBatch, result)
        lists = cast("pa.ListArray[Any]", matches.column("rules"))
        rows = matches.column("row").to_numpy().astype(np.int64)
        names = lists.flatten().to_numpy(zero_copy_only=False).astype(np.int64)
        return Found(np.repeat(rows, lists.value_lengths().to_numpy()), names)


def phrase_matcher(phrases: Sequence[str], *, threads: int) -> Whole:
    """Makes a matcher of which each rule is one phrase.

    Args:
        phrases: The phrases.
        threads: On how many threads.

    Returns:
        The matcher.
    """
    return Whole([Words(phrase).text for phrase in phrases], threads=threads)


def rule_matcher(rules: Sequence[BenchRule], *, threads: int) -> Whole:
    """Makes a matcher of mixed rules.

    Args:
        rules: The rules.
        threads: On how many threads.

    Returns:
        The matcher.
    """
    return Whole([rule.text for rule in rules], threads=threads)
