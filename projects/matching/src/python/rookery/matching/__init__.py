"""Rules in, matches out."""

from rookery.matching._errors import MatchingError, RuleFileError, RuleSyntaxError
from rookery.matching._explain import Explanation, explain
from rookery.matching._matcher import Matcher
from rookery.matching._rules import Rule, RuleSet, parse_rule, track_rule

__all__ = [
    "Explanation",
    "Matcher",
    "MatchingError",
    "Rule",
    "RuleFileError",
    "RuleSet",
    "RuleSyntaxError",
    "explain",
    "parse_rule",
    "track_rule",
]
