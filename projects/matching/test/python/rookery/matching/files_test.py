from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.matching import (
    Matcher,
    MatchingError,
    Rule,
    RuleFileError,
    RuleFormat,
    RuleSet,
    RuleSyntaxError,
    parse_rule,
)
from rookery.matching._language._expression import Node
from rookery.matching._language._parser import Expression
from rookery.matching.testing import expressions
from rookery.records.testing import post_batch

TEXT = """\
# comment
a = fire
#flood
{"id": "an id", "rule": "\\"big fire\\" OR x", "tags": ["z", "eu"], "enabled": false}
"""
JSONL = """\
{"id": "a", "rule": "fire"}
{"rule": "#flood", "tags": null}

{"id": "an id", "rule": "\\"big fire\\" OR x", "tags": ["z", "eu"], "enabled": false}
"""
CSV = """\
id,Rule,tags,enabled\r
a,fire,,\r
,#flood,,yes\r
an id,"\""big fire"" OR x",z; eu,no\r
"""
YAML = """\
- id: a
  rule: fire
- '#flood'
- id: an id
  rule: >
    "big fire"
    OR x
  tags: [z, eu]
  enabled: no
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rules.txt", TEXT),
        ("rules", TEXT),
        ("rules.jsonl", JSONL),
        ("rules.JSON", JSONL),
        ("rules.csv", CSV),
        ("rules.csv", "\ufeff" + CSV.replace("\r", "")),
        ("rules.yaml", YAML),
        ("rules.yml", "rules:\n" + YAML),
    ],
)
def test_each_format_says_the_same(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    rules = RuleSet.load(path)
    assert [(rule.id, rule.text, rule.tags, rule.enabled) for rule in rules.rules] == [
        ("a", "fire", (), True),
        ("#flood", "#flood", (), True),
        ("an id", '"big fire" OR x', ("eu", "z"), False),
    ]


def test_the_format_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "rules.txt"
    path.write_text(YAML)
    assert len(RuleSet.load(path, format=RuleFormat.YAML)) == 3


@pytest.mark.parametrize(
    ("format", "text", "line", "column", "says"),
    [
        ("text", '{"rule": "fire}', 1, 10, "this is no JSON"),
        ("text", '{"rule": "fire -"}', 1, 17, "something is missing here"),
        ("jsonl", "[1]", 1, 1, "this is no JSON object"),
        ("jsonl", "[" * 100_000, 1, 1, "this"),
        ("jsonl", '\n {"rule": "a \\u00e9 )"}', 2, 21, "nothing is open"),
        ("jsonl", '{"id": "x"}', 1, 1, "the field rule is missing"),
        ("jsonl", '{"rule": 3}', 1, 10, "the field rule is missing, or is no text"),
        ("jsonl", '{"rule": "x", "id": 3}', 1, 21, "the field id has to be text"),
        ("jsonl", '{"rule": "x", "tags": "a"}', 1, 24, "a list of texts"),
        ("jsonl", '{"rule": "x", "enabled": 0}', 1, 26, "true or false"),
        ("jsonl", '{"rule": "x", "tag": []}', 1, 22, "no field 'tag'"),
        ("jsonl", '{"rule": "x"}\n{"id": "x", "rule": "y"}', 2, 9, "in line 1 already"),
        ("csv", "id,rules\n", 1, 4, "'rules' is no column"),
        ("csv", "id\n", 1, 1, "no column is called rule"),
        ("csv", "id,rule\na,b,c\n", 2, 1, "3 cells and 2 columns"),
        ("csv", 'id,rule\na,"b', 2, 3, "is not closed"),
        ("csv", 'id,rule\na,"b"c\n', 2, 3, "is not closed"),
        ("csv", 'id,rule\na,"""x"" )"\n', 2, 10, "nothing is open"),
        ("csv", 'id,rule\n"a\n\nb",x )\n', 4, 6, "nothing is open"),
        ("csv", "rule,enabled\nx,maybe\n", 2, 3, "true or false"),
        ("yaml", "- fire\n- a )\n", 2, 5, "nothing is open"),
        ("yaml", "- rule: 'it''s )'\n", 1, 16, "nothing is open"),
        ("yaml", '- rule: "\\"x\\" )"\n', 1, 16, "nothing is open"),
        ("yaml", "- {rule: x, tags: a}", 1, 19, "a list of texts"),
        ("yaml", "- {rule: x, rule: a}", 1, 13, "is there twice"),
        ("yaml", "- {rule: x, tags: &a [*a]}", 1, 23, "found undefined alias"),
        ("yaml", "- {rule: x, tag: []}", 1, 18, "no field 'tag'"),
        ("yaml", "- {rule: x, [a]: b}", 1, 13, "the name of a field is text"),
        ("yaml", "- {rule: }", 1, 10, "the field rule is missing"),
        ("yaml", "- x\n---\n- y", 2, 1, "a second document"),
        ("yaml", "- fire\n- #flood\n", 2, 2, "the rule is empty"),
        ("yaml", "- fire\n- @fema\n", 2, 3, "cannot start any token"),
        ("yaml", "- lang: en\n", 1, 9, "no field 'lang'"),
        ("jsonl", '{"rule": "x", "rule": "y"}', 1, 11, "'rule' is there twice"),
        ("jsonl", '{"rule": "x", "id": ' + "9" * 5000 + "}", 1, 1, "cannot be read"),
        ("jsonl", '{"value": "x"}', 1, 12, "no field 'value'"),
        ("csv", "rule,rule\n", 1, 1, "'rule' is there twice"),
        ("csv", 'a\n"""x"" )"\n', 1, 1, "'a' is no column"),
        ("yaml", "- [x]", 1, 3, "a rule is text or a mapping"),
        ("yaml", "fires: x", 1, 1, "a list of rules is expected"),
        ("yaml", "fire", 1, 1, "a list of rules is expected"),
        ("yaml", "- x\n- 'y", 2, 5, "this is no YAML"),
        ("yaml", "[" * 50_000, 1, 9, "too deep"),
        ("yaml", "- x\x00", 1, 1, "this is no YAML"),
        ("yaml", "\x85- a\u2028- b )", 3, 5, "nothing is open"),
    ],
)
def test_what_is_wrong_in_a_file_is_pointed_at(
    format: str, text: str, line: int, column: int, says: str
) -> None:
    with pytest.raises(RuleFileError) as caught:
        RuleSet.read(text, RuleFormat(format), where="file")
    (error,) = caught.value.errors
    assert says in error.reason
    assert (error.line, error.column) == (line, column)
    assert str(error).startswith(f"file:{line}:{column}: ")


@pytest.mark.parametrize(
    ("format", "text", "hint"),
    [
        ("jsonl", '{"rule": "x", "Tag": []}', "write tags"),
        ("jsonl", '{"value": "x"}', "write rule"),
        ("jsonl", '{"rule": "x", "colour": 1}', "there are id, rule, tags, enabled"),
        ("csv", "rule,enable\n", "write enabled"),
        ("csv", "id;rule\na;fire\n", "columns have commas between them"),
        ("yaml", "- {rules: x}", "write rule"),
        ("yaml", "- fire\n- @fema\n", "put a rule that begins with"),
        ("yaml", '- "big fire" -drill\n', "put a rule that begins with"),
        ("yaml", "- *fire\n", "put a rule that begins with"),
        ("yaml", "- #fire\n", "# begins a comment in YAML"),
        ("text", "fire\nFire -x\nfire", "leave one of them out"),
        ("text", "a = fire\na = x", "give it an id of its own"),
    ],
)
def test_what_was_probably_meant_is_said(format: str, text: str, hint: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        RuleSet.read(text, RuleFormat(format))
    assert hint in caught.value.errors[0].hint


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("- no\n- yes\n- 3\n", ["no", "yes", "3"]),
        ("- {rule: on, id: off}\n", ["on"]),
        ("- {rule: a, tags: &t [x, y]}\n- {rule: b, tags: *t}\n", ["a", "b"]),
        ("- {rule: a, id: ~, tags: null, enabled: }\n", ["a"]),
        ("\ufeffrules:\r\n  - a\r\n  - 'b'\r\n", ["a", "b"]),
        ("# nothing\n", []),
        ("--- [a, b]\n...\n", ["a", "b"]),
        ("- !!str fire\n- |\n  a\n  b\n", ["fire", "a b"]),
    ],
)
def test_yaml_is_read_as_people_write_it(text: str, rules: list[str]) -> None:
    found = RuleSet.read(text, RuleFormat.YAML).rules
    assert [rule.text for rule in found] == rules


def test_reading_rules_leaves_the_collector_of_cycles_as_it_was() -> None:
    for line in ("fire", "fire )"):
        assert gc.isenabled()
        with suppress(RuleFileError):
            RuleSet.parse([line])
    gc.disable()
    try:
        RuleSet.parse(["fire"])
        assert not gc.isenabled()
    finally:
        gc.enable()
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("format", "text", "lines"),
    [
        ("jsonl", '{"rule": "-a"}\n{"rule": "b"}\n{"rule": 1}\n{', [1, 3, 4]),
        ("csv", "rule\n-a\nb\n(\n,\n", [2, 4, 5]),
        ("yaml", "- -a\n- b\n- {}\n- (\n", [1, 3, 4]),
    ],
)
def test_all_wrong_rules_of_a_file_are_told_at_once(
    format: str, text: str, lines: list[int]
) -> None:
    with pytest.raises(RuleFileError) as caught:
        RuleSet.read(text, RuleFormat(format))
    assert [error.line for error in caught.value.errors] == lines


@given(st.text(max_size=60), st.sampled_from(list(RuleFormat)))
def test_any_file_is_rules_or_a_matching_error(text: str, format: RuleFormat) -> None:
    try:
        rules = RuleSet.read(text, format)
    except MatchingError as error:
        assert str(error)
        return
    assert RuleSet.parse(str(rules).split("\n")) == rules


TAGS = st.lists(st.text(max_size=8), max_size=3, unique=True)


@given(
    st.lists(
        st.tuples(st.text(max_size=12), expressions(), TAGS, st.booleans()),
        max_size=5,
        unique_by=lambda rule: rule[0],
    )
)
def test_what_is_printed_reads_as_the_same_rules(
    written: list[tuple[str, Node, list[str], bool]],
) -> None:
    rules = RuleSet(
        tuple(
            Rule(name or "x", Expression(node), tuple(sorted(tags)), enabled)
            for name, node, tags, enabled in written
            if name.strip() and name not in ("x",)
        )
    )
    again = RuleSet.parse(str(rules).splitlines())
    assert again == rules
    assert again.version == rules.version


@pytest.mark.parametrize(
    "rule",
    [
        Rule("x", parse_rule("fire").expression, ("a",)),
        Rule("x", parse_rule("fire").expression, (), False),
        Rule("y", parse_rule("fire").expression),
        Rule("x", parse_rule("fires").expression),
    ],
)
def test_all_that_makes_a_rule_is_in_the_version(rule: Rule) -> None:
    plain = RuleSet((Rule("x", parse_rule("fire").expression),))
    # As it was when rules had neither tags nor a switch.
    assert plain.version == "0895314100e0c128"
    assert RuleSet((rule,)).version != plain.version


def test_a_rule_that_would_read_as_named_is_written_as_an_object() -> None:
    (rule,) = RuleSet.read('{"rule": "a= \\"x\\""}', RuleFormat.JSONL).rules
    assert str(rule).startswith("{")
    assert RuleSet.parse([str(rule)]).rules == (rule,)


def test_rules_of_a_file_match() -> None:
    rules = RuleSet.read(YAML, RuleFormat.YAML)
    found = Matcher(rules)(post_batch([{"text": "a #flood in a big fire"}]))
    assert found.column("rules").to_pylist() == [["a", "#flood"]]


def test_the_name_of_a_rule_counts_in_the_column_of_an_error() -> None:
    with pytest.raises(RuleSyntaxError, match="<rule>:1:5: nothing is open"):
        parse_rule("x=a )")
