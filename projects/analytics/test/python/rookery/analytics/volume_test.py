import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer

from rookery.analytics import (
    Client,
    NotEqual,
    _volume,
    committed,
    compare,
    volume,
    volume_of,
)
from rookery.lake import Lake, LakeDamaged
from rookery.records import CUBE

pytestmark = pytest.mark.timeout(90)


def test_live_and_batch_are_equal_at_every_watermark(
    lake: Lake, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_volume, "_TASK_COMMITS", 2)
    ends = [commit.last for commit in lake.matches.snapshot().commits]
    counted = set()
    for at in (0, *ends[::3], ends[-1] - 1, ends[-1]):
        snapshot = lake.matches.snapshot(at=at)
        batch = volume(lake, at=at, client=client)
        assert batch.equals(committed(snapshot))
        assert batch.schema.equals(CUBE)
        counted.add(sum(row["posts"] for row in batch.to_pylist()))
    assert len(counted) > 3


def test_batch_counts_what_a_database_counts(lake: Lake, client: Client) -> None:
    counted = volume(lake, client=client)
    connection = duckdb.connect()
    connection.register("matches", lake.matches.snapshot().table("matches"))
    connection.execute("SET TimeZone = 'UTC'")
    expected = connection.execute("""
        WITH counted AS (
            SELECT *, coalesce(language, detected_language) AS spoken, date_trunc(
                'minute', CASE WHEN time_suspect THEN ingested_at ELSE created_at END
            ) AS minute FROM matches
        ), exploded AS (
            SELECT minute, unnest(rules) AS rule, source, spoken, sentiment FROM counted
            UNION ALL SELECT minute, NULL, source, spoken, sentiment FROM counted
        )
        SELECT epoch_us(minute), rule, source, spoken, count(*),
            count(*) FILTER (sentiment >= 0.05), count(*) FILTER (sentiment <= -0.05)
        FROM exploded GROUP BY ALL ORDER BY ALL NULLS LAST
    """).fetchall()
    columns = ["minute", "rule", "source", "language", "posts", "positive", "negative"]
    found = counted.set_column(0, "minute", counted["minute"].cast(pa.int64())).select(
        columns
    )
    assert [tuple(row.values()) for row in found.to_pylist()] == expected
    assert len(expected) > 100


def test_the_division_into_tasks_changes_nothing(
    lake: Lake, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = volume(lake, client=client)
    for commits in (1, 3, 1000):
        monkeypatch.setattr(_volume, "_TASK_COMMITS", commits)
        assert volume(lake, client=client).equals(whole)
    monkeypatch.setattr(_volume, "_TASK_BYTES", 1)
    assert volume(lake, client=client).equals(whole)


def test_every_commit_with_posts_is_in_one_piece(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = lake.matches.snapshot()
    monkeypatch.setattr(_volume, "_TASK_COMMITS", 2)
    pieces = _volume.divide(snapshot)
    divided = [commit for piece in pieces for commit in piece.commits]
    assert divided == [commit for commit in snapshot.commits if commit.rows["matches"]]
    assert {len(piece.commits) for piece in pieces} <= {1, 2}


def test_an_empty_lake_has_no_volume(tmp_path: Path, client: Client) -> None:
    lake = Lake.open((tmp_path / "empty").as_uri())
    assert volume(lake, client=client).equals(CUBE.empty_table())


def test_volume_needs_no_client(lake: Lake) -> None:
    assert volume(lake).equals(committed(lake.matches.snapshot()))


def test_texts_are_not_read(lake: Lake) -> None:
    snapshot = lake.matches.snapshot()
    batch = next(iter(snapshot.batches("matches", columns=_volume._COLUMNS)))
    assert "text" not in batch.schema.names


def test_a_difference_is_named(lake: Lake, client: Client) -> None:
    snapshot = lake.matches.snapshot()
    live = committed(snapshot)
    rest = replace(snapshot, commits=snapshot.commits[1:])
    compare(live, volume_of(snapshot, client=client), watermark=snapshot.watermark)
    with pytest.raises(NotEqual, match=r"watermark \d+ in \d+ rows of .*'minute'"):
        compare(live, volume_of(rest, client=client), watermark=snapshot.watermark)


def test_a_damaged_file_is_named_by_the_task_that_reads_it(
    lake: Lake, client: Client
) -> None:
    path = lake.matches.snapshot().commits[0].files[0].path
    lake.store.delete(path)
    with pytest.raises(LakeDamaged, match=path.rpartition("/")[2]):
        volume(lake, client=client)


@pytest.mark.integration
def test_a_snapshot_of_a_bucket_is_counted(
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    filler: Callable[[Lake, int], None],
    client: Client,
) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    request.addfinalizer(server.stop)
    host, port = server.get_host_and_port()
    for name, value in bucket(f"http://{host}:{port}").items():
        monkeypatch.setenv(name, value)
    lake = Lake.open("s3://analytics-lake/prefix")
    filler(lake, 3)
    counted = volume(lake, client=client)
    assert counted.num_rows > 100
    assert counted.equals(committed(lake.matches.snapshot()))


def bucket(endpoint: str) -> dict[str, str]:
    authorization = (
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
        "SignedHeaders=host, Signature=none"
    )
    request = urllib.request.Request(
        f"{endpoint}/analytics-lake",
        data=b"",
        method="PUT",
        headers={"Authorization": authorization},
    )
    urllib.request.urlopen(request, timeout=10).close()  # nosec B310
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # nosec B105  # nobody checks it
        "AWS_REGION": "us-east-1",
    }
