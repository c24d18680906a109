import asyncio
import io
import json
import os
import re
import subprocess  # nosec B404
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from rookery.bus import testing
from rookery.matching import MatchingError, RuleFormat, RuleSet, store
from rookery.matching._commands._in_force import signature
from rookery.matching._commands._rules_shown import write_rules
from rookery.matching.cli import app
from rookery.service.testing import free_port, run_module

pytestmark = pytest.mark.integration

RULES = "# what burns\nfires  =  ((fire))  -drill\n\n#tag\n"
CANONICAL = "fires = fire -drill\n#tag\n"


@pytest_asyncio.fixture
async def state(tmp_path: Path) -> AsyncIterator[Path]:
    async with testing.server(tmp_path / "state") as server:
        yield server.state


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.txt"
    path.write_text(RULES)
    return path


def _match(
    *arguments: str, state: Path, input: str | None = None, bus: str = ""
) -> subprocess.CompletedProcess[str]:
    env = {"ROOKERY_STATE": str(state), "ROOKERY_BUS": bus, "COLUMNS": "200"}
    return run_module("rookery.matching", *arguments, env=env, input=input)


@pytest.mark.asyncio
async def test_rules_that_are_put_are_those_that_are_shown(
    state: Path, rules: Path
) -> None:
    none = _match("rules", "show", state=state)
    assert (none.returncode, none.stdout) == (1, "")
    assert "match rules put FILE" in none.stderr

    put = _match("rules", "put", str(rules), state=state)
    assert (put.returncode, put.stderr) == (0, "")
    said, _, version = put.stdout.rstrip().rpartition(" ")
    assert said == "2 rules are in force, version"

    shown = _match("rules", "show", state=state)
    assert (shown.returncode, shown.stdout) == (0, CANONICAL)
    assert shown.stderr == f"2 rules, version {version}\n"

    again = _match("rules", "put", "-", state=state, input=shown.stdout)
    assert (again.returncode, again.stdout) == (0, put.stdout)


@pytest.mark.asyncio
async def test_rules_to_begin_with_leave_those_that_are_in_force(
    state: Path, rules: Path
) -> None:
    first = _match("rules", "put", "--if-none", str(rules), state=state)
    assert (first.returncode, first.stderr) == (0, "")
    version = first.stdout.split()[-1]
    assert first.stdout == f"2 rules are in force, version {version}\n"
    rules.write_text("other\n")
    second = _match("rules", "put", "--if-none", str(rules), state=state)
    assert (second.returncode, second.stdout) == (
        0,
        f"rules are in force already, version {version}: nothing changed\n",
    )
    assert _match("rules", "show", state=state).stdout == CANONICAL


@pytest.mark.asyncio
async def test_broken_rules_change_nothing_and_are_all_named(
    state: Path, rules: Path
) -> None:
    assert _match("rules", "put", str(rules), state=state).returncode == 0
    for text, told in (
        ("fire\n(a\n-drill\n", ["2 rules cannot", "<stdin>:2:1: ", "<stdin>:3:1: "]),
        ("", ["no rules in it", "--allow-empty"]),
        ("# nothing\n", ["no rules in it"]),
    ):
        broken = _match("rules", "put", "-", state=state, input=text)
        assert (broken.returncode, broken.stdout) == (65, "")
        assert all(one in broken.stderr for one in told), broken.stderr
        assert "Traceback" not in broken.stderr
    assert _match("rules", "show", state=state).stdout == CANONICAL


@pytest.mark.asyncio
async def test_no_rules_are_put_where_that_is_meant(state: Path, rules: Path) -> None:
    assert _match("rules", "put", str(rules), state=state).returncode == 0
    put = _match("rules", "put", os.devnull, "--allow-empty", state=state)
    assert (put.returncode, put.stdout.split(",")[0]) == (0, "0 rules are in force")
    shown = _match("rules", "show", state=state)
    assert (shown.returncode, shown.stdout) == (0, "")


@pytest.mark.asyncio
async def test_the_bus_can_be_named_by_its_address(state: Path, rules: Path) -> None:
    async with testing.server(state.parent / "other") as other:
        put = _match("rules", "put", str(rules), state=other.state)
        assert put.returncode == 0
        shown = _match("rules", "show", state=state, bus=other.url)
        assert (shown.returncode, shown.stdout) == (0, CANONICAL), shown.stderr
        assert _match("rules", "show", state=state).returncode == 1


@pytest.mark.parametrize("embedded", [True, False])
def test_without_a_bus_it_ends_with_69(
    embedded: bool, rules: Path, tmp_path: Path
) -> None:
    bus = "embedded:" if embedded else f"nats://127.0.0.1:{free_port()}"
    for command in (
        ("put", str(rules)),
        ("show",),
        ("add", "fire"),
        ("remove", "fire"),
        ("history",),
    ):
        ended = _match("rules", *command, state=tmp_path / "none", bus=bus)
        assert (ended.returncode, ended.stdout) == (69, "")
        assert ended.stderr.startswith("error: ")
        assert ended.stderr.count("\n") == 1, ended.stderr


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.txt"
    path.write_bytes(b"fire\n\xff\n")
    ended = _match("rules", "put", str(path), state=tmp_path)
    assert ended.returncode == 65
    assert "is not UTF-8" in ended.stderr


def test_broken_rules_are_told_before_the_bus_is_asked(tmp_path: Path) -> None:
    ended = _match("rules", "put", "-", state=tmp_path / "none", input="-drill\n")
    assert ended.returncode == 65
    assert "<stdin>:1:1: " in ended.stderr


Run = Callable[..., Awaitable[str]]


@pytest.fixture
def run(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs `match rules` in this process; its errors come out as they are."""
    monkeypatch.setenv("ROOKERY_STATE", str(state))
    monkeypatch.delenv("ROOKERY_BUS", raising=False)
    monkeypatch.setenv("LOGNAME", "anna")
    # What was set up for one command is not for the next one.
    monkeypatch.setattr(
        "rookery.matching._commands._in_force.configure_logging", lambda *_, **__: None
    )

    async def command(*arguments: str, input: str = "", code: int = 0) -> str:
        stdin = io.TextIOWrapper(io.BytesIO(input.encode()), "utf-8")
        monkeypatch.setattr(sys, "stdin", stdin)
        result = await asyncio.to_thread(
            app, ["rules", *arguments], standalone_mode=False
        )
        assert (result or 0) == code
        return capsys.readouterr().out

    return command


@pytest.mark.asyncio
async def test_rules_are_added_changed_switched_and_removed(run: Run) -> None:
    said = await run("add", 'fires = "big fire" -drill', "#tag", "--tag", "us")
    assert re.fullmatch(
        "2 rules added: 2 rules are in force, version [0-9a-f]{16}\n", said
    )
    assert (await run("add", "floods = flood", "--disabled")).startswith(
        "1 rule added: 3 rules are in force"
    )
    assert (await run("change", "fires", "(wildfire)")).startswith("1 rule changed: 3")
    await run("change", "fires", "fires = wildfire", "--tag", "b", "--tag", "a")
    await run("change", "#tag", "--no-tags")
    await run("enable", "floods")
    assert (await run("disable", "#tag", "fires")).startswith("2 rules disabled: 3")
    assert (await run("disable", "#tag")).startswith("nothing changed: 3")
    assert await run("show") == (
        '{"id": "fires", "rule": "wildfire", "tags": ["a", "b"], "enabled": false}\n'
        '{"id": "#tag", "rule": "#tag", "enabled": false}\n'
        "floods = flood\n"
    )
    assert await run("show", "floods") == "floods = flood\n"
    assert (await run("remove", "fires", "#tag")).startswith("2 rules removed: 1 rules")
    await run("remove", "floods", "--allow-empty")
    assert await run("show") == ""


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "format",
    [
        ("text", "a = fire\n"),
        ("jsonl", '{"id": "a", "rule": "fire"}\n'),
        ("csv", "id,rule,tags,enabled\na,fire,,true\n"),
        ("yaml", "- id: a\n  rule: fire\n"),
    ],
    ids=lambda format: format[0],
)
async def test_rules_come_and_go_in_any_format(
    run: Run, format: tuple[str, str], tmp_path: Path
) -> None:
    name, text = format
    await run("put", "-", "--format", name, input=text)
    assert await run("show", "--format", name) == text
    path = tmp_path / "rules.other"
    path.write_text(text.replace("fire", "flood"))
    await run("put", str(path), "--format", name)
    assert await run("show", "--format", name) == text.replace("fire", "flood")
    more = text.replace("a", "b", 1) if name != "csv" else "id,rule\nb,fire\n"
    if name == "yaml":
        more = "- id: b\n  rule: fire\n"
    elif name == "jsonl":
        more = '{"id": "b", "rule": "fire"}\n'
    assert (await run("add", "-", "--format", name, input=more)).startswith("1 rule")
    assert await run("show") == "a = flood\nb = fire\n"


_NAMES = st.text(min_size=1, max_size=6).filter(lambda name: name == name.strip())


@given(
    st.dictionaries(
        _NAMES,
        st.tuples(
            st.sampled_from(
                ["fire", '"a: b" -c', "#x", "@y", "- z", "🔥", "substring:\u2028"]
            ),
            st.lists(_NAMES, max_size=2),
            st.booleans(),
        ),
        max_size=4,
    ),
    st.sampled_from(RuleFormat),
)
def test_what_is_shown_in_a_format_reads_as_the_same_rules(
    written: dict[str, tuple[str, list[str], bool]], format: RuleFormat
) -> None:
    lines = "\n".join(
        json.dumps({"id": name, "rule": rule, "tags": tags, "enabled": enabled})
        for name, (rule, tags, enabled) in written.items()
    )
    try:
        rules = RuleSet.read(lines, RuleFormat.JSONL)
        shown = write_rules(store.Listing.of(rules), format)
    except MatchingError:
        return  # no rule, or nothing that CSV can say
    assert RuleSet.read(shown, format) == rules


@pytest.mark.asyncio
async def test_the_history_tells_who_did_what_and_why(run: Run) -> None:
    await run("put", "-", input="a = fire\nb = flood\n", code=0)
    await run("change", "a", "wildfire", "--note", "it \x1b[31mburns", "--as", "ben")
    await run("disable", "b")
    told = (await run("history")).splitlines()
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}Z  [0-9a-f]{16}"
    for line, pattern in zip(
        told,
        [
            f"{moment}  anna  1 rule disabled; 2 rules",
            "    disabled: b",
            f'{moment}  ben  1 rule changed; 2 rules  "it  \\[31mburns"',
            "    - a = fire",
            r"    \+ a = wildfire",
            f"{moment}  anna  put: 2 rules added; 2 rules",
            r"    \+ a = fire",
            r"    \+ b = flood",
        ],
        strict=True,
    ):
        assert re.fullmatch(pattern, line), line
    newest, changed = map(
        json.loads, (await run("history", "--json", "--limit", "2")).splitlines()
    )
    assert newest["before"] == changed["version"]
    assert (changed["by"], changed["note"]) == ("ben", "it \x1b[31mburns")
    assert changed["changes"] == [
        {"id": "a", "action": "changed", "before": "a = fire", "after": "a = wildfire"}
    ]
    assert len((await run("history", "--rule", "b", "--json")).splitlines()) == 2
    assert await run("history", "--rule", "none", code=1) == ""


@pytest.mark.asyncio
async def test_versions_are_compared_shown_and_restored(run: Run) -> None:
    first = (await run("put", "-", input="a = fire\nb = flood\n")).split()[-1]
    second = (await run("put", "-", input="b = rain\nc = hail\n")).split()[-1]
    difference = "- a = fire\n- b = flood\n+ b = rain\n+ c = hail\n"
    assert await run("diff", first[:6], code=1) == difference
    assert await run("diff", first, second, code=1) == difference
    assert await run("diff", second) == ""
    assert await run("show", "--version", first[:6]) == "a = fire\nb = flood\n"
    said = await run("restore", first[:6])
    assert said == (
        "1 rule added, 1 changed, 1 removed: 2 rules are in force, "
        f"version {first}\n"
    )
    assert await run("show") == "a = fire\nb = flood\n"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "a = x"), "'a' is in force already: a = fire; change it"),
        (("add", "b = ("), "^<argument>:1:6: "),
        (("add", "b = x", "c = -y"), "^<argument>:2:5: "),
        (("add", ""), "no rules to add"),
        (("add", "b = x", "--tag", " "), "a tag has to have"),
        (("change", "A", "x"), "no rule 'A': did you mean 'a'"),
        (("change", "a", "(x"), "^<argument>:1:1: "),
        (("change", "a", "b = x"), "the rule 'a' keeps its name"),
        (("change", "a", " "), "no expression"),
        (("remove", "a"), "no rule would be left"),
        (("show", "z"), "no rule 'z'"),
        (("show", "--version", "0000"), "'0000': no version begins so"),
        (("restore", "f" * 16), f"does not hold the rules of version {'f' * 16}"),
        (("add", "b = x", "--note", "n" * 501), "501 characters, at most 500"),
    ],
)
async def test_mistakes_are_told_in_one_line(
    run: Run, arguments: tuple[str, ...], told: str
) -> None:
    await run("put", "-", input="a = fire\n")
    with pytest.raises(MatchingError, match=told) as caught:
        await run(*arguments)
    assert caught.value.exit_code == 65
    assert await run("show") == "a = fire\n"


@pytest.mark.asyncio
async def test_a_change_of_another_version_than_expected_ends_with_75(
    run: Run,
) -> None:
    first = (await run("put", "-", input="a = fire\n")).split()[-1]
    await run("add", "b = x", "--if-version", first[:5])
    for command in (
        ("add", "c = x"),
        ("remove", "a"),
        ("restore", first),
    ):
        with pytest.raises(store.Conflict) as caught:
            await run(*command, "--if-version", first)
        assert caught.value.exit_code == 75


@pytest.mark.parametrize(
    "arguments",
    [
        ("add",),
        ("add", "a", "-"),
        ("change", "a"),
        ("change", "a", "--tag", "x", "--no-tags"),
        ("history", "--limit", "0"),
        ("show", "--format", "xml"),
    ],
)
def test_wrong_usage_ends_with_64(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ended = _match("rules", *arguments, state=tmp_path)
    assert (ended.returncode, ended.stdout) == (64, "")


def test_who_has_no_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise OSError("No username set in the environment")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert signature(None, "").by == str(os.getuid())
    assert signature("ben", "why") == store.Signature("ben", "why")
