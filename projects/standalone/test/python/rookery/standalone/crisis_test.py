import csv
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rookery.matching import track_rule
from rookery.service.testing import eventually, require
from rookery.standalone.testing import Run, platform

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

_COLUMNS = ("--columns", "id='Tweet ID',text='Tweet Text'", "--time", "snowflake")


def _real(folder: Path) -> Path:
    """The tweets of ten crises, where they are there."""
    del folder
    return require("data") / "social/crisislex/CrisisLexT26"


def _generated(folder: Path) -> Path:
    """Files of the same shape: two events that share one post, and broken lines."""
    chance = random.Random(11)  # nosec B311: posts that are made up
    for event, keywords in (
        ("2012_Alpha_fire", ["alpha fire", "#alphafire"]),
        ("2013_Beta_flood", ["beta flood", "#betaflood"]),
    ):
        path = folder / event / f"{event}-event_description.json"
        path.parent.mkdir()
        path.write_text(json.dumps({"keywords": keywords}))
        with path.with_name(f"{event}-tweets_labeled.csv").open(
            "w", newline="", encoding="utf-8"
        ) as file:
            file.write("Tweet ID, Tweet Text, Information Source\n")
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            for _ in range(600):
                word = chance.choice(keywords).upper()
                text = f'{word}\n"très près"! {chance.randrange(1000)}'
                writer.writerow([chance.randrange(1 << 57, 1 << 58), text, "x"])
            writer.writerow([1 << 58, "Alpha fire, beta flood", "x"])
    return folder


def _listed(root: Path) -> tuple[dict[str, set[str]], int]:
    """By id of a post the events that list it; and the number of all rows."""
    events, rows = defaultdict(set), 0
    for path in sorted(root.glob("*/*-tweets_labeled.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in list(csv.reader(file))[1:]:
                events[f"tweets:{row[0]}"].add(path.parent.name)
                rows += 1
    return dict(events), rows


def _rules(root: Path) -> dict[str, str]:
    """By name of a rule the keyword it was made from; the name holds the event."""
    return {
        f"{path.parent.name}.{number}": keyword
        for path in sorted(root.glob("*/*-event_description.json"))
        for number, keyword in enumerate(json.loads(path.read_text())["keywords"])
    }


def _pages(run: Run, **query: str) -> Iterator[dict[str, Any]]:
    """All posts, page after page."""
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = run.get("/api/posts", limit="200", **query, **more)
        assert page["skipped_frames"] == 0
        yield from page["posts"]
        cursor = page["next"]
        if cursor is None:
            return


@pytest.mark.parametrize("make", [_real, _generated])
def test_the_rest_interface_tells_of_every_tweet_once_and_which_words_matched(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    (tmp_path / "events").mkdir()
    root = make(tmp_path / "events")
    listed, rows = _listed(root)
    keywords = _rules(root)
    rules = tmp_path / "rules.txt"
    rules.write_text("".join(f"{n} = {track_rule(k)}\n" for n, k in keywords.items()))
    with platform(
        tmp_path / "state",
        *("--source", f"{root}/*/*-tweets_labeled.csv", "--name", "tweets"),
        *("--rules", str(rules), *_COLUMNS),
    ) as run:
        run.child.wait_for("the source is exhausted", timeout=90)
        eventually(
            lambda: run.get("/api/status")["archived_posts"] == len(listed),
            timeout=60,
            message="all is archived",
        )
        status = run.get("/api/status")
        assert status["sources"]["tweets"] == {
            "read": rows,
            "accepted": len(listed),
            "duplicates": rows - len(listed),
            "rejected": 0,
        }
        assert status["dead"] == 0
        assert status["rules"] == len(keywords)
        posts = list(_pages(run))
        counted = run.get("/api/rules", limit="1000")["rules"]

    assert status["matched"]["posts"] == len(posts) == len(listed)
    times = [post["counted_at"] for post in posts]
    assert times == sorted(times, reverse=True)
    found = {
        post["id"]: {rule.rpartition(".")[0] for rule in post["rules"]}
        for post in posts
    }
    assert len(found) == len(posts)
    assert {
        i: events - found[i] for i, events in listed.items() if events - found[i]
    } == {}
    by_rule = Counter(rule for post in posts for rule in post["rules"])
    assert {
        rule["id"]: rule["totals"]["posts"]
        for rule in counted
        if rule["totals"]["posts"]
    } == by_rule
    for post in posts:
        assert {span["rule"] for span in post["spans"]} == set(post["rules"])
        for span in post["spans"]:
            shown = post["text"][span["start"] : span["end"]]
            words = re.findall(r"\w+", shown.lower())
            assert words, post
            assert set(words) <= set(re.findall(r"\w+", keywords[span["rule"]].lower()))
