"""The examples of `docs/rules.md`: what they say is so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rookery.matching import (
    Matcher,
    RuleFormat,
    RuleSet,
    RuleSyntaxError,
    explain,
    parse_rule,
)
from rookery.matching.testing import holds
from rookery.records.testing import post_batch

ROW = re.compile(
    r"^\| (?P<rule>`.+`) \| (?P<yes>`.+`) \| (?P<no>`.+`) \|$", re.MULTILINE
)


def page() -> str:
    for folder in Path(__file__).absolute().parents:
        found = folder / "docs" / "rules.md"
        if found.is_file():
            return found.read_text("utf-8")
    raise FileNotFoundError("docs/rules.md: the test has to depend on docs:rules")


PAGE = page()


def code(cell: str) -> list[str]:
    return [piece.strip()[1:-1] for piece in cell.replace("\\|", "|").split("<br>")]


def cases() -> list[tuple[str, str, bool]]:
    return [
        (code(row["rule"])[0], post, expected)
        for row in ROW.finditer(PAGE)
        for cell, expected in ((row["yes"], True), (row["no"], False))
        for post in code(cell)
    ]


def test_the_page_has_its_examples() -> None:
    assert len(cases()) > 60


@pytest.mark.parametrize(("text", "written", "expected"), cases())
def test_an_example_matches_as_the_page_says(
    text: str, written: str, expected: bool
) -> None:
    post: dict[str, Any] = (
        json.loads(written) if written[0] == "{" else {"text": written}
    )
    batch = post_batch([post])
    rule = parse_rule(text)
    assert bool(Matcher(RuleSet((rule,)))(batch).num_rows) is expected
    (row,) = batch.to_pylist()
    assert explain(rule, row).true is expected
    assert holds(rule.expression.node, row) is expected
    assert parse_rule(rule.text) == rule


@pytest.mark.parametrize(
    "written",
    [
        written
        for table in re.findall(r"^\| written \|.*\n(?:\|.*\n)+", PAGE, re.MULTILINE)
        for row in table.splitlines()[2:]
        for written in re.findall(r"`([^`]+)`", row.split(" | ")[0])
    ],
)
def test_what_the_tables_show_is_in_the_language(written: str) -> None:
    try:
        parse_rule(written)
    except RuleSyntaxError:
        parse_rule(f"x {written}")


def rows_of(header: str) -> list[tuple[list[str], str]]:
    table = re.search(
        rf"^\| {header} \|\n\|.*\n(?P<rows>(?:\|.*\n)+)", PAGE, re.MULTILINE
    )
    assert table is not None
    rows = [line[2:-2].split(" | ") for line in table["rows"].splitlines()]
    return [(re.findall(r"`([^`]+)`", left), right) for left, right in rows]


@pytest.mark.parametrize(("there", "here"), rows_of(r"there \| here"))
def test_what_differs_elsewhere_is_as_the_page_says(
    there: list[str], here: str
) -> None:
    if here == "only here":
        return
    if here.startswith("refused") or here.startswith("`"):
        for written in there:
            with pytest.raises(RuleSyntaxError, match="is not available"):
                parse_rule(f"x {written}")
        there = re.findall(r"`([^`]+)`", here)
    for written in there:
        parse_rule(f"x {written}")


def test_the_error_on_the_page_is_what_is_said() -> None:
    with pytest.raises(Exception) as caught:
        RuleSet.parse(["a", "b", "drill = -drill"], where="rules.txt")
    shown = "".join(f"    {line}\n" for line in str(caught.value).splitlines())
    assert shown in PAGE


def test_the_files_on_the_page_say_the_same() -> None:
    (yaml,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    lines = re.search(r"(?:^    .*\n)+(?=\n\*\*YAML)", PAGE, re.MULTILINE)
    assert lines is not None
    rules = RuleSet.read(yaml, RuleFormat.YAML)
    assert [rule.enabled for rule in rules.rules] == [True, True, False]
    assert RuleSet.parse(lines[0].split("\n")) == rules
