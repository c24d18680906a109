"""Posts and the terms that are looked for, real ones where there are any."""

from __future__ import annotations

import csv
import itertools
import json
import os
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rookery.text import fold

DATA: Final = "ROOKERY_DATA"
SEED: Final = 20_120_626
# Which languages the folders of XLM-T are in.
_LANGUAGES: Final = {
    "arabic": "ar",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "portuguese": "pt",
    "spanish": "es",
}
_WORD: Final = re.compile(r"\w+")
_MOST_WORDS: Final = 4
_SHORTEST: Final = 3
# A word in more of the posts than this is nothing to track.
_FLOOD: Final = 0.005
_LETTERS: Final = "etaoinshrdlucmfwypvbgkq"


@dataclass(frozen=True)
class Posts:
    """What is read.

    Attributes:
        texts: One text for each post.
        languages: The language of each.
        real: Whether people wrote them.
    """

    texts: list[str]
    languages: list[str]
    real: bool

    @property
    def megabytes(self) -> float:
        """How long all texts are in UTF-8, in millions of bytes."""
        return sum(len(text.encode()) for text in self.texts) / 1e6


@dataclass(frozen=True)
class Terms:
    """What is looked for.

    Attributes:
        terms: Folded, of one to four words with a space between them, in random order.
        real: Whether people tracked or named them.
    """

    terms: list[str]
    real: bool


def load_posts(count: int) -> Posts:
    """Finds tweets, or makes some up.

    Tweets in which a combining mark stands behind a letter are left out: `re`, and
    whatever else goes by its words, counts it as no part of the word.

    Args:
        count: How many there are to be at most.

    Returns:
        Different tweets of TweetEval, CrisisLex and XLM-T in random order, or as many
        made up ones where ROOKERY_DATA does not have them.
    """
    dice = random.Random(SEED)  # nosec B311
    found = {
        text: language
        for text, language in _tweets(_folder())
        if text and not has_marked_letter(text)
    }
    if found:
        chosen = dice.sample(list(found.items()), min(count, len(found)))
        return Posts([text for text, _ in chosen], [each for _, each in chosen], True)
    words = [_made_up(dice) for _ in range(30_000)]
    texts = [
        f"@user{n} {' '.join(dice.choices(words, k=14))} #{dice.choice(words)}"
        for n in range(count)
    ]
    return Posts(texts, dice.choices(["en", "es", "de"], (8, 1, 1), k=count), False)


def load_terms(posts: Posts) -> Terms:
    """Finds terms that people tracked, and names they gave, or makes some up.

    Words that stand in more than 0.5 % of the posts are left out: alone, nobody tracks
    them.

    Args:
        posts: In which posts.

    Returns:
        All different ones: the keywords of CrisisLex's events and its lexicon, the names
        and things of Corpora, companies on NASDAQ, LDNOOBW.
    """
    dice = random.Random(SEED)  # nosec B311
    terms = list(dict.fromkeys(filter(None, map(plain, _keywords(_folder())))))
    real = bool(terms)
    if not real:
        terms = list({_made_up(dice): None for _ in range(15_000)})
    found = Counter(
        word for text in posts.texts for word in set(_WORD.findall(fold(text)))
    )
    terms = [term for term in terms if found[term] <= _FLOOD * len(posts.texts)]
    dice.shuffle(terms)
    return Terms(terms, real)


def scale(terms: list[str], count: int, dice: random.Random) -> list[str]:
    """Makes as many terms as are asked for.

    Where there are too few, they are repeated with variation, as people vary what they
    track: a word of another term is put behind one or takes the place of its last word.

    Args:
        terms: Different terms, in random order.
        count: How many there are to be.
        dice: What is random about it.

    Returns:
        The first terms, then variations; all are different, and of four words at most.
        Where there are not enough words for so many, numbers take their place.
    """
    scaled = dict.fromkeys(terms[:count])
    words = list(dict.fromkeys(word for term in terms for word in term.split()))
    tries = 0
    while len(scaled) < count:
        term = dice.choice(terms).split()
        full = len(term) == _MOST_WORDS
        # Of one word, nothing would be left of the term.
        kept = term[:-1] if full or len(term) > 1 and dice.random() < 0.5 else term
        before, tries = len(scaled), tries + 1
        word = dice.choice(words) if tries < 2 * count + 1000 else str(before)
        scaled[" ".join([*kept, word])] = None
    return list(scaled)


def plain(term: str) -> str:
    """Writes a term as folded words.

    Args:
        term: As somebody wrote it.

    Returns:
        Its words; nothing where there are none, more than four, or fewer than three
        characters.
    """
    words = _WORD.findall(fold(term))
    joined = " ".join(words)
    if not 1 <= len(words) <= _MOST_WORDS or len(joined) < _SHORTEST:
        return ""
    return "" if has_marked_letter(term) else joined


def has_marked_letter(text: str) -> bool:
    """Tells whether a combining mark stands behind a letter.

    Args:
        text: Any text.

    Returns:
        Whether one does.
    """
    return not text.isascii() and any(
        unicodedata.category(mark)[0] == "M" and _WORD.match(letter)
        for letter, mark in itertools.pairwise(text)
    )


def _folder() -> Path:
    return Path(os.environ.get(DATA) or "no-data")


def _tweets(folder: Path) -> Iterator[tuple[str, str]]:
    """Yields texts and their languages; white space within them is one space each."""
    for path in sorted(folder.glob("social/tweeteval/**/*text.txt")):
        yield from ((_line(line), "en") for line in _lines(path))
    for path in sorted(folder.glob("social/crisislex/CrisisLexT6/*/*.csv")):
        yield from ((text, "en") for text in _column(path, "tweet"))
    for path in sorted(folder.glob("social/crisislex/CrisisLexT26/*/*labeled.csv")):
        language = "es" if "Costa_Rica" in path.name else "en"
        yield from ((text, language) for text in _column(path, "tweet text"))
    for path in sorted(folder.glob("social/xlm-t/sentiment/*/*text.txt")):
        language = _LANGUAGES.get(path.parent.name, "en")
        yield from ((_line(line), language) for line in _lines(path))


def _keywords(folder: Path) -> Iterator[str]:
    for path in sorted(
        folder.glob("social/crisislex/CrisisLexT26/*/*description.json")
    ):
        # Some of them have a comma too many, so only the list of keywords is read.
        written = re.search(r'"keywords"\s*:\s*(\[[^\]]*\])', path.read_text("utf-8"))
        yield from _strings(json.loads(written[1])) if written else ()
    for path in sorted(folder.glob("social/crisislex/CrisisLexLexicon/*.txt")):
        yield from _lines(path)
    for path in sorted(folder.glob("keywords/corpora/**/*.json")):
        # Lists of the words of a language name nothing that anybody tracks.
        if "words" in path.parts:
            continue
        yield from _strings(json.loads(path.read_text("utf-8")))
    for path in sorted(folder.glob("keywords/nasdaq-listings/*-symbols.csv")):
        for name in _column(path, "company name"):
            yield re.sub(r"[,.]? (Inc|Corp|Corporation|Ltd|Limited|plc)\b.*", "", name)
    for path in sorted(folder.glob("keywords/ldnoobw/??")):
        yield from _lines(path)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines()


def _line(text: str) -> str:
    return " ".join(text.split())


def _column(path: Path, name: str) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = csv.reader(file)
        header = [title.strip().lower() for title in next(rows, [])]
        at = header.index(name)
        yield from (_line(row[at]) for row in rows if len(row) > at)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        parts: Iterable[object] = value.values() if isinstance(value, dict) else value
        for part in parts:
            yield from _strings(part)


def _made_up(dice: random.Random) -> str:
    return "".join(dice.choices(_LETTERS, k=dice.randint(3, 9)))
