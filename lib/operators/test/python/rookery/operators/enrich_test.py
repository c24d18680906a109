import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from rookery.operators import enrich
from rookery.operators._language import identify
from rookery.operators._sentiment import MAX_CHARACTERS, polarity
from rookery.records import MATCH, empty
from rookery.records.testing import match_batch
from rookery.service.testing import require

ENGLISH = "What a wonderful morning this is, I love it"
GERMAN = "Guten Morgen zusammen, heute scheint endlich wieder die Sonne"


@pytest.fixture(scope="module")
def vader() -> Any:
    return SentimentIntensityAnalyzer()


def enriched(**values: object) -> dict[str, Any]:
    (row,) = enrich(match_batch([values])).to_pylist()
    return dict(row)


def test_matches_keep_their_rows_and_their_schema() -> None:
    batch = match_batch([{"text": ENGLISH, "rules": ["r"], "likes": 3}, {}])
    after = enrich(batch)
    assert after.schema.equals(MATCH, check_metadata=True)
    found = {"detected_language", "sentiment", "hashtags", "mentions", "domains"}
    for name in set(MATCH.names) - found:
        assert after.column(name).equals(batch.column(name))


def test_nothing_is_enriched_to_nothing() -> None:
    assert enrich(empty(MATCH)).equals(empty(MATCH))


def test_enriching_again_changes_nothing() -> None:
    once = enrich(match_batch([{"text": ENGLISH}, {"text": GERMAN, "language": "de"}]))
    assert enrich(once).equals(once)


def test_entities_are_those_of_the_text() -> None:
    row = enriched(text="Thanks @anna! #HighPark #fire https://www.example.org/a?b=c")
    assert row["hashtags"] == ["HighPark", "fire"]
    assert row["mentions"] == ["anna"]
    assert row["domains"] == ["example.org"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (ENGLISH.upper(), "en"),
        (GERMAN, "de"),
        ("Esta mañana hubo un terremoto muy fuerte en la costa", "es"),
        ("今日はとても良い天気ですね", "ja"),
        ("@a_b https://example.org/how/are/you #Guten " + GERMAN, "de"),
        ("one line of english\nand another\r\none with \x00 in it", "en"),
        ("", None),
        ("?! \u2764\ufe0f 12", None),
        ("@somebody https://example.org/hello/world #news", None),
        ("ok", None),
    ],
)
def test_a_language_is_identified_where_none_is_declared(
    text: str, language: str | None
) -> None:
    assert enriched(text=text)["detected_language"] == language


def test_a_language_is_not_identified_where_one_is_declared() -> None:
    row = enriched(text=GERMAN, language="de-AT")
    assert (row["language"], row["detected_language"]) == ("de-AT", None)


@pytest.mark.parametrize(
    ("language", "text", "scored"),
    [
        ("en", ENGLISH, True),
        ("en-GB", ENGLISH, True),
        ("EN_us", ENGLISH, True),
        (None, ENGLISH, True),
        ("en", GERMAN, True),
        ("enm", ENGLISH, False),
        ("es", ENGLISH, False),
        (None, GERMAN, False),
        (None, "??", False),
    ],
)
def test_sentiment_is_that_of_english_text_alone(
    language: str | None, text: str, scored: bool
) -> None:
    assert (enriched(language=language, text=text)["sentiment"] is not None) is scored


def test_sentiment_tells_praise_from_blame() -> None:
    batch = match_batch(
        {"language": "en", "text": text}
        for text in ("I love this, great work!", "the sky", "a horrible, sad mess")
    )
    scores: list[Any] = enrich(batch).column("sentiment").to_pylist()
    praise, nothing, blame = scores
    assert 0.5 < praise <= 1
    assert nothing == 0
    assert -1 <= blame < -0.5


WORDS = [
    "good",
    "GOOD",
    "bad",
    "not",
    "never",
    "so",
    "this",
    "without",
    "doubt",
    "least",
    "at",
    "very",
    "VERY",
    "kind",
    "of",
    "sort of",
    "but",
    "no",
    "nor",
    "isn't",
    "the shit",
    "bad ass",
    "yeah right",
    "kiss of death",
    ":)",
    ":-(",
    "lol",
    "fire",
    "the",
    "\U0001f600",
    "x\U0001f62d",
    "\u0130",
    "great!!!",
    "why???",
    "(sad)",
]


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text())
def test_a_score_is_the_one_that_vader_gives(vader: Any, text: str) -> None:
    assert polarity(text) == vader.polarity_scores(text)["compound"]


def test_scores_of_real_tweets_are_those_that_vader_gives(vader: Any) -> None:
    root = Path(require("data")) / "social/tweeteval"
    path = next(iter(sorted(root.rglob("*sentiment*/*val*text.txt"))))
    tweets = path.read_text(encoding="utf-8").splitlines()[:1000]
    assert len(tweets) == 1000
    different = [
        tweet
        for tweet in tweets
        if polarity(tweet) != vader.polarity_scores(tweet)["compound"]
    ]
    assert different == []


@pytest.mark.parametrize("tokens", ["good ", "good but ", "not good ", "\U0001f600"])
@pytest.mark.timeout(10)
def test_a_long_text_is_scored_by_its_beginning_and_soon(tokens: str) -> None:
    text = tokens * (64 * 1024 // len(tokens))
    assert polarity(text) == polarity(text[:MAX_CHARACTERS])
    assert identify(text) == identify(text[: 2 * MAX_CHARACTERS])


def test_threads_that_start_at_once_share_one_model() -> None:
    start = threading.Barrier(4)
    batch = match_batch([{"text": f"{ENGLISH} {n}"} for n in range(20)])

    def work() -> pa.RecordBatch:
        start.wait(timeout=10)
        return enrich(batch)

    with ThreadPoolExecutor(4) as pool:
        results = [future.result() for future in [pool.submit(work) for _ in range(4)]]
    assert all(result.equals(results[0]) for result in results)
    assert results[0].column("detected_language").to_pylist() == ["en"] * 20


@given(data=st.data())
def test_enriching_row_by_row_gives_the_same(
    any_matches: st.SearchStrategy[pa.RecordBatch], data: st.DataObject
) -> None:
    batch = data.draw(any_matches)
    whole = enrich(batch)
    for row in range(batch.num_rows):
        assert enrich(batch.slice(row, 1)).equals(whole.slice(row, 1))


XLM_T = {"english": "en", "french": "fr", "german": "de", "spanish": "es"}


@pytest.mark.parametrize("folder", XLM_T)
def test_the_language_of_most_real_tweets_is_identified(folder: str) -> None:
    root = Path(require("data")) / "social/xlm-t/sentiment"
    text = (root / folder / "val_text.txt").read_text(encoding="utf-8")
    found = [identify(line) for line in text.splitlines()[:300]]
    right = found.count(XLM_T[folder])
    wrong = len(found) - right - found.count(None)
    assert right > 0.8 * len(found)
    assert wrong < 0.1 * len(found)
