"""Rules in, matches out."""

from typing import TYPE_CHECKING

from rookery.matching._errors import MatchingError, RuleFileError, RuleSyntaxError
from rookery.service import lazy

if TYPE_CHECKING:
    from rookery.matching._backtest._backtest import Backtests, backtest, backtests
    from rookery.matching._backtest._outcome import Backtest, Day
    from rookery.matching._engine._explain import Explanation, explain
    from rookery.matching._engine._matcher import Matcher
    from rookery.matching._files._formats import RuleFormat
    from rookery.matching._lint._lint import Finding, Problem, lint
    from rookery.matching._rules import Rule, RuleSet, parse_rule, track_rule
else:
    # Loaded when first used: the command line shows its help without Arrow.
    __getattr__ = lazy(
        __name__,
        {
            "_backtest._backtest": ("Backtests", "backtest", "backtests"),
            "_engine._explain": ("Explanation", "explain"),
            "_files._formats": ("RuleFormat",),
            "_lint._lint": ("Finding", "Problem", "lint"),
            "_engine._matcher": ("Matcher",),
            "_backtest._outcome": ("Backtest", "Day"),
            "_rules": ("Rule", "RuleSet", "parse_rule", "track_rule"),
        },
    )


__all__ = [
    "Backtest",
    "Backtests",
    "Day",
    "Explanation",
    "Finding",
    "Matcher",
    "MatchingError",
    "Problem",
    "Rule",
    "RuleFileError",
    "RuleFormat",
    "RuleSet",
    "RuleSyntaxError",
    "backtest",
    "backtests",
    "explain",
    "lint",
    "parse_rule",
    "track_rule",
]
