import asyncio
import os
import shutil
import signal
import subprocess  # nosec B404: mounts a small disk
from collections.abc import Iterator
from pathlib import Path

import pytest

from rookery.bus import (
    DEAD,
    MATCHES,
    POSTS,
    EmbeddedServer,
    StreamFull,
    Unavailable,
    connect,
    testing,
)
from rookery.bus._disk import Complaints, reserve_of, streams_to_close
from rookery.service.testing import eventually_async

MIB = testing.MIB


@pytest.mark.parametrize(
    ("free", "closed", "expected"),
    [
        (1000, set(), set()),
        (100, set(), set()),
        (99, set(), {POSTS}),
        (25, {POSTS}, {POSTS}),
        (24, {POSTS}, {POSTS, MATCHES, DEAD}),
        (0, set(), {POSTS, MATCHES, DEAD}),
        (37, {POSTS, MATCHES, DEAD}, {POSTS, MATCHES, DEAD}),
        (38, {POSTS, MATCHES, DEAD}, {POSTS}),
        (149, {POSTS}, {POSTS}),
        (150, {POSTS}, set()),
    ],
)
def test_streams_close_from_the_front_and_open_with_a_margin(
    free: int, closed: set[str], expected: set[str]
) -> None:
    assert streams_to_close(free, reserve=100, closed=closed) == expected


def test_the_reserve_is_a_part_of_a_small_disk_and_bounded_on_a_large_one() -> None:
    assert reserve_of(1000 * MIB) == 50 * MIB
    assert reserve_of(10**15) == 256 * MIB


def test_only_what_the_log_says_from_now_on_counts(tmp_path: Path) -> None:
    log = tmp_path / "nats.log"
    complaint = "[ERR] JetStream failed to store a msg: no space left on device\n"
    log.write_text(complaint)
    complaints = Complaints(log)
    assert not complaints.new()
    with log.open("a") as file:
        file.write("[INF] something else\n")
    assert not complaints.new()
    with log.open("a") as file:
        file.write(complaint)
    assert complaints.new()
    assert not complaints.new()
    log.write_text("")
    assert not complaints.new()
    log.write_text(complaint)
    assert complaints.new()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)):
        pytest.skip("a small disk cannot be mounted: run as root with CAP_SYS_ADMIN")
    try:
        yield folder
    finally:
        run("umount", "--lazy", str(folder))


def run(*command: str) -> int:
    """Runs a command of the system; its exit code, 127 if there is no such command."""
    if shutil.which(command[0]) is None:
        return 127
    return subprocess.run(  # nosec B603: the test's own words
        command, check=False, stderr=subprocess.DEVNULL
    ).returncode


def leave_free(disk: Path, size: int) -> None:
    """Fills the disk up to so many bytes."""
    ballast = disk / "ballast"
    ballast.unlink(missing_ok=True)
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - size))


@pytest.mark.integration
@pytest.mark.asyncio
async def test_a_disk_that_fills_up_closes_the_streams_one_after_the_other(
    disk: Path,
) -> None:
    server = EmbeddedServer(disk / "state", max_store=30 * MIB, reserve=16 * MIB)
    async with server, connect("embedded:", name="test", state=server.state) as bus:

        async def takes(stream: str) -> bool:
            subject = f"{stream.lower()}.s"
            try:
                await bus.publish(stream, b"x", subject=subject)
            except StreamFull as error:
                assert "the disk nearly is" in str(error)
                return False
            return True

        async def refuses(stream: str) -> bool:
            return not await takes(stream)

        assert await takes(POSTS)
        leave_free(disk, 8 * MIB)
        await eventually_async(lambda: refuses(POSTS), message="POSTS closes")
        assert await takes(MATCHES)
        leave_free(disk, 2 * MIB)
        await eventually_async(lambda: refuses(MATCHES), message="MATCHES closes")
        (disk / "ballast").unlink()
        await eventually_async(lambda: takes(POSTS), message="POSTS opens")
        await eventually_async(lambda: takes(MATCHES), message="MATCHES opens")
        state = await bus.state(POSTS)
        assert state.max_bytes == 15 * MIB
        assert state.first == 1


@pytest.mark.integration
@pytest.mark.asyncio
async def test_a_full_disk_costs_no_frame_and_is_left_behind_when_there_is_room(
    disk: Path,
) -> None:
    # Too small a reserve to close the streams in time.
    server = EmbeddedServer(disk / "state", max_store=40 * MIB, reserve=1)
    async with server, connect("embedded:", name="test", state=server.state) as bus:
        frames = [os.urandom(100_000) for _ in range(60)]

        async def store(number: int) -> None:
            await bus.publish(
                POSTS, frames[number], subject="posts.s", expect_last=number, timeout=1
            )

        leave_free(disk, 3 * MIB)
        stored = 0
        with pytest.raises(Unavailable):
            while stored < 60:
                await store(stored)
                stored += 1
        assert stored > 5
        (disk / "ballast").unlink()
        assert await asyncio.wait_for(server.wait(), 10) == -signal.SIGKILL
        await server.start()
        while stored < 60:
            await store(stored)
            stored += 1
        for sequence, frame in enumerate(frames, 1):
            message = await bus.get(POSTS, sequence)
            assert message is not None and message.data == frame
        assert (await bus.state(POSTS)).last == 60
