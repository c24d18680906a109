"""Rules and posts as Hypothesis makes them, and what rules mean in plain Python.

`holds` evaluates one rule on one post with loops and `re`. It shares with the matcher
only the tree of a rule: tests compare the two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import pyarrow as pa
from hypothesis import strategies as st

from rookery.matching._language._expression import (
    And,
    Node,
    Not,
    Or,
    conjunction,
    disjunction,
    is_anchored,
)
from rookery.matching._language._leaves import (
    Edge,
    Field,
    FieldName,
    Has,
    Kind,
    Leaf,
    Near,
    Prefix,
    Regex,
    Substring,
    Term,
)
from rookery.operators import identify
from rookery.text import entities, oracle

WORDS: Final = st.sampled_from(
    ["fire", "Boulder", "flood", "4mile", "ΣΊΣΥΦΟΣ", "straße", "東京", "привет", "a_b"]
)
SYMBOLS: Final = st.sampled_from(["🔥", "☀\ufe0f", "🔥☀"])
QUOTED: Final = st.sampled_from(
    [
        "boulder fire",
        'a "quoted" word',
        "back\\slash",
        "OR",
        "from: nobody",
        "-x",
        "é e",
        "#flood, fire",
        "/x/ y*",
    ]
)
PREFIXES: Final = st.sampled_from(["fi", "b", "σί", "東", "4", "fire", "при"])
SUBSTRINGS: Final = st.sampled_from(["ire", "京", "# ", "R f", '"', "🔥 ", "a\\b", "("])
CLOSE: Final = st.sampled_from(
    ["fire boulder", "Fire, fire", "#flood fire", "a b or", "東京 FIRE", "x fire x"]
)
REGULAR: Final = (
    r"fi.e",
    r"b[aeiou]+ld",
    r"\bflood(?:s|ed)?\b",
    r"\d{1,3}",
    r"(boulder|fire) \w+",
    r"^\W*fire",
    r"东|東京$",
    r"[^\s\w]{2,}",
    r"[А-Я]+",
    r"a_b|x/y",
    r"f(i|o)+r?e?",
    r"\bσίσυφο\w\b",
    r"[à-ÿ]|ß",
    r"fire\n?x*?$",
)
PATTERNS: Final = st.sampled_from(REGULAR)
PLAIN: Final = (Kind.KEYWORD, Kind.HASHTAG, Kind.MENTION, Kind.CASHTAG)
FIELDS: Final = st.one_of(
    st.builds(
        Field,
        st.just(FieldName.FROM),
        st.sampled_from(["nasa", "Ärzte", "two words"]),
    ),
    st.builds(
        Field, st.just(FieldName.SOURCE), st.sampled_from(["bluesky", "RSS", "x y"])
    ),
    st.builds(
        Field,
        st.just(FieldName.URL),
        st.sampled_from(["example.com", "https://www.bbc.co.uk/News", "a/1"]),
    ),
    st.builds(
        Field, st.just(FieldName.LANG), st.sampled_from(["en", "pt-BR", "ja", "de"])
    ),
    st.builds(
        Field, st.just(FieldName.HAS), st.sampled_from([each.value for each in Has])
    ),
)

_TEXT: Final = st.sampled_from(
    [
        *("fire", "Boulder", "#flood", "4mile", "σίσυφος", "STRASSE", "@東京", "or"),
        *("$привет", "a_b", "back", "slash", "from", "nobody", "quoted", "x", "🔥"),
        *(
            "☀",
            "＃Flood",
            "a",
            "b",
            "É",
            "straẞe",
            "floods",
            "firefox",
            "$CASH",
            "fixe",
        ),
        *("http://example.com/a/1", "https://bbc.co.uk/news", "@nasa", "y", "БОЛЬШЕ"),
        *("東京都", "!!", "This is a plain English sentence", "x/y"),
    ]
)
_JOINED: Final = st.sampled_from([" ", " ", " ", ", ", "\n", "", "-"])


def leaves_of_rules() -> st.SearchStrategy[Leaf]:
    """Returns a strategy for any leaf of the language."""
    return st.one_of(
        st.builds(Term, st.sampled_from(PLAIN), WORDS),
        st.builds(Term, st.just(Kind.PHRASE), QUOTED),
        st.builds(Term, st.just(Kind.KEYWORD), SYMBOLS),
        st.builds(Prefix, st.sampled_from(["", "#", "@", "$"]), PREFIXES),
        st.builds(Substring, SUBSTRINGS),
        st.builds(Edge, QUOTED, st.just(True), st.booleans()),
        st.builds(Edge, WORDS, st.just(False), st.just(True)),
        st.builds(Near, CLOSE, st.integers(0, 4)),
        st.builds(Regex, PATTERNS),
        FIELDS,
    )


def _larger(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(children, min_size=1, max_size=3)
    less = st.lists(st.builds(Not, children), max_size=2)
    subtracted = st.tuples(some, less).map(
        lambda pair: conjunction([*pair[0], *pair[1]])
    )
    return st.one_of(
        subtracted, st.lists(children, min_size=2, max_size=3).map(disjunction)
    )


def expressions(
    leaves: st.SearchStrategy[Leaf] | None = None, *, most: int = 8
) -> st.SearchStrategy[Node]:
    """Returns a strategy for any expression that a rule may have.

    Args:
        leaves: What it is made of; by default `leaves_of_rules`.
        most: How many leaves it has at most.

    Returns:
        The strategy.
    """
    some = leaves_of_rules() if leaves is None else leaves
    return st.recursive(some, _larger, max_leaves=most).filter(is_anchored)


def texts() -> st.SearchStrategy[str]:
    """Returns a strategy for texts in which leaves of these rules often stand."""
    pieces = st.lists(st.tuples(_TEXT, _JOINED), min_size=1, max_size=8)
    return pieces.map(lambda pairs: "".join(word + join for word, join in pairs))


def posts() -> st.SearchStrategy[dict[str, Any]]:
    """Returns a strategy for posts, by column."""
    addresses = ["https://www.example.com/x", "http://bbc.co.uk/news/a/1"]
    return st.fixed_dictionaries(
        {
            "text": texts(),
            "author": st.sampled_from([None, "NASA", "ärzte", "nobody"]),
            "source": st.sampled_from(["bluesky", "rss", "test"]),
            "language": st.sampled_from([None, "en", "EN_gb", "pt-BR", "pt", "ja"]),
            "links": st.lists(st.sampled_from(addresses), max_size=2),
            "media": st.sampled_from([[], ["https://example.com/x.jpg"]]),
        }
    )


def holds(node: Node, post: Mapping[str, Any]) -> bool:
    """Tells what a rule means, as plainly as can be.

    Args:
        node: The expression of the rule.
        post: A post, by column.

    Returns:
        Whether the rule matches the post.
    """
    match node:
        case Not(child):
            return not holds(child, post)
        case And(children):
            return all(holds(child, post) for child in children)
        case Or(children):
            return any(holds(child, post) for child in children)
        case Field():
            return _field(node, post)
        case _:
            return _in_text(node, post["text"])


def _in_text(leaf: Leaf, text: str) -> bool:
    folded = oracle.fold(text)
    match leaf:
        case Term(kind, term):
            sign = "" if kind in (Kind.KEYWORD, Kind.PHRASE) else kind.value
            if not oracle.words(term):
                return oracle.fold(term.rstrip("\ufe0e\ufe0f")) in folded
            return bool(oracle.find([sign + term], [text]))
        case Prefix(sign, beginning):
            return any(
                folded.startswith(oracle.fold(beginning), start)
                and (not sign or _sign(text, start) == sign)
                for start, _ in oracle.words(text)
            )
        case Substring(part):
            return oracle.fold(part) in folded
        case Edge(phrase, start, end):
            words = oracle.words(text)
            firsts = {words[0][0], words[0][0] - 1} if words else set()
            return any(
                (not start or hit.start in firsts)
                and (not end or hit.end == words[-1][1])
                for hit in oracle.find([phrase], [text])
            )
        case Near(wanted, distance):
            return _near(wanted, distance, text)
        case Regex(source):
            pattern = re.sub(r"\$$", r"\\Z", source)
            return re.search(pattern, folded, re.IGNORECASE) is not None
        case _:
            raise TypeError(leaf)


def _near(wanted: str, distance: int, text: str) -> bool:
    """Tries all stretches of the text that are short enough."""
    wanted_words = Counter(
        (_sign(wanted, start), oracle.fold(wanted[start:end]))
        for start, end in oracle.words(wanted)
    )
    size = sum(wanted_words.values()) + distance
    words = [
        (_sign(text, start), oracle.fold(text[start:end]))
        for start, end in oracle.words(text)
    ]
    for first in range(len(words)):
        stretch = words[first : first + size]
        if all(
            sum(word == has and sign in ("", there) for there, has in stretch) >= many
            for (sign, word), many in wanted_words.items()
        ):
            return True
    return False


def _sign(text: str, start: int) -> str:
    signs = {"#": "#", "＃": "#", "@": "@", "＠": "@", "$": "$"}
    return signs.get(text[start - 1], "") if start else ""


def _field(field: Field, post: Mapping[str, Any]) -> bool:
    text, value = post["text"], oracle.fold(field.value)
    match field.name:
        case FieldName.FROM:
            author = post["author"]
            return author is not None and oracle.fold(author) == value
        case FieldName.SOURCE:
            return oracle.fold(post["source"]) == value
        case FieldName.URL:
            value = re.sub(r"^(https?://)?(www\.)?", "", value)
            addresses = [*post["links"], *_entities(text, "urls")]
            return bool(oracle.find([value], addresses))
        case FieldName.LANG:
            language = post["language"]
            if language is None:
                language = identify(text) or ""
            return f"{language.lower().replace('_', '-')}-".startswith(f"{value}-")
        case FieldName.HAS:
            return _HAS[Has(field.value)](post)


def _entities(text: str, kind: str) -> list[str]:
    found: list[str] = getattr(entities(pa.array([text])), kind)[0].as_py()
    return found


_HAS: Final[dict[Has, Callable[[Mapping[str, Any]], bool]]] = {
    Has.LINKS: lambda post: bool(post["links"] or _entities(post["text"], "urls")),
    Has.MEDIA: lambda post: bool(post["media"]),
    Has.MENTIONS: lambda post: bool(_entities(post["text"], "mentions")),
    Has.HASHTAGS: lambda post: bool(_entities(post["text"], "hashtags")),
    Has.CASHTAGS: lambda post: bool(_entities(post["text"], "cashtags")),
}
