import pickle  # nosec B403
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.matching import (
    Matcher,
    MatchingError,
    Rule,
    RuleFileError,
    RuleSet,
    RuleSyntaxError,
    track_rule,
)
from rookery.matching._language._expression import Node, is_anchored
from rookery.matching._language._parser import parse_expression
from rookery.matching.testing import expressions


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("fire", "fire"),
        ("  boulder   fire ", "boulder fire"),
        ("boulder OR fire flood", "boulder OR fire flood"),
        ("(boulder OR fire) flood", "(boulder OR fire) flood"),
        ("((boulder)) ((fire))", "boulder fire"),
        ("a OR (b OR c)", "a OR b OR c"),
        ("a (b c)", "a b c"),
        ('"boulder fire" -drill', '"boulder fire" -drill'),
        ("fire -(drill OR game)", "fire -(drill OR game)"),
        ("#COfire OR @FEMA OR $AAPL", "#COfire OR @FEMA OR $AAPL"),
        ("or and", "or and"),
        ("wi-fi", "wi-fi"),
        ("fire -🔥 ☀\ufe0f", "fire -🔥 ☀\ufe0f"),
        (r'"say \"no\""', r'"say \"no\""'),
        ('fire"fighter"', 'fire "fighter"'),
        ("wild* #Wild* @x*", "wild* #Wild* @x*"),
        ('"near  words"~03', '"near  words"~3'),
        ('^"first" "last"$ ^"all of it"$', '^"first" "last"$ ^"all of it"$'),
        (r"/a\/b c\d+/ x", r"/a\/b c\d+/ x"),
        ("FROM:@nasa source:rss url:bbc.co.uk", "from:nasa source:rss url:bbc.co.uk"),
        ('from:"two words"', 'from:"two words"'),
        ("fire LANG:pt_BR has:Links", "fire lang:pt_BR has:links"),
        ("substring:東京", "substring:東京"),
        (r'substring:"a \"b"', r'substring:"a \"b"'),
        ("fire (lang:en OR has:media)", "fire (lang:en OR has:media)"),
        ("fire -(lang:en has:media)", "fire -(lang:en has:media)"),
        ("fire/fighter 9:30", "fire/fighter 9:30"),
        ("fire\u200b OR \u200bflood\u200e", "fire OR flood"),
        ("\ufefffire\tflood\u3000x\r\n", "fire flood x"),
        ('fire "a\u200bb"', 'fire "a\u200bb"'),
        ("substring:a\u2060b", "substring:a b"),
        ("＃fire ＠fema", "＃fire ＠fema"),
        ("from:＠nasa", "from:nasa"),
        ("👨\u200d👩\u200d👧 می\u200cخواهم", "👨\u200d👩\u200d👧 می\u200cخواهم"),
        ("covid-19 AT&T U.S. don’t", "covid-19 AT&T U.S. don’t"),
    ],
)
def test_an_expression_is_printed_in_one_way(text: str, canonical: str) -> None:
    assert parse_expression(text).text == canonical


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", 1, "the rule is empty"),
        ("-drill", 1, "needs something to subtract from"),
        ("fire OR -drill", 9, "needs something to subtract from"),
        ("fire -(-drill)", 7, "needs something to subtract from"),
        ("fire --drill", 6, "a negation of a negation"),
        ("(fire", 1, "the group is not closed"),
        ("fire)", 5, "nothing is open"),
        ("fire OR", 8, "something is missing here"),
        ("OR fire", 1, "OR is no term"),
        ("fire -OR", 7, "OR is no term"),
        ("fire NOT flood", 6, "NOT is no term"),
        ("fire - drill", 6, "- stands directly before what it refuses"),
        ("fire (-) x", 7, "- stands directly before what it refuses"),
        ("fire -", 7, "something is missing here"),
        ("fire !drill", 6, "! is no negation"),
        ("fire –drill", 6, "– is no minus sign"),
        ("fire || flood", 6, "'||' holds no word"),
        ("“boulder fire”", 1, "“ is no quotation mark"),
        ("fire (boulder”", 14, "” is no quotation mark"),
        ("from:«nasa»", 6, "something is missing behind from:"),
        ("fire （boulder OR denver）", 6, "（ is no bracket"),
        ("from：nasa", 5, "： is no colon"),
        ("wild＊", 5, "＊ is no asterisk"),
        ("fire AND flood", 6, "AND is no term"),
        ("fire ()", 7, "something is missing before this"),
        ('fire "flood', 6, "the quotation is not closed"),
        ('fire "!?"', 6, "holds no word"),
        ("fire …", 6, "holds no word"),
        ("fire #🔥", 6, "holds no word"),
        ("fire #", 6, "holds no word"),
        ("fire ##x", 7, "must follow '#' directly"),
        ("x http://x.org", 3, "the operator http: is not available"),
        ("from:", 6, "something is missing behind from:"),
        ("from:@@", 6, "a name is missing"),
        ("url://", 5, "holds no word"),
        ("fire lang:e", 11, "'e' is no language"),
        ("fire has:cats", 10, "has:cats is not available"),
        ("fire OR lang:en", 1, "only narrow down"),
        ("has:links", 1, "only narrow down"),
        ("fire -(-lang:en)", 7, "needs something to subtract from"),
        ("wild-fire*", 10, "the beginning of one word"),
        ("🔥*", 2, "the beginning of one word"),
        ("fire*s*", 7, "the beginning of one word"),
        ('"near words"~', 13, "behind ~ stands a number"),
        ('"near words"~101', 13, "behind ~ stands a number"),
        ('"near"~3', 1, "2 to 16 words, and not 1"),
        ('^"near words"~3', 1, "no place at the start"),
        ('"a b"~3x', 8, "a space is missing"),
        ('"a b"$x', 7, "a space is missing"),
        ('^"🔥"', 1, "holds no word"),
        ("^first", 1, "^ stands before a quotation"),
        ("fire /a", 6, "the regular expression is not closed"),
        ("/a/b/", 1, "the regular expression is not closed"),
        ("fire /a(b/", 8, "the group is not closed"),
        (r"fire /\/\/a**/", 13, "a repetition of a repetition"),
        ("fire /(?=a)b/", 7, "look-around, names and flags"),
        (r"fire /(a)\1/", 10, r"\1 is not available"),
        ("fire /a*/", 7, "matches every text"),
        ("fire /(a{999}){999}/", 7, "longer than 2000 characters"),
        ("fire /[z-a]/", 9, "a range goes from a smaller"),
        ("fire /[a/", 7, "the brackets are not closed"),
        (r"fire /a\bc/", 8, r"\b stands first or last"),
        (r"fire /\b#a/", 7, r"\b stands beside a character of a word"),
        (r"fire /\ba|b/", 7, "one alternative only"),
        ("fire \ud800", 6, "half of a surrogate pair"),
        ("(" * 65 + "a" + ")" * 65, 65, "more than 64 groups"),
        ("a" * 16385, 16385, "longer than 16384 characters"),
    ],
)
def test_what_is_no_rule_is_pointed_at(text: str, column: int, says: str) -> None:
    with pytest.raises(RuleSyntaxError) as caught:
        parse_expression(text)
    assert says in caught.value.reason
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("fire is:retweet", '; posts passed on begin with RT: -^"RT"'),
        ("fire place:paris", "there are from:, source:, url:, lang:, has:, substring:"),
        ("fire form:nasa", "write from:"),
        ("fire langs:en", "write lang:"),
        ("to:nasa", "write @nasa"),
        ("hashtag:fire", "write #fire"),
        ("https://bbc.co.uk", "write url:bbc.co.uk"),
        ("fire has:images", "write has:media"),
        ("fire has:geo", "there are has:cashtags, has:hashtags"),
        ("fire AND flood", 'a space already means AND; the word itself: "AND"'),
        ("fire NOT flood", 'a negation is written -drill; the word itself: "NOT"'),
        ("fire | flood", "between terms OR means one of them"),
        ("fire - drill", "write -drill, without a space"),
        ("“fire”", 'write ", as in "boulder fire"; between such marks “ is text'),
    ],
)
def test_an_error_says_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(RuleSyntaxError) as caught:
        parse_expression(text)
    assert hint in caught.value.hint


def test_an_error_shows_the_line_with_a_caret_and_a_hint() -> None:
    with pytest.raises(RuleFileError) as caught:
        RuleSet.parse(["fire", "", "\tdrill = -drill"], where="rules.txt")
    assert str(caught.value) == (
        "rules.txt:3:10: a negation needs something to subtract from\n"
        "  \tdrill = -drill\n"
        "  \t        ^\n"
        "  name a word that must stand in the text, such as: fire -drill"
    )


def test_of_a_long_line_only_what_is_around_the_error_is_shown() -> None:
    line = "a " * 200 + ") " + "b " * 200
    with pytest.raises(RuleSyntaxError) as caught:
        parse_expression(line)
    _, shown, caret = str(caught.value).splitlines()
    assert shown == f"  ...{'a ' * 40}) {'b ' * 39}..."
    assert shown[caret.index("^")] == ")"


def test_the_caret_stands_below_wide_and_combined_characters_too() -> None:
    with pytest.raises(RuleSyntaxError) as caught:
        parse_expression("東京 e\u0301té )")
    assert str(caught.value).splitlines()[1:] == ["  東京 e\u0301té )", "           ^"]


def test_a_rule_of_several_lines_is_shown_in_one() -> None:
    with pytest.raises(RuleSyntaxError) as caught:
        parse_expression("fire\nOR\r\n)")
    assert str(caught.value).splitlines()[1:3] == ["  fire OR  )", "           ^"]


def test_all_wrong_rules_are_told_at_once() -> None:
    with pytest.raises(RuleFileError) as caught:
        RuleSet.parse(["-a", "fire", '"b'], where="rules.txt")
    assert [error.line for error in caught.value.errors] == [1, 3]
    assert "2 rules cannot be read" in str(caught.value)


def test_the_same_name_twice_is_refused() -> None:
    with pytest.raises(RuleFileError, match="'x' stands in line 1 already"):
        RuleSet.parse(["x = fire", "x = flood"])


def test_a_rule_without_a_name_is_named_by_its_expression() -> None:
    rules = RuleSet.parse(["# a comment", "#", "#fire   OR flood", "n.1 = a"]).rules
    assert [(rule.id, rule.text) for rule in rules] == [
        ("#fire OR flood", "#fire OR flood"),
        ("n.1", "a"),
    ]


def test_a_version_names_the_content_whatever_its_order() -> None:
    first = RuleSet.parse(["a = fire", "b = flood"])
    assert first.version == RuleSet.parse(["b=flood", "a =  fire"]).version
    assert first.version != RuleSet.parse(["a = fire", "b = floods"]).version
    assert RuleSet.parse(str(first).splitlines()).version == first.version


def test_a_file_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "rules.txt"
    path.write_bytes(b"fire\n\xff\n")
    with pytest.raises(MatchingError, match=r"rules.txt: byte 5 is not UTF-8"):
        RuleSet.load(path)


def test_a_file_that_is_missing_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MatchingError, match="rules.txt: cannot be read"):
        RuleSet.load(tmp_path / "rules.txt")


@given(expressions())
def test_what_is_printed_reads_as_the_same_expression(node: Node) -> None:
    read = parse_expression(str(node))
    assert read.node == node
    assert read.text == str(node)
    assert pickle.loads(pickle.dumps(read)) == read  # nosec B301


# What the language gives a meaning to, so that arbitrary text comes upon it.
PIECES = st.sampled_from(
    [*'"()-#@$^/\\*~|[]{}?.+:', "OR", " OR ", " ", "\t", "\n", '"~3', '"$', '^"', "/a"]
    + [
        "from:",
        "lang:en",
        "has:links",
        "url:",
        "substring:",
        "fire",
        "🔥",
        "é",
        "{2,3}",
    ]
    + ["(?:", r"\b", r"\w", r"\/", "[^", "a-z", "́", "0", "\x00", "ẞ"]
    + ["“", "–", "：", "（", "＊", "＃", "\u200b", "\u200d", "\ufeff", "NOT", "!", "or"]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=20).map("".join))


@given(TEXTS)
def test_any_text_is_a_rule_or_a_syntax_error(text: str) -> None:
    """The profile `fuzz` of `conftest.py` runs this for long."""
    try:
        expression = parse_expression(text)
    except RuleSyntaxError as error:
        assert 1 <= error.column <= len(text) + 1
        assert error.reason in str(error)
        return
    assert is_anchored(expression.node)
    assert parse_expression(expression.text) == expression
    Matcher(RuleSet((Rule("x", expression),)))


@pytest.mark.parametrize(
    ("keyword", "rule"),
    [
        ("boulder fire", "boulder fire"),
        ("#COfire", "#COfire"),
        ("Lac-Mégantic", '"Lac-Mégantic"'),
        ("@fema, #fire!", "@fema #fire"),
        ("OR", '"OR"'),
        ("fire 🔥 !", "fire 🔥"),
        ("not NOT Or", 'not "NOT" Or'),
        ("（´・｀）♡ x", '"（´・｀）♡" x'),
        ("╰(*´︶`*)╯", '"╰(*´︶`*)╯"'),
        ("“boulder fire”", '"“boulder" "fire”"'),
    ],
)
def test_a_tracking_keyword_asks_for_all_its_words(keyword: str, rule: str) -> None:
    assert track_rule(keyword) == rule
    assert parse_expression(rule).text == rule


def test_a_tracking_keyword_without_a_word_is_refused() -> None:
    with pytest.raises(MatchingError, match="holds no word"):
        track_rule("!?")
