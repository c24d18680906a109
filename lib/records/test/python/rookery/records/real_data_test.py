import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rookery.records import read_csv
from rookery.service.testing import require

NOW = datetime(2024, 5, 6, tzinfo=UTC)
T26 = "social/crisislex/CrisisLexT26"
T6 = "social/crisislex/CrisisLexT6"


@pytest.mark.parametrize(
    ("folder", "pattern", "columns", "count"),
    [
        (T26, "*/*-tweets_labeled.csv", ("Tweet ID", "Tweet Text"), 10_911),
        (T6, "*/*-ontopic_offtopic.csv", ("tweet id", "tweet"), 30_031),
    ],
)
def test_all_tweets_of_crisislex_are_posts_of_their_time(
    folder: str, pattern: str, columns: tuple[str, str], count: int
) -> None:
    root = Path(require("data")) / folder
    total = 0
    for path in sorted(root.glob(pattern)):
        parsed = read_csv(
            path.read_bytes(),
            source="crisislex",
            ingested_at=NOW,
            where=path.name,
            columns=dict(zip(("id", "text"), columns, strict=True)),
            time="snowflake",
        )
        assert parsed.rejected == ()
        total += parsed.posts.num_rows
        year = re.match(r"\d{4}", path.name)
        assert year is not None
        times = parsed.posts.column("created_at").to_pylist()
        assert {str(time)[:4] for time in times} == {year[0]}
    assert total == count
