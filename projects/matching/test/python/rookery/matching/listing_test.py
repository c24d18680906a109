import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.matching import MatchingError, RuleFormat, RuleSet
from rookery.matching._store._listing import Listed, Listing

_TEXTS = ("fire", '"a = b" -drill', "#tag", "{x", "/a{2}/", "from:nasa", "🔥 OR a")
_RULES = st.lists(
    st.fixed_dictionaries(
        {"rule": st.sampled_from(_TEXTS)},
        optional={
            "id": st.text(min_size=1, max_size=8).filter(str.strip),
            "tags": st.lists(st.text(max_size=3), max_size=2),
            "enabled": st.booleans(),
        },
    ),
    max_size=6,
    unique_by=lambda rule: rule.get("id", rule["rule"]),
)


@given(_RULES)
def test_what_is_stored_is_listed_as_it_is_parsed(written: list[object]) -> None:
    lines = "\n".join(json.dumps(rule) for rule in written)
    try:
        rules = RuleSet.read(lines, RuleFormat.JSONL)
    except MatchingError:
        return  # two rules have the same name after all
    read = Listing.read(str(rules), rules.version)
    assert read == Listing.of(rules)
    assert list(read.rules) == [rule.id for rule in rules.rules]
    assert (read.version, str(read)) == (rules.version, str(rules))
    assert tuple(one.parsed() for one in read.rules.values()) == rules.rules


@pytest.mark.parametrize(
    "text", ["", "a = fire\n", "b = fire\nb = fire\n", '{"x": 1}\n', '{"id', "[" * 9]
)
def test_what_is_not_what_was_stored_is_damaged(text: str) -> None:
    version = RuleSet.parse(["b = fire"]).version
    with pytest.raises(MatchingError, match=f"version {version} are damaged"):
        Listing.read(text, version)


def test_tags_and_switch_change_without_the_expression() -> None:
    changed = Listed.read("a = fire -drill").altered(tags=["x", "b", "x"])
    assert changed == Listed.read(
        '{"id": "a", "rule": "fire -drill", "tags": ["b", "x"]}'
    )
    off = changed.altered(enabled=False)
    assert (off.tags, off.enabled) == (("b", "x"), False)
    assert off.altered(tags=(), enabled=True).line == "a = fire -drill"
