"""Rules in, matches out."""

from rookery.matching._errors import MatchingError, RuleFileError, RuleSyntaxError
from rookery.matching._rules import Rule, RuleSet, track_rule

__all__ = [
    "MatchingError",
    "Rule",
    "RuleFileError",
    "RuleSet",
    "RuleSyntaxError",
    "track_rule",
]
