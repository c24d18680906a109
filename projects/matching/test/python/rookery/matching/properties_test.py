"""What holds for any rule and any text whatever.

`conftest.py` says how to run these for long.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rookery.matching import (
    Matcher,
    MatchingError,
    Rule,
    RuleFileError,
    RuleFormat,
    RuleSet,
    RuleSyntaxError,
    explain,
    track_rule,
)
from rookery.matching._language._expression import (
    And,
    Node,
    Not,
    Or,
    conjunction,
    disjunction,
    is_anchored,
    is_positive,
    leaves,
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
    strip_address,
)
from rookery.matching._language._parser import Expression, parse_expression
from rookery.matching._language._terms import RESERVED
from rookery.matching._language._words import has_symbol, has_word, split_words
from rookery.matching._lint._conjunctions import alternatives
from rookery.matching._lint._meanings import Clash, Cover, Meanings
from rookery.matching.testing import FIELDS, REGULAR, expressions, holds
from rookery.records.testing import post_batch

# Words that fold into each other in odd ways, and what stands between words.
WORD = (
    *("fire", "FIRE", "boulder", "k", "\u212a", "s", "ſ", "ß", "ẞ", "ss", "fir"),
    *("i", "I", "İ", "ı", "Σ", "σ", "ς", "Ⱥ", "ⱥ", "Ꭰ", "ꭰ", "𐐀", "𐐨", "é"),
    *("e\u0301", "日本", "東京", "ไทย", "नमस्ते", "العربية", "_", "a_b", "42", "٣"),
    *("\u0345", "ᾳ", "ǅ", "internationaliſation", "INTERNATIONALISATION", "or"),
    *("привет", "ПРИВЕТ", "\u1e9b", "Å", "\u212b", "from", "b\u0301\u0302"),
)
GAP = (
    *(" ", " ", " ", ", ", "#", " #", "＃", " @", "＠", "$", "-", "\n", "\u00a0"),
    *("🔥", "☀\ufe0f", "☀", "👨‍👩‍👧", "\u200d", "\u200b", "\u0301", "'", "\x00"),
    *(
        "\U0010ffff",
        "::",
        "/",
        "\u202e",
        "\u200f",
        "\u061c",
        "🇩🇪",
        "1️⃣",
        '"',
        "\\",
    ),
    *("“", "（", "(", ")", "*", "\r", "\u2028", "\ufeff", "https://example.com/a"),
)
WORDS, BETWEEN = st.sampled_from(WORD), st.sampled_from(GAP)
MIXED = st.lists(st.one_of(WORDS, WORDS, BETWEEN), max_size=8).map("".join)
ANYTHING = st.one_of(MIXED, MIXED, MIXED, st.text(max_size=8))
WITH_WORD = ANYTHING.filter(has_word)


def is_one_word(text: str) -> bool:
    return split_words(text) == [(0, len(text))]


ONE_WORD = st.one_of(WORDS, st.text(max_size=4)).filter(is_one_word)
SIGNS = st.sampled_from(["", "#", "@", "$"])


def any_leaves() -> st.SearchStrategy[Leaf]:
    named = st.sampled_from([FieldName.SOURCE, FieldName.FROM])
    return st.one_of(
        st.builds(
            Term, st.just(Kind.KEYWORD), ONE_WORD.filter(lambda w: w not in RESERVED)
        ),
        st.builds(
            Term, st.sampled_from([Kind.HASHTAG, Kind.MENTION, Kind.CASHTAG]), ONE_WORD
        ),
        st.builds(
            Term,
            st.just(Kind.PHRASE),
            ANYTHING.filter(lambda text: has_word(text) or has_symbol(text)),
        ),
        st.builds(Prefix, SIGNS, ONE_WORD),
        st.builds(Substring, ANYTHING.filter(str.strip)),
        st.builds(Edge, WITH_WORD, st.just(True), st.booleans()),
        st.builds(Edge, WITH_WORD, st.just(False), st.just(True)),
        st.builds(
            Near,
            MIXED.filter(lambda text: 2 <= len(split_words(text)) <= 16),
            st.integers(0, 5),
        ),
        st.builds(Regex, st.sampled_from(REGULAR)),
        st.builds(
            Field, named, ANYTHING.filter(lambda t: t.strip() and t[0] not in "@＠")
        ),
        st.builds(
            Field,
            st.just(FieldName.URL),
            ANYTHING.filter(lambda text: has_word(strip_address(text))),
        ),
        FIELDS,
    )


def any_expressions() -> st.SearchStrategy[Node]:
    return expressions(any_leaves(), most=6)


def any_posts() -> st.SearchStrategy[dict[str, Any]]:
    some = st.one_of(st.none(), WORDS, ANYTHING)
    return st.fixed_dictionaries(
        {
            "text": st.one_of(
                st.just(""),
                st.lists(st.one_of(WORDS, BETWEEN, BETWEEN), max_size=16).map("".join),
                st.text(max_size=20),
            ),
            "author": some,
            "source": st.one_of(WORDS, ANYTHING),
            "language": st.sampled_from([None, "", "en", "EN_gb", "pt-BR", "zxx"]),
            "links": st.lists(
                st.one_of(ANYTHING, st.just("https://www.example.com/")), max_size=2
            ),
            "media": st.sampled_from([[], ["https://example.com/x.jpg"]]),
        }
    )


EXPRESSIONS = any_expressions()
POSTS = any_posts()


def rule_set(nodes: list[Node]) -> RuleSet:
    return RuleSet(
        tuple(Rule(str(number), Expression(node)) for number, node in enumerate(nodes))
    )


def matched(rules: RuleSet, rows: list[dict[str, Any]]) -> dict[int, list[str]]:
    batch = Matcher(rules)(post_batch(rows))
    batch.validate(full=True)
    return {match["row"]: match["rules"] for match in batch.to_pylist()}


@given(
    st.lists(EXPRESSIONS, min_size=1, max_size=6),
    st.lists(POSTS, min_size=1, max_size=5),
)
def test_the_matcher_agrees_with_plain_python(
    nodes: list[Node], rows: list[dict[str, Any]]
) -> None:
    expected = {
        row: [str(number) for number, node in enumerate(nodes) if holds(node, post)]
        for row, post in enumerate(rows)
    }
    found = matched(rule_set(nodes), rows)
    assert found == {row: rules for row, rules in expected.items() if rules}


@given(EXPRESSIONS, POSTS)
def test_the_explanation_agrees_with_the_match_clause_by_clause(
    node: Node, post: dict[str, Any]
) -> None:
    rules = rule_set([node])
    told = explain(rules.rules[0], post)
    assert told.true is bool(matched(rules, [post])) is holds(node, post)
    clauses = [told]
    seen: dict[int, tuple[str, bool]] = {}
    while clauses:
        clause = clauses.pop()
        clauses += clause.children
        for start, end in clause.spans:
            assert 0 <= start < end <= len(post["text"])
        if clause.clause is not None:
            seen[clause.clause] = (clause.text, clause.true)
    for number, leaf in enumerate(leaves(node)):
        assert seen[number] == (str(leaf), holds(leaf, post))


# A post of a megabyte takes its time.
@settings(max_examples=4)
@given(
    st.lists(EXPRESSIONS, min_size=1, max_size=4),
    POSTS,
    st.sampled_from(["a", "é ", "🔥", "fire ", "#", "\u0301", " "]),
    st.booleans(),
)
def test_a_post_of_a_megabyte_matches_what_is_in_it(
    nodes: list[Node], post: dict[str, Any], filler: str, before: bool
) -> None:
    filling = f" {filler * (1_000_000 // len(filler.encode()))} "
    long = post | {
        "text": filling + post["text"] if before else post["text"] + filling,
        "language": post["language"] or "en",
    }
    expected = [str(number) for number, node in enumerate(nodes) if holds(node, long)]
    assert matched(rule_set(nodes), [long]) == ({0: expected} if expected else {})


@given(EXPRESSIONS)
def test_what_is_printed_reads_as_the_same_expression(node: Node) -> None:
    read = parse_expression(str(node))
    assert read.node == node
    assert read.text == str(node)
    assert [leaf.key for leaf in leaves(read.node)] == [
        leaf.key for leaf in leaves(node)
    ]


@st.composite
def related(draw: st.DrawFn) -> list[Node]:
    """Draws rules some of which are made of others, so that they say alike."""
    nodes = draw(st.lists(EXPRESSIONS, min_size=1, max_size=3))
    for _ in range(draw(st.integers(0, 4))):
        some = draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=2))
        if draw(st.booleans()):
            nodes.append(disjunction([*some, draw(st.sampled_from(nodes))]))
        else:
            refused = draw(st.lists(st.sampled_from(nodes), max_size=1))
            nodes.append(conjunction([*some, *map(Not, refused)]))
    return draw(st.permutations(nodes))


@given(related(), st.lists(POSTS, min_size=1, max_size=4))
def test_what_the_lint_tells_of_rules_is_so(
    nodes: list[Node], posts: list[dict[str, Any]]
) -> None:
    doubts = list(Meanings(nodes).doubts())
    for post in posts:
        true = [holds(node, post) for node in nodes]
        for number, doubt in enumerate(doubts):
            match doubt:
                case Clash(whole=True):
                    assert not true[number]
                case Cover(other, same):
                    assert true[number] <= true[other]
                    assert not same or true[number] == true[other]


@given(EXPRESSIONS, POSTS)
def test_the_alternatives_of_a_rule_are_the_rule(
    node: Node, post: dict[str, Any]
) -> None:
    found = alternatives(node)
    assume(found is not None)
    true = {leaf.key: holds(leaf, post) for leaf in leaves(node)}
    assert holds(node, post) is any(
        all(true[key] for key in one.wanted)
        and not any(true[key] for key in one.unwanted)
        for one in found or ()
    )


IDS = st.one_of(st.none(), ANYTHING.filter(str.strip))
TAGS = st.lists(
    st.text(st.characters(exclude_characters=";\r\n", exclude_categories=["Cs"]))
    .map(str.strip)
    .filter(bool),
    max_size=3,
)


def written(rules: list[dict[str, Any]], format: RuleFormat) -> str:
    match format:
        case RuleFormat.TEXT | RuleFormat.JSONL:
            return "\n".join(json.dumps(rule, ensure_ascii=False) for rule in rules)
        case RuleFormat.YAML:
            # Unescaped, some characters beyond ASCII end lines in YAML, and are folded.
            return yaml.safe_dump({"rules": rules})
        case RuleFormat.CSV:
            file = io.StringIO()
            names = ["id", "rule", "tags", "enabled"]
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            for rule in rules:
                enabled = str(rule["enabled"]).lower()
                row = {**rule, "tags": ";".join(rule["tags"]), "enabled": enabled}
                writer.writerow(row)
            return file.getvalue()


@given(
    st.lists(st.tuples(IDS, EXPRESSIONS, TAGS, st.booleans()), max_size=4),
    st.sampled_from(RuleFormat),
)
def test_rules_are_the_same_in_all_formats(
    drawn: list[tuple[str | None, Node, list[str], bool]], format: RuleFormat
) -> None:
    rules = {
        name
        or str(node): Rule(
            name or str(node), Expression(node), tuple(sorted(set(tags))), enabled
        )
        for name, node, tags, enabled in drawn
    }
    fields = [
        {
            "id": rule.id,
            "rule": rule.text,
            "tags": [*rule.tags],
            "enabled": rule.enabled,
        }
        for rule in rules.values()
    ]
    text = written(fields, format)
    read = RuleSet.read(text, format)
    assert read == RuleSet(tuple(rules.values()))
    assert RuleSet.parse(str(read).split("\n")).version == read.version


# What the formats give a meaning to, so that arbitrary text comes upon it.
PIECES = st.sampled_from(
    [
        *("\n", "\r\n", "\t", " ", "  ", ",", ";", '"', '""', "'", "''", "\ufeff", "-"),
        *("- ", ": ", "{", "}", "[", "]", "&a ", "*a", "!!str ", "|\n", ">\n", "---\n"),
        *("#", "# ", "\\", "\\u00e9", "\\ud83d", "\\U0001F525", "\\x41", "%YAML", "?"),
        *("rule", "id", "tags", "enabled", "rules", '"rule"', '"id": ', '{"rule": "'),
        *('"}', "true", "no", "null", "~", "3", "fire", "-a", "(", ")", " OR ", "é"),
        *("🔥", "\x00", "\x85", "\u2028", "rule,id\n", "- rule: ", "  id: ", "x = "),
        *("rule: 'it''s )'", 'rule: "\\u00e9 )"', "1e999", "NaN", "...", "<<: *a"),
    ]
)
FILES = st.one_of(st.lists(PIECES, max_size=24).map("".join), st.text(max_size=40))


@given(FILES, st.sampled_from(RuleFormat))
def test_any_file_is_rules_or_errors_in_their_place(
    text: str, format: RuleFormat
) -> None:
    """The profile `fuzz` runs this for long."""
    try:
        rules = RuleSet.read(text, format)
    except RuleFileError as error:
        lines = text.split("\n")
        assert str(error)
        for each in error.errors:
            # YAML has more ends of lines than one.
            assert 1 <= each.line <= len(text.splitlines()) + 1
            assert 1 <= each.column <= len(each.text) + 1
            if format is not RuleFormat.YAML:
                assert each.text in lines[each.line - 1]
        return
    assert RuleSet.parse(str(rules).split("\n")) == rules


@given(ANYTHING)
def test_any_keyword_is_a_rule_or_none(keyword: str) -> None:
    try:
        rule = track_rule(keyword)
    except MatchingError as error:
        assert "holds no word" in str(error)
        return
    try:
        assert parse_expression(rule).text == rule
    except RuleSyntaxError as error:
        assert "longer than" in error.reason


class Dice:
    """Draws rules and posts as the strategies do, a hundred times as fast.

    Args:
        seed: What it is all drawn from.
    """

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # nosec B311

    def text(self, most: int) -> str:
        dice = self._dice
        pieces = dice.choices((WORD, WORD, GAP), k=dice.randint(0, most))
        drawn = [dice.choice(piece) for piece in pieces]
        if dice.random() < 0.1:
            code = dice.choice((dice.randrange(0x300), dice.randrange(0xD800)))
            drawn.append(chr(dice.choice((code, dice.randrange(0xE000, 0x110000)))))
        return "".join(drawn)

    def _some(self, wanted: Callable[[str], object], most: int = 6) -> str:
        while not wanted(text := self.text(most)):
            pass
        return text

    def _word(self) -> str:
        return self._some(lambda text: is_one_word(text) and text not in RESERVED, 2)

    def leaf(self) -> Leaf:
        dice = self._dice
        flags = dice.choice([(True, True), (True, False), (False, True)])
        match dice.randrange(12):
            case 0 | 1:
                return Term(Kind.KEYWORD, self._word())
            case 2:
                signed = (Kind.HASHTAG, Kind.MENTION, Kind.CASHTAG)
                return Term(dice.choice(signed), self._word())
            case 3 | 4:
                text = self._some(lambda text: has_word(text) or has_symbol(text))
                return Term(Kind.PHRASE, text)
            case 5:
                return Prefix(dice.choice("#@$") * dice.randrange(2), self._word())
            case 6:
                return Substring(self._some(str.strip, 3))
            case 7:
                return Edge(self._some(has_word, 3), *flags)
            case 8:
                text = self._some(lambda text: 2 <= len(split_words(text)) <= 16)
                return Near(text, dice.randrange(6))
            case 9:
                return Regex(dice.choice(REGULAR))
            case 10:
                text = self._some(lambda text: has_word(strip_address(text)), 3)
                return Field(FieldName.URL, text)
            case _:
                name = dice.choice((FieldName.FROM, FieldName.SOURCE))
                return dice.choice(
                    (
                        Field(name, self._word()),
                        Field(FieldName.HAS, dice.choice(tuple(Has)).value),
                        Field(FieldName.LANG, dice.choice(("en", "pt-BR", "pt", "de"))),
                    )
                )

    def _node(self, depth: int) -> Node:
        dice = self._dice
        kind = dice.random()
        if depth == 0 or kind < 0.4:
            return self.leaf()
        some = [self._node(depth - 1) for _ in range(dice.randint(1, 3))]
        if kind < 0.7:
            return disjunction(some)
        less = [Not(self._node(depth - 1)) for _ in range(dice.randrange(3))]
        return conjunction([*some, *less])

    def nodes(self) -> list[Node]:
        dice = self._dice
        nodes: list[Node] = []
        while len(nodes) < 3:
            node = self._node(3)
            if nodes and dice.random() < 0.4:
                join = dice.choice((conjunction, disjunction))
                node = join([dice.choice(nodes), node])
            if is_anchored(node) and is_rule(node):
                nodes.append(node)
        return nodes

    def post(self) -> dict[str, Any]:
        dice = self._dice
        return {
            "text": self.text(20),
            "author": dice.choice((None, self.text(1), self.text(3))),
            "source": self.text(1),
            "language": dice.choice(("", "en", "EN_gb", "pt-BR", "de")),
            "links": [self.text(3) for _ in range(dice.randrange(2))],
            "media": ["https://example.com/x.jpg"] * dice.randrange(2),
        }


def is_rule(node: Node) -> bool:
    """Tells whether the parser takes it: no negation has nothing to subtract from."""
    match node:
        case Not(child):
            return is_positive(child) and is_rule(child)
        case Or(children):
            return all(is_positive(child) and is_rule(child) for child in children)
        case And(children):
            return all(map(is_rule, children))
        case _:
            return True


@given(st.integers(0, 2**64 - 1))
def test_whatever_is_drawn_is_printed_matched_and_compared_rightly(seed: int) -> None:
    dice = Dice(seed)
    nodes = dice.nodes()
    posts = [dice.post() for _ in range(2)]
    for node in nodes:
        assert parse_expression(str(node)).node == node
    true = [[holds(node, post) for node in nodes] for post in posts]
    found = matched(rule_set(nodes), posts)
    for row, expected in enumerate(true):
        names = [str(number) for number, holding in enumerate(expected) if holding]
        assert found.get(row, []) == names
    for number, doubt in enumerate(Meanings(nodes).doubts()):
        for expected in true:
            match doubt:
                case Clash(whole=True):
                    assert not expected[number]
                case Cover(other, same):
                    assert expected[number] <= expected[other]
                    assert not same or expected[number] == expected[other]


def test_many_rules_match_what_each_matches_alone() -> None:
    dice = random.Random(1)  # nosec B311
    words = [f"w{number}" for number in range(60)]

    def rule() -> str:
        some = dice.sample(words, 4)
        return dice.choice(
            [
                f"{some[0]} {some[1]}",
                f'"{some[0]} {some[1]}" OR {some[2]}',
                f"{some[0]} -{some[1]}",
                f"({some[0]} OR {some[1]}) ({some[2]} OR {some[3]})",
                f'"{some[0]} {some[1]}"~2',
                f"{some[0]}*",
                f'^"{some[0]}" OR "{some[1]}"$',
            ]
        )

    rules = RuleSet.parse([f"r{number} = {rule()}" for number in range(200)])
    rows = [{"text": " ".join(dice.choices(words, k=9))} for _ in range(20)]
    posts = post_batch(rows).to_pylist()
    expected = {
        row: found
        for row, post in enumerate(posts)
        if (
            found := [
                rule.id for rule in rules.rules if holds(rule.expression.node, post)
            ]
        )
    }
    assert matched(rules, rows) == expected
