"""Explains a rule on one post for the command line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rookery.matching._commands._backtesting import find_rule
from rookery.matching._commands._input import STDIN, Misuse, Unreadable
from rookery.matching._commands._table import marked, printable
from rookery.matching._engine._explain import READ, Explanation, explain
from rookery.matching._errors import MatchingError
from rookery.matching._rules import Rule, RuleSet, parse_rule
from rookery.records import POST

# A text that is longer is not shown again.
_SHOWN: Final = 2000


@dataclass(frozen=True)
class Question:
    """What is asked on the command line.

    Attributes:
        given: The rule and the text, as far as nothing else says them.
        rules: A file that has the rule.
        rule: Its name there.
        post: A file with a post as JSON; `-` is standard input.
        fields: Columns of the post that were said one by one.
    """

    given: Sequence[str]
    rules: Path | None
    rule: str | None
    post: Path | None
    fields: Mapping[str, object]


def explain_question(question: Question, *, as_json: bool) -> bool:
    """Explains on standard output.

    Args:
        question: What is asked.
        as_json: Whether to write JSON.

    Returns:
        Whether the rule matches.
    """
    given = list(question.given)
    _check(question, len(given))
    rule = _rule(question, given)
    post = _post(question, given)
    found = explain(rule, post)
    if as_json:
        shown = {"rule": rule.id, "matches": found.true, "why": _as_json(found)}
        print(json.dumps(shown, ensure_ascii=False))
    else:
        _show(found, str(post["text"]))
    return found.true


def _check(question: Question, given: int) -> None:
    if (question.rules is None) != (question.rule is None):
        raise Misuse("a rule of a file is named by both: --rules FILE --rule NAME")
    wanted = [
        *(["a rule"] if question.rules is None else []),
        *(["a text"] if question.post is None else []),
    ]
    if given != len(wanted):
        said = " and ".join(wanted) or "nothing more"
        hint = ", in quotes" if given > len(wanted) else ""
        raise Misuse(f"explain takes {said} here{hint}, not {given} arguments")


def _rule(question: Question, given: list[str]) -> Rule:
    if question.rules is None or question.rule is None:
        return parse_rule(given.pop(0))
    rules = RuleSet.load(question.rules)
    return rules.rules[find_rule(rules, question.rule, question.rules)]


def _post(question: Question, given: list[str]) -> dict[str, object]:
    post: dict[str, object] = {}
    if question.post is not None:
        post = _read_post(question.post)
    else:
        (text,) = given
        post["text"] = sys.stdin.read() if text == "-" else text
    return post | {name: value for name, value in question.fields.items() if value}


def _read_post(path: Path) -> dict[str, object]:
    where = "<stdin>" if path == STDIN else str(path)
    try:
        data = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
        post = json.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise Unreadable(f"{where}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise MatchingError(f"{where}: byte {error.start} is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise MatchingError(f"{where}: is not one post as JSON: {error}") from error
    if not isinstance(post, dict) or not isinstance(post.get("text"), str):
        raise MatchingError(f"{where}: is not one post as JSON: it has no text")
    for name in READ:
        try:
            pa.array([post.get(name)], POST.field(name).type)
        except (pa.ArrowException, TypeError, ValueError):
            kind = POST.field(name).type
            raise MatchingError(f"{where}: {name}: is no {kind}") from None
    # Lists that are null are empty, as they are if they are missing.
    return {name: post[name] for name in READ if post.get(name) is not None}


def _show(found: Explanation, text: str) -> None:
    console = Console(
        no_color="NO_COLOR" in os.environ, highlight=False, soft_wrap=True, markup=False
    )
    for line in _lines(found, 0):
        console.print(line)
    if len(text) > _SHOWN:
        return
    spans = sorted(set(_spans(found)))
    shown = marked(text, spans)
    console.print()
    console.print(shown)
    if spans and (not console.is_terminal or console.no_color):
        console.print(_carets(shown.plain, spans))


def _lines(found: Explanation, depth: int) -> Iterator[Text]:
    line = Text("  " * depth)
    line.append("yes" if found.true else "no ", "green" if found.true else "red")
    line.append(f"  {printable(found.text)}", "" if found.true else "dim")
    if found.spans:
        places = ", ".join(f"{start}-{end}" for start, end in found.spans)
        line.append(f"  at {places}", "cyan")
    yield line
    for child in found.children:
        yield from _lines(child, depth + 1)


def _spans(found: Explanation) -> Iterator[tuple[int, int]]:
    yield from found.spans
    for child in found.children:
        yield from _spans(child)


def _carets(text: str, spans: Sequence[tuple[int, int]]) -> str:
    marks = [" " * cell_len(character) for character in text]
    for start, end in spans:
        for at in range(start, end):
            marks[at] = "^" * cell_len(text[at])
    return "".join(marks).rstrip()


def _as_json(found: Explanation) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": found.text, "true": found.true}
    if found.clause is not None:
        shown |= {"clause": found.clause, "spans": [list(span) for span in found.spans]}
    if found.children:
        shown["children"] = [_as_json(child) for child in found.children]
    return shown
