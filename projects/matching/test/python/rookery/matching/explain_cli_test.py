"""`match explain`."""

from __future__ import annotations

import json
import os
import pty
import subprocess  # nosec B404
from pathlib import Path

import pytest

from rookery.matching import MatchingError, RuleSyntaxError
from rookery.matching._commands._input import Misuse, Unreadable
from rookery.matching.cli import app
from rookery.service import child_environment, module_command
from rookery.service.testing import run_module

RULES = 'fires = "big fire" -drill\nby = from:ann fire\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("rules.txt").write_text(RULES)
    return tmp_path


def run(*arguments: str) -> int:
    result = app(["explain", *arguments], standalone_mode=False)
    return result if isinstance(result, int) else 0


def test_a_rule_is_explained_clause_by_clause_and_its_words_marked(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run("fire -drill OR 東京", "a Fire in 東京, fire") == 0
    assert capfd.readouterr().out.splitlines() == [
        "yes  fire -drill OR 東京",
        "  yes  fire -drill",
        "    yes  fire  at 2-6, 14-18",
        "    yes  -drill",
        "      no   drill",
        "  yes  東京  at 10-12",
        "",
        "a Fire in 東京, fire",
        "  ^^^^    ^^^^  ^^^^",
    ]
    assert run("fire -drill", "fire drill") == 1


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["from:ann lang:en has:links source:rss url:bbc.co.uk has:media fire"], 0),
        (["from:bob fire"], 1),
    ],
)
def test_fields_of_the_post_are_options(options: list[str], code: int) -> None:
    fields = ["--from", "ANN", "--lang", "en", "--source", "rss"]
    fields += ["--link", "https://www.bbc.co.uk/x", "--media", "a.jpg"]
    assert run(*options, "a fire", *fields) == code


def test_rule_and_post_come_from_files(capfd: pytest.CaptureFixture[str]) -> None:
    post = {"id": 7, "text": "a\n big fire", "author": "ann", "links": None, "x": {}}
    Path("post.json").write_text(json.dumps(post))
    assert run("--rules", "rules.txt", "--rule", "by", "--post", "post.json") == 0
    assert capfd.readouterr().out.splitlines()[0] == "yes  from:ann fire"
    assert run("--rules", "rules.txt", "--rule", "fires", "big fire drill") == 1
    assert run("big", "--post", "post.json", "--from", "bob") == 0


def test_it_is_told_as_json(capfd: pytest.CaptureFixture[str]) -> None:
    run("--rules", "rules.txt", "--rule", "fires", "a big fire", "--json")
    assert json.loads(capfd.readouterr().out) == {
        "rule": "fires",
        "matches": True,
        "why": {
            "text": '"big fire" -drill',
            "true": True,
            "children": [
                {"text": '"big fire"', "true": True, "clause": 0, "spans": [[2, 10]]},
                {
                    "text": "-drill",
                    "true": True,
                    "children": [
                        {"text": "drill", "true": False, "clause": 1, "spans": []}
                    ],
                },
            ],
        },
    }


MISTAKES: list[tuple[list[str], type[MatchingError], str]] = [
    ([], Misuse, "takes a rule and a text here, not 0"),
    (["fire"], Misuse, "takes a rule and a text here, not 1"),
    (["fire", "a", "fire"], Misuse, "takes a rule and a text here, in quotes, not 3"),
    (["fire", "--rules", "rules.txt"], Misuse, "--rules FILE --rule NAME"),
    (
        ["--rules", "rules.txt", "--rule", "fires", "x", "y"],
        Misuse,
        "takes a text here",
    ),
    (["--rules", "rules.txt", "--rule", "fire", "x"], Misuse, "did you mean 'fires'"),
    (["(fire", "x"], RuleSyntaxError, "the group is not closed"),
    (["fire", "--post", "nosuch.json"], Unreadable, "nosuch.json: No such file"),
    (
        ["fire", "--post", "bad.json"],
        MatchingError,
        "bad.json: is not one post as JSON",
    ),
    (["fire", "--post", "list.json"], MatchingError, "it has no text"),
    (["fire", "--post", "type.json"], MatchingError, "type.json: author: is no string"),
    (
        ["fire", "--post", "latin.json"],
        MatchingError,
        "latin.json: byte 10 is not UTF-8",
    ),
]


@pytest.mark.parametrize(("arguments", "kind", "says"), MISTAKES)
def test_a_mistake_is_said_clearly(
    arguments: list[str], kind: type[MatchingError], says: str
) -> None:
    Path("bad.json").write_text("{")
    Path("list.json").write_text("[]")
    Path("type.json").write_text('{"text": "a", "author": 5}')
    Path("latin.json").write_bytes(b'{"text": "\xe9"}')
    with pytest.raises(kind, match=says):
        run(*arguments)


@pytest.mark.integration
def test_text_and_post_come_from_standard_input() -> None:
    done = run_module("rookery.matching", "explain", "fire", "-", input="a fire")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "yes  fire  at 2-6")
    post = ("explain", "fire", "--post", "-")
    done = run_module("rookery.matching", *post, input='{"text": "smoke"}')
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "no   fire")
    done = run_module("rookery.matching", *post, input="{")
    assert (done.returncode, done.stderr.count("\n")) == (65, 1)
    assert done.stderr.startswith("error: <stdin>: is not one post as JSON")


@pytest.mark.integration
@pytest.mark.parametrize("is_plain", [False, True])
def test_colours_are_for_terminals_alone(is_plain: bool) -> None:
    ours, theirs = pty.openpty()
    extra = {"TERM": "xterm-256color"} | ({"NO_COLOR": "1"} if is_plain else {})
    done = subprocess.run(  # nosec B603
        module_command("rookery.matching", "explain", "fire -a", "\x1b[31m fire"),
        env=child_environment(extra),
        stdout=theirs,
        timeout=60,
    )
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0
    assert "\x1b[31m fire" not in shown
    assert ("\x1b[1;33mfire" in shown) is not is_plain
    assert ("^^^^" in shown) is is_plain
