import csv
import json
import random
import signal
import subprocess  # nosec B404
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dockerfiles.test.stack import NODES, Stack, health_of, service_of, stack

from rookery.lake import Lake
from rookery.matching import Matcher, RuleSet, track_rule
from rookery.service.testing import eventually, require

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

# Posts that are made up while servers die, and how many of them in a second.
LOAD, RATE = 36_000, 1_200
# A third of the posts of the load matches one of these; so do some tweets.
_MORE_RULES = {"load.flood": "flood OR Hochwasser", "load.coffee": "coffee OR café"}
_TWEETS = (
    """--name tweets --time snowflake --columns "id='Tweet ID',text='Tweet Text'" """
)
# Which server leads a stream.
_LEADER = """
import json
from _socket import AF_INET, SOCK_STREAM, socket
connection = socket(AF_INET, SOCK_STREAM)
connection.settimeout(5)
connection.connect(("127.0.0.1", 8222))
connection.send(b"GET /jsz?streams=true HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n")
answer = b""
while part := connection.recv(65536):
    answer += part
for account in json.loads(answer.partition(b"\\r\\n\\r\\n")[2])["account_details"]:
    for stream in account["stream_detail"]:
        if stream["name"] == "POSTS":
            print(stream["cluster"]["leader"])
"""


def _events(folder: Path) -> Path:
    """The tweets of ten crises; where they are absent, files of the same shape."""
    try:
        return require("data") / "social/crisislex/CrisisLexT26"
    except pytest.skip.Exception:
        return _generated(folder)


def _generated(folder: Path) -> Path:
    """Four events of which two share one post."""
    chance = random.Random(11)  # nosec B311: posts that are made up
    for number in range(4):
        event, keywords = f"2013_Place{number}", [f"place{number}", f"#storm{number}"]
        path = folder / event / f"{event}-event_description.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"keywords": keywords}))
        with path.with_name(f"{event}-tweets_labeled.csv").open(
            "w", newline="", encoding="utf-8"
        ) as file:
            file.write("Tweet ID, Tweet Text, Information Source\n")
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            for _ in range(1000):
                text = f'{chance.choice(keywords)}\n"très près" {chance.random()}'
                writer.writerow([chance.randrange(1 << 57, 1 << 58), text, "x"])
            if number < 2:
                writer.writerow([1 << 58, "place0 and Place1", "x"])
    return folder


def _listed(files: list[Path]) -> tuple[dict[str, set[str]], dict[str, str], int]:
    """By id of a post the events that list it, and its text; the number of all rows."""
    events: dict[str, set[str]] = defaultdict(set)
    texts: dict[str, str] = {}
    rows = 0
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            for row in list(csv.reader(file))[1:]:
                events[f"tweets:{row[0]}"].add(path.parent.name)
                texts.setdefault(f"tweets:{row[0]}", row[1])
                rows += 1
    return dict(events), texts, rows


def _rules(root: Path) -> dict[str, str]:
    """By name of a rule what it asks for; the names of real ones begin with the event."""
    return {
        f"{path.parent.name}.{number}": track_rule(keyword)
        for path in sorted(root.glob("*/*-event_description.json"))
        for number, keyword in enumerate(json.loads(path.read_text())["keywords"])
    } | _MORE_RULES


def _drop(files: list[Path], folder: Path) -> None:
    """Puts files where ingest finds them, each whole at once."""
    for file in files:
        hidden = folder / f".{file.name}"
        hidden.write_bytes(file.read_bytes())
        hidden.chmod(0o644)
        hidden.rename(folder / file.name)


def _read(running: Stack, source: str) -> int:
    found: dict[str, int] = running.get("/api/status")["sources"].get(source, {})
    return found.get("read", 0)


@contextmanager
def _load(running: Stack) -> Iterator["subprocess.Popen[bytes]"]:
    """A second source that ends, as `compose run` takes in what exists already."""
    command = running.command("run", "--rm", "-T", "--no-deps", "ingest")
    command += ["--source", "synthetic:", "--name", "load"]
    command += ["--rate", str(RATE), "--limit", str(LOAD)]
    with subprocess.Popen(command, env=running.environment) as process:  # nosec B603
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)


def _kill(running: Stack) -> tuple[str, str]:
    """Kills the server that leads the log of posts, and a match worker, both at once."""
    any_node = running.container("nats-2")["Id"]
    leader = eventually(
        lambda: running.python(any_node, _LEADER).strip(), message="there is a leader"
    )
    assert leader in NODES
    victims = (
        running.container(leader)["Id"],
        running.containers("match-worker")[0]["Id"],
    )
    running.docker("kill", *victims)
    return victims


def _columns(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def test_a_server_and_a_worker_are_killed_under_load_and_every_post_counts_once(
    tmp_path: Path,
) -> None:
    root = _events(tmp_path / "events")
    files = sorted(root.glob("*/*-tweets_labeled.csv"))
    listed, texts, rows = _listed(files)
    rules = "".join(f"{name} = {text}\n" for name, text in _rules(root).items())
    with stack(
        tmp_path,
        *("compose.yaml", "compose.cluster.yaml"),
        ROOKERY_SOURCE="/input/*.csv",
        ROOKERY_SOURCE_OPTIONS=_TWEETS,
        ROOKERY_RULES_FOLDER=str(tmp_path / "rules"),
        ROOKERY_RULES="rules.txt",
    ) as running:
        (tmp_path / "rules/rules.txt").write_text(rules, encoding="utf-8")
        first, later = files[: len(files) // 2], files[len(files) // 2 :]
        _drop(first, tmp_path / "input")
        running.compose("up", "--detach")
        running.wait_until_healthy()

        with _load(running) as load:
            running.compose(
                *("up", "--detach", "--no-recreate", "--scale", "match-worker=3")
            )
            running.wait_until_healthy("match-worker")
            assert len(running.containers("match-worker")) == 3
            eventually(
                lambda: _read(running, "load") > LOAD // 10,
                timeout=60,
                message="the load is under way",
            )
            killed = _kill(running)
            _drop(later, tmp_path / "input")
            assert load.poll() is None, "the load ended before anybody was killed"
            assert _read(running, "load") < LOAD
            assert load.wait(120) == 0

        def archived() -> bool:
            status = running.get("/api/status")
            return (
                status["archived_posts"] == len(listed) + LOAD
                and status["watermark"] == status["last"]
                and not status["matching"]["frames"]
            )

        eventually(archived, timeout=90, message="everything is archived")
        assert health_of(running.containers("archiver")[0]) == "healthy"
        # The server comes back with what it missed.
        running.docker("start", killed[0])
        running.wait_until_healthy(*NODES)

        status = running.get("/api/status")
        counted = running.get("/api/rules", limit="1000")["rules"]
        seconds = running.stop()
        ends = {
            f"{service_of(container)} {container['Name']}": container["State"]
            for container in running.containers()
            if container["Id"] != killed[1]
        }
        assert {name: s["ExitCode"] for name, s in ends.items()} == dict.fromkeys(
            ends, 0
        )
        assert seconds < 60
        running.docker(
            "cp", f"{running.container('archiver')['Id']}:/lake", str(tmp_path / "lake")
        )

    assert status["sources"] == {
        "tweets": {
            "read": rows,
            "accepted": len(listed),
            "duplicates": rows - len(listed),
            "rejected": 0,
        },
        "load": {"read": LOAD, "accepted": LOAD, "duplicates": 0, "rejected": 0},
    }
    assert status["dead"] == 0
    assert status["problems"] == []

    lake = Lake.open((tmp_path / "lake").as_uri(), read_only=True)
    posts = lake.posts.snapshot().table("posts", columns=None)
    matches = lake.matches.snapshot().table("matches")
    cube = lake.matches.snapshot().table("cube")

    archived_texts = dict(_columns(posts, "id", "text"))
    assert posts.num_rows == len(archived_texts) == len(listed) + LOAD
    assert {i: t for i, t in archived_texts.items() if i in texts} == texts

    # What matched is what matches here, post for post.
    found = {i: set(r) for i, r in _columns(matches, "id", "rules")}
    assert matches.num_rows == len(found) == status["matched"]["posts"]
    expected = Matcher(RuleSet.parse(rules.splitlines()))(
        posts.combine_chunks().to_batches()[0]
    )
    assert found == {
        i: set(r) for i, r in _columns(pa.Table.from_batches([expected]), "id", "rules")
    }
    # And, without our own matcher: each tweet is found under each event that lists it.
    assert {
        i: names
        for i, events in listed.items()
        if (names := events - {rule.rpartition(".")[0] for rule in found[i]})
    } == {}

    by_rule = Counter(rule for names in found.values() for rule in names)
    summed: Counter[str | None] = Counter()
    for rule, number in _columns(cube, "rule", "posts"):
        summed[rule] += number
    assert summed.pop(None) == matches.num_rows
    assert summed == by_rule
    assert {
        rule["id"]: rule["totals"]["posts"]
        for rule in counted
        if rule["totals"]["posts"]
    } == by_rule
