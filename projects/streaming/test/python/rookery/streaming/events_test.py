"""Ten crises, from the files of the people who collected them to the lake."""

from __future__ import annotations

import csv
import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from rookery.matching import track_rule
from rookery.service.testing import require
from rookery.streaming.testing import Platform

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

_SHARED = 354_439_470_801_616_898
_COLUMNS = ("--columns", "id='Tweet ID',text='Tweet Text'", "--time", "snowflake")


@dataclass(frozen=True)
class Events:
    """Events, each with the tweets of a folder and the keywords they were found by."""

    pattern: str
    keywords: Mapping[str, list[str]]
    rows: int

    @property
    def files(self) -> dict[str, Path]:
        root, _, rest = self.pattern.partition("/*/")
        return {path.parent.name: path for path in sorted(Path(root).glob(f"*/{rest}"))}

    def listed(self) -> dict[str, set[str]]:
        """By id of a post, the events that list it."""
        events = defaultdict(set)
        for event, path in self.files.items():
            with path.open(newline="", encoding="utf-8") as file:
                for row in list(csv.reader(file))[1:]:
                    events[f"tweets:{row[0]}"].add(event)
        return dict(events)

    def rules(self) -> str:
        """The keywords as a rule file; the name of a rule begins with its event."""
        return "".join(
            f"{event}.{number} = {track_rule(keyword)}\n"
            for event, keywords in self.keywords.items()
            for number, keyword in enumerate(keywords)
        )


def real(folder: Path) -> Events:
    """CrisisLexT26, where it is there."""
    del folder
    root = require("data") / "social/crisislex/CrisisLexT26"
    return Events(
        f"{root}/*/*-tweets_labeled.csv", _keywords(root, "*-event_description"), 10_911
    )


def generated(folder: Path) -> Events:
    """Events of the same shape."""
    chance = random.Random(26)  # nosec B311
    snowflake = 211_040_709_124_440_064
    rows = 0
    for event in ("2012_Alpha_fire", "2013_Beta_flood", "2013_Gamma_quake"):
        words = event.lower().split("_")[1:]
        keywords = [" ".join(words), f"#{words[0]}{words[1]}"]
        (folder / event).mkdir()
        description = json.dumps({"name": event, "keywords": keywords})
        (folder / event / f"{event}-event_description.json").write_text(description)
        path = folder / event / f"{event}-tweets_labeled.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            file.write("Tweet ID, Tweet Text, Information Source\n")
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
            for number in range(700):
                snowflake += chance.randrange(1 << 22, 1 << 32)
                break_ = "\n" if number % 7 == 0 else " "
                text = chance.choice(
                    [
                        f'{words[1].title()}, "they say"{break_}near {words[0]}!',
                        f"RT @x: {keywords[1].upper()}{break_}é {number}",
                    ]
                )
                writer.writerow([snowflake, text, "Not labeled"])
                rows += 1
            if event != "2013_Gamma_quake":
                # Listed twice, by the first two.
                writer.writerow([_SHARED, "alpha fire and beta flood", "Eyewitness"])
                rows += 1
    return Events(
        f"{folder}/*/*-tweets_labeled.csv",
        _keywords(folder, "*-event_description"),
        rows,
    )


def _keywords(root: Path, name: str) -> dict[str, list[str]]:
    paths = sorted(root.glob(f"*/{name}.json"))
    return {p.parent.name: json.loads(p.read_text())["keywords"] for p in paths}


@pytest.mark.parametrize("make", [real, generated])
async def test_each_tweet_is_archived_once_and_found_by_the_rules_of_its_events(
    platform: Platform, tmp_path: Path, make: Callable[[Path], Events]
) -> None:
    folder = tmp_path / "events"
    folder.mkdir()
    events = make(folder)
    listed = events.listed()
    await platform.publish_rules(events.rules())
    platform.archiver()
    platform.worker()
    ingest = platform.start(
        "ingest", "--source", events.pattern, "--name", "tweets", *_COLUMNS
    )
    assert ingest.wait() == 0, ingest.stderr
    await platform.archived()
    assert await platform.totals("tweets") == {
        "read": events.rows,
        "accepted": events.rows - 1,
        "duplicates": 1,
        "rejected": 0,
    }
    archived = platform.archived_ids()
    assert archived == dict.fromkeys(listed, 1)
    matched = platform.lake.matches.snapshot().table("matches", columns=["id", "rules"])
    found = {
        row["id"]: {rule.rpartition(".")[0] for rule in row["rules"]}
        for row in matched.to_pylist()
    }
    assert len(found) == matched.num_rows
    # A post in two events is one post, and found by the rules of both.
    assert sum(len(names) == 2 for names in listed.values()) == 1
    missed = {i: names - found.get(i, set()) for i, names in listed.items()}
    assert {i: names for i, names in missed.items() if names} == {}
    assert await platform.letters() == []


async def test_malformed_rows_are_kept_with_their_reason_and_stop_nothing(
    platform: Platform, tmp_path: Path
) -> None:
    path = tmp_path / "tweets.csv"
    path.write_bytes(
        b"Tweet ID, Tweet Text, Information Source\n"
        b'"211040709124440064","one\nfire",x\n'
        b'"not a number","two fire",x\n'
        b'"211111710294163457","\xff\xfe broken bytes",x\n'
        b'"211111710294163458",,x\n'
        b'"211157222699433985","five fire",x\n'
        b'"211157222699433986","six is never closed,x\n'
        b"211157222699433987,seven fire,x\n"
    )
    await platform.publish_rules("fire = fire")
    platform.archiver()
    platform.worker()
    ingest = platform.start("ingest", "--source", str(path), *_COLUMNS)
    assert ingest.wait() == 0, ingest.stderr
    await platform.archived()
    letters = await platform.letters()
    assert sorted(letter.where for letter in letters) == [
        f"tweets.csv:{line}" for line in (4, 5, 6, 8)
    ]
    assert all(letter.reason and letter.raw for letter in letters)
    assert await platform.totals("tweets") == {
        "read": 7,
        "accepted": 3,
        "duplicates": 0,
        "rejected": 4,
    }
    assert len(platform.matched_ids()) == 3
