"""How fast phrases and entities are found, against what else Python offers for it.

Each side works through the same 20,000 different tweets in batches of 1,000, in one
thread, whose processor time is what counts: a busy machine disturbs that least. What is
looked for is 10,000 names and phrases, whole words in any case. The baselines:

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

    python lib/text/bench/python/rookery/text/kernel_bench.py [--fast]
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import random
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyperf  # type: ignore[import-untyped]  # has neither types nor stubs

from rookery.text import PhraseTable, Term, TermKind, entities, fold, oracle

TEXTS, BATCH, PHRASES = 20_000, 1000, 10_000
# A slow side does so many of a batch.
FEW = 20
DATA = "ROOKERY_DATA"
Work: TypeAlias = Callable[[list[str]], object]


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


def timed(loops: int, work: Callable[[], object]) -> float:
    """Measures work.

    Args:
        loops: How often it is done.
        work: The work.

    Returns:
        The seconds that this thread has used.
    """
    start = time.thread_time()
    for _ in range(loops):
        work()
    return time.thread_time() - start


def main() -> None:
    """Measures, and prints a table of posts per second."""
    runner = pyperf.Runner(processes=3, values=5)
    runner.parse_args()
    runner.args.inherit_environ = [DATA, "PYTHONPATH"]
    dice = random.Random(1)  # nosec B311
    texts, phrases = load_texts(dice), load_phrases(dice)
    batches = [texts[at : at + BATCH] for at in range(0, TEXTS, BATCH)]
    arrays = [pa.array(batch) for batch in batches]
    table = PhraseTable.build(phrases)
    prefixes = PhraseTable.build([Term(p, TermKind.PREFIX) for p in phrases])
    substrings = PhraseTable.build(phrases, boundaries=False)

    measured: list[tuple[str, Callable[[], object], int, str | None]] = []

    def add(name: str, work: Work, size: int = BATCH) -> None:
        following = itertools.cycle(batches)
        measured.append((name, lambda: work(next(following)[:size]), size, None))

    def add_ours(
        name: str, work: Callable[[pa.Array[Any]], object], *baselines: str
    ) -> None:
        following = itertools.cycle(arrays)
        known = {name for name, *_ in measured}
        baseline = next((name for name in baselines if name in known), None)
        measured.append((name, lambda: work(next(following)), BATCH, baseline))

    add("re", alternation(phrases), FEW)
    if find_spec("ahocorasick"):
        baseline = Prefiltered(phrases)
        check(table, baseline, texts[: 2 * BATCH])
        add("pyahocorasick + re", baseline)
    faster = ("pyahocorasick + re", "re")
    add_ours("find", table.find, *faster)
    add_ours("find prefixes", prefixes.find, *faster)
    add_ours("find substrings", substrings.find, *faster)
    add("oracle", lambda texts: [oracle.entities(text) for text in texts], FEW)
    add_ours("entities", entities, "oracle")

    results = {
        name: runner.bench_time_func(name, timed, work) for name, work, _, _ in measured
    }
    if runner.args.worker or any(result is None for result in results.values()):
        return
    speeds = {
        name: size / result.median()
        for name, _, size, _ in measured
        if (result := results[name])
    }
    print(f"\n{'':20}{'posts/s':>12}  against")
    for name, _, _, against in measured:
        ratio = f"{speeds[name] / speeds[against]:.1f}x {against}" if against else ""
        print(f"{name:20}{speeds[name]:>12,.0f}  {ratio}")


if __name__ == "__main__":
    main()
