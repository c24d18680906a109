import secrets
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer

from rookery.lake import Block, Lake
from rookery.records import CUBE, MATCH, POST

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Samples:
    """Blocks whose content says where they come from."""

    epoch = "e1"

    def post(self, n: int, *, source: str = "files") -> dict[str, object]:
        return {
            "id": f"{source}:{n}",
            "source": source,
            "text": f"post {n}",
            "created_at": NOON + timedelta(minutes=n),
            "ingested_at": NOON + timedelta(days=1),
            "time_suspect": False,
            "links": [],
            "media": [],
        }

    def posts(self, *ns: int, source: str = "files") -> pa.Table:
        rows = [self.post(n, source=source) for n in ns]
        return pa.Table.from_pylist(rows, schema=POST)

    def matches(self, *ns: int) -> pa.Table:
        rows = [
            self.post(n)
            | {"row": 0, "rules": ["r"], "hashtags": [], "mentions": [], "domains": []}
            | {"spans": [{"rule": "r", "clause": 0, "start": 0, "end": 4}]}
            for n in ns
        ]
        return pa.Table.from_pylist(rows, schema=MATCH)

    def cube(self, *ns: int) -> pa.Table:
        rows = [
            {"minute": NOON + timedelta(minutes=n), "rule": rule, "source": "files"}
            | {"posts": 1, "positive": 0, "neutral": 1, "negative": 0}
            | {"sentiment_sum": 0.0, "engagement": 0}
            for n in ns
            for rule in (None, "r")
        ]
        return pa.Table.from_pylist(rows, schema=CUBE)

    def posts_block(
        self, first: int, last: int | None = None, *, source: str = "files"
    ) -> Block:
        """A block of one post per sequence, numbered like it."""
        last = first if last is None else last
        return Block(
            epoch=self.epoch,
            first=first,
            last=last,
            parts={"posts": self.posts(*range(first, last + 1), source=source)},
            origin=last,
            positions={source: str(last).encode()},
            posts=last - first + 1,
        )

    def matches_block(self, first: int, last: int | None = None) -> Block:
        last = first if last is None else last
        ns = range(first, last + 1)
        return Block(
            epoch=self.epoch,
            first=first,
            last=last,
            parts={"matches": self.matches(*ns), "cube": self.cube(*ns)},
            origin=last,
            posts=2 * len(ns),
        )


@pytest.fixture
def samples() -> Samples:
    return Samples()


def make_bucket(endpoint: str, name: str) -> None:
    # moto wants to be told which region a request is for, as a signature does.
    authorization = (
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
        "SignedHeaders=host, Signature=none"
    )
    request = urllib.request.Request(
        f"{endpoint}/{name}",
        data=b"",
        method="PUT",
        headers={"Authorization": authorization},
    )
    urllib.request.urlopen(request, timeout=10).close()  # nosec B310


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    make_bucket(endpoint, "rookery-lake")
    yield endpoint
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place in a bucket, reached through the environment alone."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # nosec B105  # nobody checks it
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return f"s3://rookery-lake/{secrets.token_hex(4)}/prefix"


@pytest.fixture(
    params=["folder", pytest.param("bucket", marks=pytest.mark.integration)]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty lake: every test runs on both kinds."""
    if request.param == "folder":
        return (tmp_path / "a lake").as_uri()
    bucket: str = request.getfixturevalue("s3")
    return bucket


@pytest.fixture
def lake(url: str, samples: Samples) -> Lake:
    """A lake with an open epoch."""
    lake = Lake.open(url)
    lake.open_epoch(samples.epoch, starts={"posts": 1, "matches": 1})
    return lake
