"""How fast rules are read and compiled, and what they take of memory.

Rules are made of names and phrases, mixed as people write them for filtered streams: words
that all have to be there, exact phrases, alternatives, negations, `#tags`, `@mentions` and
`$symbols`, some fields, beginnings of words, words near each other, regular expressions.
They are all different. Each number of them is measured in processes of their own, which
have read no rule before:

    parse cold          text to rule set
    compile             rule set to matcher
    cold                both: what a process pays that starts
    parse again         the same text once more: a rule that was read is remembered
    swap 1 % changed    parse and compile, after one rule in a hundred was replaced
    read yaml, csv ...  parse again from such a file: what the format costs

and, in the same process, what they are measured against:

    ast.parse           Python's own parser (in C), on the same rules written in Python
    re.compile          a pattern for each term of the rules; of more rules than 500
                        that many are taken, and the time multiplied

All is processor time of one thread, the median of the rounds; memory is what the process
has more of after parsing, and after compiling. Names are those of Corpora, phrases those
of CrisisLex, in the folder that ROOKERY_DATA names; else both are made up.

    python projects/matching/bench/python/rookery/matching_bench/compile_bench.py [rounds]
"""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import random
import re
import statistics
import subprocess  # nosec B404
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from rookery.matching import Matcher, RuleFormat, RuleSet, RuleSyntaxError, parse_rule

SIZES: Final = (1_000, 10_000, 100_000)
CHANGED: Final = 100
PATTERNS: Final = 500
FILES: Final = (RuleFormat.YAML, RuleFormat.CSV, RuleFormat.JSONL)
DATA: Final = "ROOKERY_DATA"
_WORD: Final = re.compile(r"\w+")

T = TypeVar("T")


def load_names(dice: random.Random) -> list[str]:
    """Finds names and phrases, or makes some up.

    Args:
        dice: What is random about it.

    Returns:
        Different ones, of one to four words.
    """
    root = Path(os.environ.get(DATA, "nowhere"))
    texts = [
        text
        for path in sorted(root.glob("keywords/corpora/**/*.json"))
        for text in _strings(json.loads(path.read_text("utf-8")))
    ]
    lexicon = root / "social/crisislex/CrisisLexLexicon/CrisisLexRec.txt"
    if lexicon.is_file():
        texts += lexicon.read_text("utf-8").split("\n")
    found = {
        " ".join(words): None
        for text in texts
        if 1 <= len(words := _WORD.findall(text)) <= 4 and 3 <= len(text) <= 40
    }
    if found:
        return list(found)
    letters = "etaoinshrdlucmfwypvbgkq"
    return ["".join(dice.choices(letters, k=dice.randint(3, 9))) for _ in range(30_000)]


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def make_rules(count: int, dice: random.Random) -> list[str]:
    """Makes rules.

    Args:
        count: How many.
        dice: What is random about it.

    Returns:
        As many lines of a rule file, no two of one meaning.
    """
    names = load_names(dice)
    words = list({word: None for name in names for word in name.split()})

    def word() -> str:
        # A name that is not there yet, as streets, people and products have them.
        made = dice.choice(words)
        made = f"{made}{dice.randint(2, 99)}" if dice.random() < 0.3 else made
        return f'"{made}"' if made in ("OR", "AND", "NOT") else made

    def phrase() -> str:
        return f'"{dice.choice(names)} {word()}"'.replace('""', '"')

    def some(most: int) -> list[str]:
        return [word() for _ in range(dice.randint(2, most))]

    kinds: list[tuple[int, Callable[[], str]]] = [
        (25, lambda: " ".join(some(4))),
        (20, lambda: phrase().replace('" "', " ")),
        (15, lambda: f"({' OR '.join(some(5))}) {word()}"),
        (10, lambda: f"{' '.join(some(3))} -{word()} -{phrase()}"),
        (10, lambda: " OR ".join([f"#{dice.choice(words)}", *some(4)])),
        (5, lambda: f"@{dice.choice(words)} {word()}"),
        (4, lambda: f"{phrase()} lang:{dice.choice(['en', 'es', 'pt-BR'])}"),
        (3, lambda: f"from:{dice.choice(words)} ({' OR '.join(some(3))}) -has:links"),
        (3, lambda: f"{word()}* {word()}"),
        (2, lambda: f'"{" ".join(some(3))}"~3'.replace('""', '"')),
        (2, lambda: f"${dice.choice(words)} OR url:{dice.choice(words)}.com"),
        (1, lambda: f"/{dice.choice(words).lower()}-?[0-9]+/ {word()}"),
    ]
    weights, makers = zip(*kinds, strict=True)
    found: dict[str, None] = {}
    while len(found) < count:
        (make,) = dice.choices(makers, weights)
        line = make()
        try:
            parse_rule(line)
        except RuleSyntaxError:
            continue
        found[line] = None
    return [f"rule-{number} = {line}" for number, line in enumerate(found)]


def in_python(line: str) -> str:
    """Writes a rule in Python, for Python's parser.

    Args:
        line: A line of a rule file.

    Returns:
        An expression with a comparison for each of its terms.
    """
    expression = line.partition(" = ")[2]
    pieces = re.findall(r'"[^"]*"[~0-9]*|\(|\)|OR(?=\s)|-(?=\S)|[^\s()]+', expression)
    written = [""]
    for piece in pieces:
        if piece not in (")", "OR") and written[-1] not in ("", "(", "or", "not"):
            written.append("and")
        match piece:
            case "(" | ")":
                written.append(piece)
            case "OR":
                written.append("or")
            case "-":
                written.append("not")
            case _:
                written.append(f"{piece!r} in text")
    return " ".join(written[1:])


def in_file(lines: list[str], format: RuleFormat) -> str:
    """Writes rules as a file.

    Args:
        lines: The lines of a rule file.
        format: In what it is to be written.

    Returns:
        The text of the file.
    """
    rules = [line.split(" = ", 1) for line in lines]
    match format:
        case RuleFormat.JSONL:
            return "".join(
                json.dumps({"id": name, "rule": rule}) + "\n" for name, rule in rules
            )
        case RuleFormat.CSV:
            written = io.StringIO()
            csv.writer(written).writerows([["id", "rule"], *rules])
            return written.getvalue()
        case RuleFormat.YAML:
            # Text in quotation marks is the same in JSON and YAML.
            return "".join(
                f"- id: {name}\n  rule: {json.dumps(rule)}\n" for name, rule in rules
            )
        case RuleFormat.TEXT:
            return "\n".join(lines)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Measures a function.

    Args:
        work: The function.

    Returns:
        What it returned, and how many seconds of this thread it took.
    """
    start = time.thread_time()
    result = work()
    return result, time.thread_time() - start


def memory() -> float:
    """Measures what this process has of memory.

    Returns:
        Its resident size, in MB.
    """
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(path: Path) -> dict[str, float]:
    """Measures everything for one file of rules, in this process.

    Args:
        path: A file of rules, of which none was read in this process.

    Returns:
        Seconds, and MB, by name.

    Raises:
        SystemExit: A file format reads as other rules.
    """
    lines = path.read_text("utf-8").split("\n")
    found: dict[str, float] = {}
    # What is loaded and made at the first use of all is not a matter of the rules.
    Matcher(RuleSet.parse(['warm "up now" -x OR y* "a b"~2 lang:en from:b /ab+/']))
    before = memory()
    rules, found["parse cold"] = timed(lambda: RuleSet.parse(lines))
    found["MB parsed"] = memory() - before
    matcher, found["compile"] = timed(lambda: Matcher(rules))
    found["cold"] = found["parse cold"] + found["compile"]
    found["MB compiled"] = memory() - before
    _, found["parse again"] = timed(lambda: RuleSet.parse(lines))
    changed = list(lines)
    for number in range(0, len(lines), CHANGED):
        changed[number] += f" -changed{number}"
    del matcher
    _, found["swap 1 % changed"] = timed(lambda: Matcher(RuleSet.parse(changed)))
    for format in FILES:
        text = in_file(lines, format)
        read, found[f"read {format}"] = timed(partial(RuleSet.read, text, format))
        if read != rules:
            raise SystemExit(f"{format} reads as other rules")
    written = [in_python(line) for line in lines]
    _, found["ast.parse"] = timed(
        lambda: [ast.parse(text, mode="eval") for text in written]
    )
    some = written[:PATTERNS]
    patterns = [
        rf"(?i)(?<!\w){re.escape(term)}(?!\w)"
        for text in some
        for term in re.findall(r"'([^']+)' in", text)
    ]
    _, seconds = timed(lambda: [re.compile(pattern) for pattern in patterns])
    found["re.compile"] = seconds * len(lines) / len(some)
    return found


BASELINES: Final = {
    "parse cold": "ast.parse",
    "cold": "re.compile",
    "parse again": "parse cold",
    "swap 1 % changed": "cold",
    **{f"read {format}": "ast.parse" for format in FILES},
}


def main(rounds: int) -> None:
    """Measures, and prints a table.

    Args:
        rounds: How often each number of rules is measured.
    """
    dice = random.Random(1)  # nosec B311
    lines = make_rules(max(SIZES), dice)
    columns: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = Path(folder, f"{size}.txt")
            path.write_text("\n".join(lines[:size]), "utf-8")
            found = [in_a_process(path) for _ in range(rounds)]
            columns.append(
                {name: statistics.median(f[name] for f in found) for name in found[0]}
            )
    print(f"{'':20}" + "".join(f"{size:>11,} rules" for size in SIZES) + "  against")
    for name in columns[0]:
        unit = "MB" if name.startswith("MB") else "s "
        line = f"{name:20}"
        line += "".join(f"{column[name]:>14,.3f} {unit}" for column in columns)
        if name in BASELINES:
            against = BASELINES[name]
            ratio = columns[-1][against] / columns[-1][name]
            line += f"  {ratio:.1f}x as fast as {against}"
        print(line)


def in_a_process(path: Path) -> dict[str, float]:
    """Measures in a process of its own.

    Args:
        path: A file of rules.

    Returns:
        What `measure` returns there.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(  # nosec B603
        [sys.executable, __file__, str(path)],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].isdecimal():
        print(json.dumps(measure(Path(sys.argv[1]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
