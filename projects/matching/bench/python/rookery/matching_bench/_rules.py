"""Mixed rules as people write them, and what each of them means.

A rule is a tree, from which its text in the rule language and a Python function are made,
so that the engine and those that it is measured against are given the same.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rookery.matching_bench._data import Posts
from rookery.matching_bench._normal import GAP, WORD
from rookery.text import fold

AUTHORS: Final = 5_000


@dataclass(frozen=True)
class Post:
    """One post as functions of rules see it.

    Attributes:
        words: Its words, with one space between, before and behind them.
        text: Its text, folded.
        language: Its language.
        author: Who wrote it.
    """

    words: str
    text: str
    language: str
    author: str


Test: TypeAlias = Callable[[Post], bool]


@dataclass(frozen=True)
class Words:
    """These words one after the other."""

    words: str

    @property
    def text(self) -> str:
        """As the rule language writes it."""
        return f'"{self.words}"' if " " in self.words else self.words

    def test(self) -> Test:
        """Makes a function of it."""
        literal = f" {self.words} "
        return lambda post: literal in post.words


@dataclass(frozen=True)
class Tag:
    """A sign and the word behind it."""

    sign: str
    word: str

    @property
    def text(self) -> str:
        """As the rule language writes it."""
        return self.sign + self.word

    def test(self) -> Test:
        """Makes a function of it."""
        signs = {"#": "[#＃]", "@": "[@＠]"}[self.sign]
        search = re.compile(rf"{signs}{re.escape(self.word)}(?!\w)").search
        return lambda post: search(post.text) is not None


@dataclass(frozen=True)
class Field:
    """A language or an author."""

    name: str
    value: str

    @property
    def text(self) -> str:
        """As the rule language writes it."""
        return f"{self.name}:{self.value}"

    def test(self) -> Test:
        """Makes a function of it."""
        value = self.value
        if self.name == "lang":
            return lambda post: post.language == value
        return lambda post: post.author == value


@dataclass(frozen=True)
class Without:
    """What must not be there."""

    node: Words | Tag

    @property
    def text(self) -> str:
        """As the rule language writes it."""
        return f"-{self.node.text}"

    def test(self) -> Test:
        """Makes a function of it."""
        inner = self.node.test()
        return lambda post: not inner(post)


@dataclass(frozen=True)
class AnyOf:
    """Alternatives."""

    nodes: tuple[Words | Tag, ...]

    @property
    def text(self) -> str:
        """As the rule language writes it."""
        return f"({' OR '.join(node.text for node in self.nodes)})"

    def test(self) -> Test:
        """Makes a function of it."""
        tests = [node.test() for node in self.nodes]
        return lambda post: any(test(post) for test in tests)


@dataclass(frozen=True)
class BenchRule:
    """A rule: all of its parts have to be true.

    Attributes:
        parts: The parts.
        anchors: Words or phrases of which at least one stands in each post that the rule
            matches: its rarest part.
    """

    parts: tuple[Words | Tag | Field | Without | AnyOf, ...]
    anchors: tuple[str, ...]

    @property
    def text(self) -> str:
        """As the rule language writes it."""
        return " ".join(part.text for part in self.parts)

    def test(self) -> Test:
        """Makes a function of it, its cheapest parts first.

        Returns:
            A function that tells whether the rule matches a post.
        """
        tests = [
            part.test() for part in sorted(self.parts, key=lambda p: isinstance(p, Tag))
        ]
        match tests:
            case [only]:
                return only
            case [one, other]:
                return lambda post: one(post) and other(post)
            case _:
                return lambda post: all(test(post) for test in tests)


class Writer:
    """Writes rules about terms.

    Args:
        terms: What the rules are about.
        posts: The posts; words and authors that stand beside terms are taken from them.
        dice: What is random about it.
    """

    def __init__(self, terms: Sequence[str], posts: Posts, dice: random.Random) -> None:
        self._terms = terms
        self._dice = dice
        words = [WORD.findall(fold(text)) for text in posts.texts]
        self._frequency = Counter(word for each in words for word in set(each))
        # What people put beside a name is neither a stop word nor seen only once.
        most = 0.05 * len(posts.texts)
        self._context = [
            word
            for word, count in sorted(self._frequency.items())
            if 2 <= count <= most and len(word) > 2
        ] or list(terms)
        self._count = Counter(
            match
            for text in posts.texts
            for match in re.findall(r"[#@]\w+", fold(text))
        )
        self._tags = [
            tag for tag, count in sorted(self._count.items()) if count <= most
        ] or [f"#{GAP.sub('', term)}" for term in terms]

    def write(self, count: int) -> list[BenchRule]:
        """Writes rules.

        Args:
            count: How many.

        Returns:
            Of 100: 35 of a name and one or two words in any order, 20 of a phrase
            without one or two others, 15 of a name and one of two to four words, 12 of a
            phrase, 8 of a hashtag or a mention, 5 of a hashtag and a word, 3 in a
            language, 2 by an author.
        """
        kinds = self._dice.choices(
            [
                self._all,
                self._without,
                self._any,
                self._phrase,
                self._tag,
                self._tag_and_word,
                self._in_language,
                self._by_author,
            ],
            (35, 20, 15, 12, 8, 5, 3, 2),
            k=count,
        )
        return [
            kind(term) for kind, term in zip(kinds, self._terms[:count], strict=True)
        ]

    def _all(self, term: str) -> BenchRule:
        # Tracked names are mostly written as single words in any order.
        words = [Words(word) for word in dict.fromkeys(term.split())]
        words += [Words(word) for word in self._some(1 if len(words) > 1 else 2)]
        rarest = min(words, key=lambda each: self._frequency[each.words])
        return BenchRule(tuple(words), (rarest.words,))

    def _without(self, term: str) -> BenchRule:
        others = (Without(Words(word)) for word in self._some(2))
        return BenchRule((Words(term), *others), (term,))

    def _any(self, term: str) -> BenchRule:
        words = tuple(map(Words, self._some(4)))
        words = words if len(words) > 1 else (*words, Words("news"))
        return BenchRule((Words(term), AnyOf(words)), (term,))

    def _phrase(self, term: str) -> BenchRule:
        return BenchRule((Words(term),), (term,))

    def _tag(self, term: str) -> BenchRule:
        del term
        tag = self._dice.choice(self._tags)
        return BenchRule((Tag(tag[0], tag[1:]),), (tag[1:],))

    def _tag_and_word(self, term: str) -> BenchRule:
        # As many do, a name written as one word.
        word = GAP.sub("", term)
        return BenchRule((Tag("#", word), *map(Words, self._some(1))), (word,))

    def _in_language(self, term: str) -> BenchRule:
        language = self._dice.choice(["en", "es", "de", "fr"])
        return BenchRule((Words(term), Field("lang", language)), (term,))

    def _by_author(self, term: str) -> BenchRule:
        author = f"user{self._dice.randrange(AUTHORS)}"
        return BenchRule((Words(term), Field("from", author)), (term,))

    def _some(self, most: int) -> list[str]:
        number = self._dice.randint(1, most)
        return list(dict.fromkeys(self._dice.choices(self._context, k=number)))
