r"""Hyperscan, in the form of Vectorscan that its Python package brings.

Tried, with 10,000 phrases: `\b` with Unicode properties is refused ("\b unsupported in
UCP mode"), and `\W` with them did not compile within minutes. What compiles in seconds
are expressions of bytes, which find more than they should where letters beyond ASCII
stand beside a phrase, and are verified there; and literals, in texts made such that
nothing has to be verified. Start of match (SOM) costs more than finding it out afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import hyperscan
import numpy as np

from rookery.matching_bench._found import Columns, Found, Places, Tuples
from rookery.matching_bench._normal import Normal, literal, normal, place, prepare
from rookery.matching_bench._python import pattern
from rookery.matching_bench._sides import Batch
from rookery.text import fold

# The time it takes to compile expressions grows faster than their number.
_EXPRESSIONS: Final = 10_000
_NO_WORD: Final = "[^a-z0-9_]"
_BETWEEN: Final = "[^a-z0-9_\n]+"
_LINE: Final = ord("\n")


def _database(
    patterns: Sequence[bytes], first: int = 0, *, plain: bool
) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=patterns,
        ids=list(range(first, first + len(patterns))),
        elements=len(patterns),
        flags=0,
        literal=plain,
    )
    return database


class EachPost(Places):
    """Literals in each post by itself.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        literals = list(map(literal, phrases))
        self._lengths = [len(each.decode()) for each in literals]
        self._words = [phrase.count(" ") + 1 for phrase in phrases]
        self._database = _database(literals, plain=True)

    def find(self, batch: Batch) -> Tuples:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            Row, phrase, start and end of each hit.
        """
        hits: Tuples = []
        scan = self._database.scan
        for row, text in enumerate(map(fold, batch.texts)):
            written = normal(text)
            data = written.encode()
            ends: list[tuple[int, int]] = []

            def on_match(
                phrase: int, start: int, end: int, flags: int, context: object
            ) -> None:
                ends.append((phrase, end))  # noqa: B023  (called within this turn)

            scan(data, match_event_handler=on_match)
            for phrase, end in ends:
                last = end if written.isascii() else len(data[:end].decode())
                start = last - self._lengths[phrase]
                words = self._words[phrase]
                hits.append((row, phrase, *place(text, written, start, words)))
        return hits


class Literals(Columns):
    """Literals in all posts at once, made such that each hit is one.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        prepare()
        literals = list(map(literal, phrases))
        self._lengths = list(map(len, literals))
        self._database = _database(literals, plain=True)

    def find(self, batch: Batch) -> Found:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            The hits.
        """
        normal_texts = Normal(batch.texts)
        hits: list[tuple[int, int, int]] = []
        append, lengths = hits.append, self._lengths

        def on_match(
            phrase: int, start: int, end: int, flags: int, context: object
        ) -> None:
            append((phrase, end - lengths[phrase], end))

        self._database.scan(normal_texts.data, match_event_handler=on_match)
        return normal_texts.found(hits)


class Expressions(Places):
    """Expressions of bytes in all posts at once, and `re` for what they find.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self._find = [re.compile(pattern(phrase)).finditer for phrase in phrases]
        self._length = [
            0 if " " in phrase else len(phrase.encode()) for phrase in phrases
        ]
        expressions = [
            f"{_NO_WORD}{_BETWEEN.join(map(re.escape, phrase.split()))}{_NO_WORD}"
            for phrase in phrases
        ]
        self._databases = [
            _database(
                [each.encode() for each in expressions[at : at + _EXPRESSIONS]],
                at,
                plain=False,
            )
            for at in range(0, len(expressions), _EXPRESSIONS)
        ]

    def find(self, batch: Batch) -> Tuples:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            Row, phrase, start and end of each hit.
        """
        texts = fold("\n".join(["", *batch.texts, ""]))
        data = texts.encode()
        ends: list[tuple[int, int]] = []
        append = ends.append

        def on_match(
            phrase: int, start: int, end: int, flags: int, context: object
        ) -> None:
            append((end, phrase))

        for database in self._databases:
            database.scan(data, match_event_handler=on_match)
        return self._verified(batch.texts, data, ends)

    def _verified(
        self, texts: list[str], data: bytes, ends: list[tuple[int, int]]
    ) -> Tuples:
        hits: Tuples = []
        lines = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE)
        # A hit ends with one byte behind the phrase, which may be the end of the line.
        places = np.array([end - 1 for end, _ in ends], np.int64)
        rows = np.searchsorted(lines, places) - 1
        seen: set[tuple[int, int]] = set()
        for row, first, (behind, phrase) in zip(
            rows.tolist(), lines[rows].tolist(), ends, strict=True
        ):
            length, end = self._length[phrase], behind - 1
            start = end - length
            if length and data[start - 1] < 128 and data[end] < 128:
                begin = len(data[first + 1 : start].decode())
                size = len(data[start:end].decode())
                hits.append((row, phrase, begin, begin + size))
            elif (row, phrase) not in seen:
                seen.add((row, phrase))
                found = self._find[phrase](fold(texts[row]))
                hits += [(row, phrase, *match.span()) for match in found]
        return hits
