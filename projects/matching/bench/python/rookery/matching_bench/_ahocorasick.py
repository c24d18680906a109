"""Aho-Corasick automata: pyahocorasick, which is C, and ahocorasick_rs, which is Rust."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from rookery.matching_bench._found import Columns, Found, Places, Tuples
from rookery.matching_bench._normal import Normal, literal, prepare
from rookery.matching_bench._python import pattern
from rookery.matching_bench._sides import Batch
from rookery.text import fold

_Search: TypeAlias = Callable[[str], Iterable[int]]
_Make: TypeAlias = Callable[[list[str]], _Search]


class Verified(Places):
    """The longest word of each phrase, and a pattern for each phrase whose word is found.

    Args:
        phrases: What is looked for.
        make: Makes, of words, what finds the numbers of those that stand in a text.
    """

    def __init__(self, phrases: Sequence[str], make: _Make) -> None:
        self._find = [re.compile(pattern(phrase)).finditer for phrase in phrases]
        by_word: dict[str, list[int]] = {}
        for number, phrase in enumerate(phrases):
            by_word.setdefault(max(phrase.split(), key=len), []).append(number)
        self._phrases = list(by_word.values())
        self._words = make(list(by_word))

    def find(self, batch: Batch) -> Tuples:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            Row, phrase, start and end of each hit.
        """
        find, phrases, words = self._find, self._phrases, self._words
        return [
            (row, phrase, *match.span())
            for row, text in enumerate(map(fold, batch.texts))
            for word in set(words(text))
            for phrase in phrases[word]
            for match in find[phrase](text)
        ]


def verified(phrases: Sequence[str]) -> Verified:
    """Verifies what pyahocorasick finds."""

    def make(words: list[str]) -> _Search:
        search = _automaton(words).iter
        return lambda text: (word for _, word in search(text))

    return Verified(phrases, make)


def verified_rs(phrases: Sequence[str]) -> Verified:
    """Verifies what ahocorasick_rs finds."""
    from ahocorasick_rs import AhoCorasick, MatchKind

    def make(words: list[str]) -> _Search:
        search = AhoCorasick(words, matchkind=MatchKind.Standard)
        find = search.find_matches_as_indexes
        return lambda text: (word for word, _, _ in find(text, overlapping=True))

    return Verified(phrases, make)


class Literals(Columns):
    """All phrases as literals, in all posts at once, made such that each hit is one.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        prepare()
        # It goes by characters; a byte is one in this encoding.
        texts = [literal(phrase).decode("latin-1") for phrase in phrases]
        self._lengths = list(map(len, texts))
        self._automaton = _automaton(texts)

    def find(self, batch: Batch) -> Found:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            The hits.
        """
        normal = Normal(batch.texts)
        lengths = self._lengths
        hits = [
            (phrase, last + 1 - lengths[phrase], last + 1)
            for last, phrase in self._automaton.iter(normal.data.decode("latin-1"))
        ]
        return normal.found(hits)


class LiteralsRs(Columns):
    """The same with ahocorasick_rs.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        from ahocorasick_rs import BytesAhoCorasick, MatchKind

        prepare()
        self._automaton = BytesAhoCorasick(
            list(map(literal, phrases)), matchkind=MatchKind.Standard
        )

    def find(self, batch: Batch) -> Found:
        """Finds the phrases.

        Args:
            batch: The posts.

        Returns:
            The hits.
        """
        normal = Normal(batch.texts)
        find = self._automaton.find_matches_as_indexes
        return normal.found(find(normal.data, overlapping=True))


def _automaton(words: Sequence[str]) -> Any:
    import ahocorasick  # type: ignore[import-not-found]  # no module to mypy: C alone

    automaton = ahocorasick.Automaton()
    for number, word in enumerate(words):
        automaton.add_word(word, number)
    automaton.make_automaton()
    return automaton
