"""What happens when the folder or the bucket does not do what it should."""

import json
import os
import re
import socket
import subprocess  # nosec B404
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rookery.lake import (
    Lake,
    LakeConfiguration,
    LakeError,
    LakeUnavailable,
    _snapshot,
    _url,
)
from rookery.lake._filesystem import RequestFailed

pytestmark = pytest.mark.integration

STARTS = {"posts": 1, "matches": 1}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "expected file:///folder or s3://bucket/prefix"),
        ("lake", "expected file:///folder or s3://bucket/prefix"),
        ("/srv/lake", "expected file:///folder or s3://bucket/prefix"),
        ("http://host/lake", "expected file:///folder or s3://bucket/prefix"),
        ("file://srv/lake", "three slashes"),
        ("file:lake", "three slashes"),
        ("file:///srv/a?b", "%3F"),
        ("file:///srv/a#b", "%3F"),
        ("file:///proc/lake", "cannot make the folder"),
        ("file:///dev/null", "cannot make the folder"),
        ("file:///srv/%00", "cannot make the folder"),
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("http://[", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, message: str) -> None:
    with pytest.raises(LakeConfiguration, match=re.escape(message)):
        Lake.open(url)


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(LakeConfiguration, match="AWS_ACCESS_KEY_ID") as raised:
        Lake.open("s3://someone:hidden@bucket/prefix")
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(
    "endpoint", ["http://10.1.2.3:9000", "http://minio:9000", "ftp://x", "nonsense"]
)
def test_an_endpoint_without_tls_must_be_on_loopback(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(LakeConfiguration, match="AWS_ENDPOINT_URL"):
        Lake.open("s3://bucket/prefix")


@pytest.mark.parametrize(
    ("endpoint", "plain"),
    [
        ("http://127.0.0.1:9000", True),
        ("http://[::1]:9000", True),
        ("http://localhost:9000", True),
        ("https://10.1.2.3", False),
    ],
)
def test_an_endpoint_with_tls_or_on_loopback_is_used(
    endpoint: str, plain: bool
) -> None:
    assert _url.is_plain(endpoint) is plain


def test_a_bucket_that_is_absent_is_named(s3: str) -> None:
    with pytest.raises(LakeConfiguration, match="s3://no-such-bucket.*no such bucket"):
        Lake.open("s3://no-such-bucket/prefix")


def test_a_bucket_that_cannot_be_reached_is_unavailable(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(LakeUnavailable, match=f"AWS_ENDPOINT_URL is {endpoint}"):
            Lake.open(s3)


@contextmanager
def answering(status: str, body: str = "") -> Iterator[str]:
    """A server that gives the same answer to every request."""
    answer = (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall((answer + body).encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("301 Moved Permanently", LakeConfiguration),
        ("400 Bad Request", LakeConfiguration),
        ("403 Forbidden", LakeConfiguration),
        ("503 Slow Down", LakeUnavailable),
    ],
)
def test_the_answer_of_a_bucket_decides_whether_to_try_again(
    s3: str, monkeypatch: pytest.MonkeyPatch, status: str, kind: type[LakeError]
) -> None:
    with answering(status) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        number = status.partition(" ")[0]
        with pytest.raises(kind, match=f"{number}|redirect") as raised:
            Lake.open(s3)
        assert "Debug source" not in str(raised.value)


def test_a_bucket_that_goes_away_while_it_is_read_is_unavailable(
    lake: Lake, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.posts.commit(samples.posts_block(1))

    class Gone:
        def to_table(self, **_: object) -> None:
            raise RequestFailed("no answer")

    snapshot = lake.posts.snapshot()
    monkeypatch.setattr(_snapshot, "opened", lambda *_: Gone())
    with pytest.raises(LakeUnavailable, match="no answer"):
        snapshot.table("posts")


@contextmanager
def nobody() -> Iterator[None]:
    """Gives up root's right to write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_may_not_be_written_is_refused() -> None:
    # Not in tmp_path, which only its owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        with nobody():
            with pytest.raises(LakeConfiguration, match="may not be read and written"):
                Lake.open(Path(folder).as_uri())
            with pytest.raises(LakeConfiguration, match="cannot make the folder"):
                Lake.open(Path(folder, "lake").as_uri())


def test_a_folder_that_may_not_be_written_can_be_read(samples: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        writer = Lake.open(Path(folder).as_uri())
        writer.open_epoch(samples.epoch, starts=STARTS)
        writer.posts.commit(samples.posts_block(1, 3))
        Path(folder).chmod(0o555)
        with nobody():
            lake = Lake.open(Path(folder).as_uri(), read_only=True)
            assert lake.posts.snapshot().table("posts")["id"].to_pylist() == [
                "files:1",
                "files:2",
                "files:3",
            ]
            with pytest.raises(LakeConfiguration, match="may be written"):
                lake.close_epoch("test")
        Path(folder).chmod(0o333)
        with nobody(), pytest.raises(LakeConfiguration, match="may not be read by"):
            Lake.open(Path(folder).as_uri(), read_only=True)


def test_a_folder_whose_rights_were_taken_away_is_a_matter_of_configuration() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        lake = Lake.open(Path(folder).as_uri())
        Path(folder).chmod(0o555)
        with nobody(), pytest.raises(LakeConfiguration, match="may be written"):
            lake.open_epoch("e1", starts=STARTS)


def test_a_folder_that_vanished_is_a_matter_of_configuration(tmp_path: Path) -> None:
    lake = Lake.open((tmp_path / "lake").as_uri())
    (tmp_path / "lake").rmdir()
    (tmp_path / "lake").write_text("not a folder")
    with pytest.raises(LakeConfiguration, match="epochs/00000001.json"):
        lake.open_epoch("e1", starts=STARTS)


FULL = """
import json, resource, signal, sys
from rookery.lake import Lake, LakeUnavailable, Block
from rookery.records import POST
import pyarrow as pa

lake = Lake.open(sys.argv[1])
lake.open_epoch("e1", starts={"posts": 1, "matches": 1})
rows = json.loads(sys.stdin.read())
table = pa.Table.from_pylist(rows, schema=POST)
block = Block("e1", 1, 1, {"posts": table}, origin=1, positions={"files": b"1"})
# The write that crosses the limit fails, as on a disk that is full.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
for limit in map(int, sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        lake.posts.commit(block)
    except LakeUnavailable as error:
        print(f"refused: {error}")
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
print(f"left: {len(lake.store.list('posts')) + len(lake.store.list('staging'))}")
lake.posts.commit(block)
print(f"committed: {lake.posts.snapshot().table('posts').num_rows}")
"""


def test_a_full_disk_is_unavailable_and_leaves_nothing_behind(tmp_path: Path) -> None:
    rows = [
        {"id": f"files:{n}", "source": "files", "text": os.urandom(200).hex()}
        | {
            "created_at": 1_700_000_000_000_000 + n,
            "ingested_at": 1_700_000_000_000_000,
        }
        | {"time_suspect": False, "links": [], "media": []}
        for n in range(20)
    ]
    # 1,500 bytes: not the data; 200 bytes: nothing; the record is about 700 bytes.
    ended = subprocess.run(  # nosec B603
        [sys.executable, "-c", FULL, tmp_path.as_uri(), "1500", "200", "0"],
        input=json.dumps(rows),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert len([line for line in lines if line.startswith("refused: ")]) == 3
    assert all("no room" in line for line in lines[:3])
    assert lines[3:] == ["left: 0", "committed: 20"]
