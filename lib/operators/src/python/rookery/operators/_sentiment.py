"""How positive or negative an English text is."""

from __future__ import annotations

import itertools
import string
import threading
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

# VADER is made for posts of a sentence or two, and takes quadratic time.
MAX_CHARACTERS = 1000
_LOOK_BACK = 3
_LOOK_AHEAD = 2
_NAMED_IN_RULES = ("no", "least", "never", "without", "so", "this")
_EVERYWHERE = frozenset({"the", "to", "of", "for"})
_LOADING = threading.Lock()


def polarity(text: str) -> float:
    """Scores the sentiment of an English text.

    VADER (Hutto, Gilbert 2014): the `compound` score of the package vaderSentiment, for
    its first 1,000 characters.

    Args:
        text: The text.

    Returns:
        From -1, negative, to 1, positive; 0 where no word of it is known to be either.
    """
    return _polarity(text[:MAX_CHARACTERS])


@lru_cache(maxsize=8192)
def _polarity(text: str) -> float:
    with _LOADING:
        vader = _load()
    return vader.compound(text)


@dataclass(frozen=True)
class _Window:
    """What VADER's rules ask of a text: words, and whether only some of all shout."""

    words_and_emoticons: list[str]
    is_cap_diff: bool


class _Vader:
    """The compound score alone, by the rules of vaderSentiment but not for every word.

    The package applies all rules to all words, and looks for emoji character by character.
    Here words that are not in the lexicon, which are most, cost one look-up.
    """

    def __init__(self) -> None:
        # Imported here, for it is much to read and a counting process never needs it.
        from vaderSentiment import vaderSentiment

        self._package: Any = vaderSentiment
        self._analyzer: Any = vaderSentiment.SentimentIntensityAnalyzer()
        self._lexicon: dict[str, float] = self._analyzer.lexicon
        self._boosters: dict[str, float] = vaderSentiment.BOOSTER_DICT
        self._emoji = frozenset(e for e in self._analyzer.emojis if len(e) == 1)
        self._turning = self._turning_words()

    def _turning_words(self) -> frozenset[str]:
        """The words of which one must be near for a rule to say more than the lexicon.

        Of an idiom that is its words without those that stand everywhere.
        """
        idioms = [*self._package.SPECIAL_CASES, *self._boosters]
        return frozenset(
            itertools.chain(
                self._package.NEGATE,
                _NAMED_IN_RULES,
                *(set(idiom.split()) - _EVERYWHERE for idiom in idioms),
            )
        )

    def compound(self, text: str) -> float:
        """Scores a text as `SentimentIntensityAnalyzer.polarity_scores` does."""
        if not text.isascii() and not self._emoji.isdisjoint(text):
            return float(self._analyzer.polarity_scores(text)["compound"])
        words = [_without_punctuation(token) for token in text.split()]
        lowered = list(map(str.lower, words))
        if self._lexicon.keys().isdisjoint(lowered):
            return 0.0
        valences = self._valences(words, lowered)
        if "but" in lowered:
            valences = self._analyzer._but_check(words, valences)
        total = float(sum(valences))
        emphasis = self._analyzer._punctuation_emphasis(text)
        if total > 0:
            total += emphasis
        elif total < 0:
            total -= emphasis
        return round(float(self._package.normalize(total)), 4)

    def _valences(self, words: list[str], lowered: list[str]) -> list[float]:
        shouted = sum(map(str.isupper, words))
        some_shout = 0 < len(words) - shouted < len(words)
        negated = any("n't" in word for word in lowered)
        valences: list[float] = []
        for at, word in enumerate(lowered):
            if word not in self._lexicon or word in self._boosters:
                valences.append(0)
            elif word == "kind" and lowered[at + 1 : at + 2] == ["of"]:
                valences.append(0)
            else:
                # No rule looks further, and each goes over all words it is given.
                first = max(0, at - _LOOK_BACK)
                end = at + _LOOK_AHEAD + 1
                if not negated and self._turning.isdisjoint(lowered[first:end]):
                    shouts = some_shout and words[at].isupper()
                    valences.append(self._alone(word, shouts))
                    continue
                near = _Window(words[first:end], some_shout)
                self._analyzer.sentiment_valence(
                    0, near, words[at], at - first, valences
                )
        return valences

    def _alone(self, word: str, shouts: bool) -> float:
        valence = self._lexicon[word]
        if not shouts:
            return valence
        louder: float = self._package.C_INCR
        return valence + louder if valence > 0 else valence - louder


def _without_punctuation(token: str) -> str:
    stripped = token.strip(string.punctuation)
    # An emoticon, most likely.
    return token if len(stripped) <= 2 else stripped


@cache
def _load() -> _Vader:
    return _Vader()
