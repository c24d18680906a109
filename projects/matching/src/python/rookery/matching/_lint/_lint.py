"""What is doubtful about rules that can be read: told before they go live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import pyarrow as pa
from typing_extensions import override

from rookery.matching._collector import uncollected
from rookery.matching._engine._matcher import Matcher
from rookery.matching._language._expression import (
    And,
    Node,
    Not,
    Or,
    is_anchored,
    leaves,
)
from rookery.matching._language._leaves import Group, Kind, Term
from rookery.matching._language._parser import Expression
from rookery.matching._lint._meanings import Clash, Cover, Doubt, Meanings, Unknown
from rookery.matching._rules import Rule, RuleSet

# A rule that takes one post in this many is a flood.
FLOOD: Final = 0.02
MIN_MATCHES: Final = 10
# So much of another rule is shown.
_SHOWN: Final = 60


class Problem(StrEnum):
    """What is doubtful about a rule."""

    UNANCHORED = "unanchored"
    NEVER = "never"
    DUPLICATE = "duplicate"
    SUBSUMED = "subsumed"
    UNCOMPARED = "uncompared"
    OPERATOR = "operator"
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something doubtful about one rule.

    Attributes:
        problem: What it is.
        rule: The id of the rule.
        line: Its line in the file it was read from; 0 where it was read from none.
        reason: What is doubtful, for a person.
        advice: What to do.
    """

    problem: Problem
    rule: str
    line: int
    reason: str
    advice: str

    @override
    def __str__(self) -> str:
        place = f"{self.line}: " if self.line else ""
        return f"{place}{self.problem}: {self.rule}: {self.reason}; {self.advice}"


def lint(
    rules: RuleSet,
    *,
    sample: Iterable[pa.RecordBatch] = (),
    flood: float = FLOOD,
) -> list[Finding]:
    """Looks for rules that are probably not what was meant.

    Rules that are not enabled are passed over. What a rule means is compared as far as
    it is plain from how it is written, so that nothing is told that is not so.

    Args:
        rules: The rules.
        sample: Posts as they usually come, of schema `POST`; without them nothing is said
            about floods.
        flood: The share of the sample from which on a rule is a flood.

    Returns:
        What was found, in the order of the rules.
    """
    active = [rule for rule in rules.rules if rule.enabled]
    findings = [
        *_unanchored(active),
        *_doubtful(active),
        *_operators(active),
        *_floods(active, list(sample), flood),
    ]
    order = {rule.id: number for number, rule in enumerate(active)}
    return sorted(findings, key=lambda finding: order[finding.rule])


def _unanchored(rules: Sequence[Rule]) -> list[Finding]:
    return [
        Finding(
            Problem.UNANCHORED,
            rule.id,
            rule.line,
            "its regular expression requires no characters, so it runs on every post",
            "add a word that has to stand in the text, or literal characters",
        )
        for rule in rules
        if Group.ALWAYS in rule.expression.lowered.anchors
    ]


def _doubtful(rules: Sequence[Rule]) -> list[Finding]:
    with uncollected():
        meanings = Meanings([rule.expression.node for rule in rules])
        doubts = list(meanings.doubts())
    return [
        _told(rule, doubt, rules)
        for rule, doubt in zip(rules, doubts, strict=True)
        if doubt is not None
    ]


def _told(rule: Rule, doubt: Doubt, rules: Sequence[Rule]) -> Finding:
    match doubt:
        case Clash(one, other, whole):
            subject = "the rule" if whole else "one of its alternatives"
            reason = f"{subject} never matches: it asks for {one} and for {other}"
            advice = "delete it" if whole else "leave the alternative out"
            return _finding(Problem.NEVER, rule, reason, f"{advice}, or mend it")
        case Cover(number, True):
            reason = f"{_named(rules[number])} says the same"
            return _finding(Problem.DUPLICATE, rule, reason, "keep one of them")
        case Cover(number):
            reason = f"{_named(rules[number])} matches whatever it matches"
            advice = "delete it, unless it is counted for itself"
            return _finding(Problem.SUBSUMED, rule, reason, advice)
        case Unknown():
            reason = (
                "it has so many alternatives that it was compared with no other rule"
            )
            advice = "split it into several rules"
            return _finding(Problem.UNCOMPARED, rule, reason, advice)


def _named(rule: Rule) -> str:
    shown = rule.text if len(rule.text) <= _SHOWN else f"{rule.text[:_SHOWN]}..."
    name = shown if rule.id == rule.text else f"{rule.id} ({shown})"
    return f"{name} in line {rule.line}" if rule.line else name


def _operators(rules: Sequence[Rule]) -> list[Finding]:
    """Tells of what is an operator in capital letters only."""
    return [
        _finding(
            Problem.OPERATOR,
            rule,
            f"{leaf} is a word here, which has to stand in the text as the others have",
            f'write OR for one of them, or "{leaf}" for the word',
        )
        for rule in rules
        # Few have it: most are done with one look at their keys.
        if "wor" in rule.expression.lowered.keys
        for leaf in _all_wanted(rule.expression.node)
        if leaf.key == "wor" and leaf.kind is Kind.KEYWORD
    ]


def _all_wanted(node: Node) -> list[Term]:
    """Lists the words that stand beside others with nothing but a space between."""
    match node:
        case And(children):
            beside = [child for child in children if isinstance(child, Term)]
        case _:
            beside = []
    within: list[Node] = []
    match node:
        case And(children) | Or(children):
            within = list(children)
        case Not(child):
            within = [child]
    return beside + [term for child in within for term in _all_wanted(child)]


def _finding(problem: Problem, rule: Rule, reason: str, advice: str) -> Finding:
    return Finding(problem, rule.id, rule.line, reason, advice)


def _floods(
    rules: Sequence[Rule], sample: Sequence[pa.RecordBatch], flood: float
) -> list[Finding]:
    posts = sum(batch.num_rows for batch in sample)
    found: list[Finding] = []
    for rule, count in zip(rules, _counts(rules, sample), strict=True):
        if count < max(MIN_MATCHES, flood * posts):
            continue
        terms = [leaf for leaf in leaves(rule.expression.node) if is_anchored(leaf)]
        probes = [Rule(str(leaf), Expression(leaf)) for leaf in dict.fromkeys(terms)]
        often = _counts(probes, sample)
        most, probe = max(zip(often, (probe.id for probe in probes), strict=True))
        reason = (
            f"it matches {_share(count, posts)} of the sample; of its terms {probe} is"
            f" the most common, in {_share(most, posts)}"
        )
        advice = "ask for something rarer beside it"
        found.append(_finding(Problem.FLOOD, rule, reason, advice))
    return found


def _counts(rules: Sequence[Rule], sample: Sequence[pa.RecordBatch]) -> list[int]:
    if not sample:
        return [0] * len(rules)
    counts: Counter[str] = Counter()
    matcher = Matcher(RuleSet(tuple(rules)))
    for batch in sample:
        matched: Any = matcher(batch).column("rules")
        counts.update(matched.flatten().to_pylist())
    return [counts[rule.id] for rule in rules]


def _share(count: int, posts: int) -> str:
    return f"{count / posts:.1%} ({count:,} of {posts:,} posts)"
