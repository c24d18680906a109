"""Rules as Hypothesis makes them, for tests."""

from hypothesis import strategies as st

from rookery.matching._expression import (
    Kind,
    Node,
    Not,
    Term,
    conjunction,
    disjunction,
)

WORDS = st.sampled_from(
    ["fire", "Boulder", "flood", "4mile", "ΣΊΣΥΦΟΣ", "straße", "東京", "привет", "a_b"]
)
SYMBOLS = st.sampled_from(["🔥", "☀\ufe0f", "🔥☀"])
QUOTED = st.sampled_from(
    [
        "boulder fire",
        'a "quoted" word',
        "back\\slash",
        "OR",
        "from: nobody",
        "-x",
        "é e",
    ]
)


def terms() -> st.SearchStrategy[Term]:
    """Returns a strategy for any term of the language."""
    plain = [Kind.KEYWORD, Kind.HASHTAG, Kind.MENTION, Kind.CASHTAG]
    return st.one_of(
        st.builds(Term, st.sampled_from(plain), WORDS),
        st.builds(Term, st.just(Kind.PHRASE), QUOTED),
        st.builds(Term, st.just(Kind.KEYWORD), SYMBOLS),
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


def expressions() -> st.SearchStrategy[Node]:
    """Returns a strategy for any expression that a rule may have."""
    return st.recursive(terms(), _larger, max_leaves=8)
