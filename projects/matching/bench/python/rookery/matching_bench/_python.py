"""Python's `re`, google-re2's sets and FlashText."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from rookery.matching_bench._found import Pairs, Places, Tuples
from rookery.matching_bench._normal import WORD, normal
from rookery.matching_bench._sides import Batch
from rookery.text import fold

# A set that needs more memory than it may take does not compile.
_RE2_BYTES: Final = 4 << 30


def pattern(phrase: str) -> str:
    """Writes a phrase as a pattern of `re`.

    Args:
        phrase: Folded words with a space between them.

    Returns:
        A pattern that finds it in folded text, as whole words.
    """
    words = r"\W+".join(map(re.escape, phrase.split()))
    return rf"(?<!\w){words}(?!\w)"


class Loop(Places):
    """One pattern for each phrase, all tried on each post.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self._find = [re.compile(pattern(phrase)).finditer for phrase in phrases]

    def find(self, batch: Batch) -> Tuples:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            Row, phrase, start and end of each hit.
        """
        return [
            (row, phrase, *match.span())
            for row, text in enumerate(map(fold, batch.texts))
            for phrase, find in enumerate(self._find)
            for match in find(text)
        ]


class Trie(Places):
    """One pattern for all phrases, in which what begins alike stands once.

    It finds the longest phrase at each place; the phrases that this one begins with are
    found there as well.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        numbers: dict[str, list[int]] = {}
        for number, phrase in enumerate(phrases):
            numbers.setdefault(phrase, []).append(number)
        self._within = {
            phrase: tuple(_beginnings(phrase, numbers)) for phrase in numbers
        }
        root: dict[str, Any] = {}
        for phrase in numbers:
            node = root
            for character in phrase:
                node = node.setdefault(character, {})
            node[""] = {}
        self._find = re.compile(rf"(?<!\w)(?=({_alternatives(root)}))").finditer

    def find(self, batch: Batch) -> Tuples:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            Row, phrase, start and end of each hit.
        """
        hits: Tuples = []
        for row, text in enumerate(map(fold, batch.texts)):
            for match in self._find(text):
                longest = match[1]
                start = match.start()
                ends = [word.end() + start for word in WORD.finditer(longest)]
                for phrase, words in self._within[" ".join(WORD.findall(longest))]:
                    hits.append((row, phrase, start, ends[words - 1]))
        return hits


def _beginnings(phrase: str, numbers: dict[str, list[int]]) -> list[tuple[int, int]]:
    words = phrase.split()
    return [
        (number, count)
        for count in range(1, len(words) + 1)
        for number in numbers.get(" ".join(words[:count]), ())
    ]


def _alternatives(node: dict[str, Any]) -> str:
    """Writes the longest first: what goes on before what ends here."""
    written: list[str] = []
    for character, after in node.items():
        if not character:
            continue
        prefix = r"\W+" if character == " " else re.escape(character)
        # A path without branches is written out without groups, which nest only so deep.
        while len(after) == 1 and "" not in after:
            [(character, after)] = after.items()
            prefix += r"\W+" if character == " " else re.escape(character)
        written.append(prefix + _alternatives(after))
    if "" in node:
        written.append(r"(?!\w)")
    return written[0] if len(written) == 1 else f"(?:{'|'.join(written)})"


class Re2(Pairs):
    """A set of RE2 over each post, its words with one space between them.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        import re2  # type: ignore[import-untyped]  # has neither types nor stubs

        options = re2.Options()
        options.max_mem = _RE2_BYTES
        options.literal = True
        self._set = re2.Set.SearchSet(options)
        for phrase in phrases:
            self._set.Add(f" {phrase} ")
        self._set.Compile()

    def find(self, batch: Batch) -> Tuples:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            Row and phrase of each pair.
        """
        match = self._set.Match
        return [
            (row, phrase)
            for row, text in enumerate(map(fold, batch.texts))
            for phrase in match(normal(text)) or ()
        ]


class Flash(Pairs):
    """FlashText, which finds the longest phrase and goes on behind it.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        # It has neither types nor stubs.
        from flashtext import KeywordProcessor  # type: ignore[import-untyped]

        self._processor = KeywordProcessor(case_sensitive=True)
        # It takes all letters beyond ASCII for no part of a word, unless it is told.
        every = map(chr, range(128, 0x110000))
        self._processor.non_word_boundaries.update(filter(WORD.match, every))
        for number, phrase in enumerate(phrases):
            self._processor.add_keyword(phrase, str(number))

    def find(self, batch: Batch) -> Tuples:
        """Finds phrases.

        Args:
            batch: The posts.

        Returns:
            Row and phrase of each hit.
        """
        extract = self._processor.extract_keywords
        return [
            (row, int(number))
            for row, text in enumerate(map(fold, batch.texts))
            for number in extract(normal(text))
        ]
