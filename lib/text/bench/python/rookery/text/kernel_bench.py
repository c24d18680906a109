"""How fast phrases and entities are found, against what else Python offers for it.

All sides work through the same 20,000 different tweets in batches of 1,000 (slow ones
through the first of them), in turns and in one thread, whose processor time is what
counts: a busy machine disturbs that least. The table shows the median round of each. What
is looked for is 10,000 names and phrases, in any case. The baselines:

    re                   one pattern with an alternative for each phrase
    pyahocorasick + re   an automaton for the longest word of each phrase, and a pattern
                         for each phrase whose word it finds
    oracle               twitter-text's patterns in `re`, for entities

Before anything is measured, hits are compared with those of pyahocorasick + re, which
have to be the same; without pyahocorasick, `re` alone is the baseline.
Patterns and automata are there before the clock starts, and text is folded for them by
`fold`. Texts in which a combining mark stands behind a letter are left out: `re` counts it
as no part of the word.

Tweets are those of TweetEval, names those of Corpora, in the folder that ROOKERY_DATA
names; else both are made up.

    python lib/text/bench/python/rookery/text/kernel_bench.py [rounds]
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import random
import re
import statistics
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from rookery.text import PhraseTable, Term, TermKind, entities, fold, oracle

TEXTS, BATCH, PHRASES = 20_000, 1000, 10_000
# A slow side does so many of a batch.
FEW = 20
DATA = "ROOKERY_DATA"
Work: TypeAlias = Callable[[list[str]], object]


@dataclass(frozen=True)
class Side:
    """One of those that are measured.

    Attributes:
        name: What it is called in the table.
        work: Goes through the next texts, and says how many they were.
        texts: How many texts are a round.
        against: The name of its baseline, or nothing.
    """

    name: str
    work: Callable[[], int]
    texts: int
    against: str = ""


def load_texts(dice: random.Random) -> list[str]:
    """Finds tweets, or makes some up.

    Args:
        dice: What is random about it.

    Returns:
        `TEXTS` different ones.
    """
    folder = Path(os.environ.get(DATA, "nowhere"), "social/tweeteval")
    lines = {
        line.strip(): None
        for path in sorted(folder.rglob("*text.txt"))
        for line in path.read_text("utf-8", "replace").splitlines()
        if line.strip() and not _has_marked_letter(line)
    }
    if len(lines) >= TEXTS:
        return dice.sample(list(lines), TEXTS)
    words = [_made_up(dice) for _ in range(30_000)]
    return [
        f"@user{n} " + " ".join(dice.choices(words, k=18)) + f" #{dice.choice(words)}"
        for n in range(TEXTS)
    ]


def load_phrases(dice: random.Random) -> list[str]:
    """Finds names and phrases, or makes some up.

    Args:
        dice: What is random about it.

    Returns:
        `PHRASES` different ones, none of which has a sign.
    """
    folder = Path(os.environ.get(DATA, "nowhere"), "keywords/corpora")
    found = {
        fold(text.strip()): None
        for path in sorted(folder.rglob("*.json"))
        for text in _strings(json.loads(path.read_text("utf-8")))
        if 3 <= len(text) <= 40 and text[0].isalpha() and not _has_marked_letter(text)
    }
    if len(found) >= PHRASES:
        return dice.sample(list(found), PHRASES)
    return [f"{_made_up(dice)} {number}" for number in range(PHRASES)]


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _made_up(dice: random.Random) -> str:
    return "".join(dice.choices("etaoinshrdlucmfwypvbgkq", k=dice.randint(2, 9)))


def _has_marked_letter(text: str) -> bool:
    return not text.isascii() and any(
        unicodedata.category(mark)[0] == "M" and re.match(r"\w", letter)
        for letter, mark in itertools.pairwise(text)
    )


def _words(phrase: str) -> list[str]:
    return [phrase[start:end] for start, end in oracle.words(phrase)]


def _pattern(phrase: str) -> str:
    between = r"\W+".join(map(re.escape, _words(phrase)))
    return rf"(?<!\w){between}(?!\w)"


def alternation(phrases: list[str]) -> Work:
    """Makes the baseline of one pattern.

    Args:
        phrases: What is looked for.

    Returns:
        A function that finds it in texts.
    """
    pattern = re.compile("|".join(map(_pattern, phrases)))
    return lambda texts: [
        match.span() for text in texts for match in pattern.finditer(fold(text))
    ]


class Prefiltered:
    """The baseline of an automaton before patterns.

    Args:
        phrases: What is looked for.
    """

    def __init__(self, phrases: list[str]) -> None:
        self._patterns = [re.compile(_pattern(phrase)) for phrase in phrases]
        by_word: dict[str, list[int]] = {}
        for index, phrase in enumerate(phrases):
            by_word.setdefault(max(_words(phrase), key=len), []).append(index)
        self._automaton: Any = importlib.import_module("ahocorasick").Automaton()
        for word, indices in by_word.items():
            self._automaton.add_word(word, indices)
        self._automaton.make_automaton()

    def __call__(self, texts: list[str]) -> list[tuple[int, int, int, int]]:
        """Finds the phrases.

        Args:
            texts: The texts.

        Returns:
            Row, phrase, start and end of each hit.
        """
        hits: list[tuple[int, int, int, int]] = []
        for row, text in enumerate(map(fold, texts)):
            candidates = {i for _, found in self._automaton.iter(text) for i in found}
            for index in candidates:
                for match in self._patterns[index].finditer(text):
                    hits.append((row, index, *match.span()))
        return hits


def check(table: PhraseTable, baseline: Prefiltered, texts: list[str]) -> None:
    """Compares hits.

    Args:
        table: What is measured.
        baseline: What it is measured against.
        texts: In which texts.

    Raises:
        SystemExit: If hits differ.
    """
    hits = table.find(pa.array(texts))
    columns = (hits.row, hits.phrase, hits.start, hits.end)
    mine = set(zip(*(column.tolist() for column in columns), strict=True))
    theirs = set(baseline(texts))
    if mine != theirs:
        raise SystemExit(f"hits differ: {sorted(mine ^ theirs)[:5]}")


def measure(sides: Sequence[Side], rounds: int) -> dict[str, float]:
    """Measures all sides in turns.

    Args:
        sides: What is measured.
        rounds: How often each.

    Returns:
        Texts per second of each: the median of its rounds.
    """
    speeds: dict[str, list[float]] = {side.name: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            texts, start = 0, time.thread_time()
            while texts < side.texts:
                texts += side.work()
            speeds[side.name].append(texts / (time.thread_time() - start))
    return {name: statistics.median(found) for name, found in speeds.items()}


def make_sides(texts: list[str], phrases: list[str]) -> list[Side]:
    """Makes what is measured.

    Args:
        texts: In which texts is looked.
        phrases: For what.

    Returns:
        The sides, baselines before those that are measured against them.
    """
    batches = [texts[at : at + BATCH] for at in range(0, TEXTS, BATCH)]
    arrays = [pa.array(batch) for batch in batches]
    table = PhraseTable.build(phrases)
    sides: list[Side] = []

    def baseline(name: str, work: Work, few: int, size: int = BATCH) -> None:
        following = itertools.cycle(batches)

        def once() -> int:
            work(next(following)[:size])
            return size

        sides.append(Side(name, once, few))

    def ours(name: str, work: Callable[[pa.Array[Any]], object], against: str) -> None:
        following = itertools.cycle(arrays)

        def once() -> int:
            work(next(following))
            return BATCH

        sides.append(Side(name, once, TEXTS, against))

    best = "re"
    baseline(best, alternation(phrases), FEW, FEW)
    if find_spec("ahocorasick"):
        best = "pyahocorasick + re"
        prefiltered = Prefiltered(phrases)
        check(table, prefiltered, texts[: 2 * BATCH])
        baseline(best, prefiltered, 2 * BATCH)
    ours("find", table.find, best)
    prefixes = PhraseTable.build([Term(p, TermKind.PREFIX) for p in phrases])
    ours("find prefixes", prefixes.find, best)
    substrings = PhraseTable.build(phrases, boundaries=False)
    ours("find substrings", substrings.find, best)
    baseline(
        "oracle", lambda texts: [oracle.entities(text) for text in texts], BATCH, BATCH
    )
    ours("entities", entities, "oracle")
    return sides


def main(rounds: int) -> None:
    """Measures, and prints a table of posts per second.

    Args:
        rounds: How often each side is measured.
    """
    dice = random.Random(1)  # nosec B311
    sides = make_sides(load_texts(dice), load_phrases(dice))
    speeds = measure(sides, rounds)
    print(f"{'':20}{'posts/s':>12}  against")
    for side in sides:
        ratio = ""
        if side.against:
            times = speeds[side.name] / speeds[side.against]
            ratio = f"{times:.0f}x {side.against}"
        print(f"{side.name:20}{speeds[side.name]:>12,.0f}  {ratio}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
