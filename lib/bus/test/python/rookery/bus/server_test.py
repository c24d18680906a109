import asyncio
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import psutil
import pytest
from nats.aio.client import Client

from rookery.bus import (
    POSTS,
    BusConfiguration,
    EmbeddedServer,
    ServerFailed,
    StateLocked,
    Unavailable,
    connect,
    testing,
)
from rookery.bus._address import read_address
from rookery.bus._child import server_binary
from rookery.service import child_environment
from rookery.service.testing import eventually_async

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

# A parent of a server that says where it is and then waits.
PARENT = """
import asyncio, sys
from pathlib import Path
from rookery.bus import EmbeddedServer

async def main():
    server = EmbeddedServer(Path(sys.argv[1]), max_store=1 << 30)
    await server.start()
    print(server.pid, flush=True)
    await server.wait()

asyncio.run(main())
"""


@asynccontextmanager
async def parent(state: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PARENT,
        str(state),
        stdout=asyncio.subprocess.PIPE,
        env=child_environment(),
    )
    assert process.stdout is not None
    pid = 0
    try:
        line = b""
        while not line.strip().isdigit():
            line = await asyncio.wait_for(process.stdout.readline(), 20)
            assert line, "the parent ended"
        pid = int(line)
        yield process, pid
    finally:
        for victim in (process.pid, pid):
            if victim and is_there(victim):
                os.kill(victim, signal.SIGKILL)
        await process.wait()


def is_there(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


async def test_the_server_listens_on_loopback_only(server: EmbeddedServer) -> None:
    connections = psutil.Process(server.pid).net_connections("inet")
    listening = [one.laddr for one in connections if one.status == psutil.CONN_LISTEN]
    assert len(listening) == 1
    assert listening[0].ip == "127.0.0.1"
    assert server.url.endswith(f"@127.0.0.1:{listening[0].port}")


async def test_nobody_gets_in_without_the_token(server: EmbeddedServer) -> None:
    address = server.url.rpartition("@")[2]
    client = Client()
    with pytest.raises(nats.errors.Error, match="Authorization"):
        await client.connect(f"nats://{address}", allow_reconnect=False)
    await client.close()


async def test_the_token_stands_in_private_files_only(server: EmbeddedServer) -> None:
    token = server.url.removeprefix("nats://").partition("@")[0]
    assert len(token) >= 32
    holders = [
        path
        for path in server.state.rglob("*")
        if path.is_file() and token.encode() in path.read_bytes()
    ]
    assert {path.name for path in holders} == {"address.json", "nats.conf"}
    for path in holders:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    command = Path(f"/proc/{server.pid}/cmdline").read_bytes()
    environment = Path(f"/proc/{server.pid}/environ").read_bytes()
    assert token.encode() not in command + environment


async def test_the_address_names_the_running_server(server: EmbeddedServer) -> None:
    address = read_address(server.state)
    assert address is not None
    assert address.pid == server.pid
    assert is_there(address.pid)
    command = Path(f"/proc/{server.pid}/cmdline").read_bytes()
    assert command.startswith(str(server_binary()).encode())


async def test_a_killed_server_comes_back_on_the_same_port(
    server: EmbeddedServer,
) -> None:
    url, pid = server.url, server.pid
    os.kill(server.pid, signal.SIGKILL)
    assert await server.wait() == -signal.SIGKILL
    await server.start()
    assert server.url == url
    assert server.pid != pid


async def test_another_run_on_the_same_folder_has_the_same_log(tmp_path: Path) -> None:
    async with testing.server(tmp_path) as first:
        url = first.url
        async with connect("embedded:", name="test", state=tmp_path) as bus:
            await bus.publish(POSTS, b"kept", subject="posts.s")
            epoch = bus.epoch
    async with testing.server(tmp_path) as second:
        assert second.url == url
        async with connect("embedded:", name="test", state=tmp_path) as bus:
            assert bus.epoch == epoch
            message = await bus.last(POSTS, "posts.s")
            assert message is not None and message.data == b"kept"


async def test_a_port_that_was_taken_meanwhile_is_given_up(tmp_path: Path) -> None:
    async with testing.server(tmp_path) as first:
        address = read_address(tmp_path)
        assert address is not None and address.port is not None
        former = first.url
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", address.port))
        other.listen()
        async with testing.server(tmp_path) as second:
            assert second.url != former
            async with connect("embedded:", name="test", state=tmp_path) as bus:
                assert bus.connected


async def test_stopping_frees_the_folder(tmp_path: Path) -> None:
    async with testing.server(tmp_path) as server:
        pid = server.pid
    assert not is_there(pid)
    async with testing.server(tmp_path):
        pass


async def test_a_server_that_hangs_is_killed_in_time(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, max_store=testing.MIB * 64)
    await server.start()
    with testing.frozen(server):
        pid = server.pid
        started = time.monotonic()
        await server.stop(timeout=0.3)
        assert time.monotonic() - started < 3
        assert not is_there(pid)


async def test_a_second_server_on_a_folder_is_refused_and_names_the_first(
    tmp_path: Path,
) -> None:
    async with parent(tmp_path) as (process, _):
        with pytest.raises(StateLocked, match=f"process {process.pid}") as caught:
            await EmbeddedServer(tmp_path).start()
        assert caught.value.pid == process.pid
        assert caught.value.exit_code == 75


async def test_a_second_server_in_one_process_is_refused(
    server: EmbeddedServer,
) -> None:
    with pytest.raises(StateLocked) as caught:
        await EmbeddedServer(server.state).start()
    assert caught.value.pid == os.getpid()
    async with connect("embedded:", name="test", state=server.state) as bus:
        assert bus.connected


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends orphans")
async def test_the_server_ends_with_its_parent(tmp_path: Path) -> None:
    async with parent(tmp_path) as (process, pid):
        process.kill()
        await process.wait()
        await eventually_async(lambda: not is_there(pid), message="the server ends")


async def test_a_new_start_waits_for_an_orphan_that_is_leaving(tmp_path: Path) -> None:
    async with parent(tmp_path) as (process, pid):
        process.kill()
        await process.wait()
        async with testing.server(tmp_path) as server:
            assert server.pid != pid


async def test_an_orphan_that_does_not_leave_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rookery.bus._server._ORPHAN_SECONDS", 0.3)
    async with parent(tmp_path) as (process, pid):
        os.kill(pid, signal.SIGSTOP)
        process.kill()
        await process.wait()
        with pytest.raises(StateLocked, match=f"`kill {pid}`") as caught:
            await EmbeddedServer(tmp_path).start()
        assert caught.value.pid == pid


async def test_no_server_on_the_folder_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="projects/standalone") as caught:
        async with connect("embedded:", name="test", state=tmp_path):
            pass
    assert caught.value.exit_code == 69


async def test_a_server_that_was_stopped_is_unavailable(tmp_path: Path) -> None:
    async with testing.server(tmp_path):
        pass
    with pytest.raises(Unavailable, match="no embedded server runs"):
        async with connect("embedded:", name="test", state=tmp_path):
            pass


async def test_a_server_that_cannot_start_shows_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(folder: Path, port: int, token: str) -> str:
        return '{"jetstream": {"store_dir": "/proc/nowhere"}, "no_such_option": 1}'

    monkeypatch.setattr("rookery.bus._child.server_config", broken)
    with pytest.raises(ServerFailed, match="no_such_option"):
        await EmbeddedServer(tmp_path).start()
    monkeypatch.undo()
    async with testing.server(tmp_path):
        pass


async def test_streams_that_could_outgrow_the_disk_are_refused(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, max_store=1 << 50)
    with pytest.raises(BusConfiguration, match="ROOKERY_BUS_STORE") as caught:
        await server.start()
    assert caught.value.exit_code == 78
    async with testing.server(tmp_path, max_store=64 * testing.MIB):
        async with connect("embedded:", name="test", state=tmp_path) as bus:
            assert (await bus.state(POSTS)).max_bytes == 32 * testing.MIB


async def test_the_size_of_the_streams_is_taken_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_BUS_STORE", "100MiB")
    async with EmbeddedServer(tmp_path) as server:
        async with connect("embedded:", name="test", state=server.state) as bus:
            assert (await bus.state(POSTS)).max_bytes == 50 * testing.MIB


async def test_a_size_that_is_none_names_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_BUS_STORE", "plenty")
    with pytest.raises(BusConfiguration, match="ROOKERY_BUS_STORE"):
        EmbeddedServer(tmp_path)


async def test_a_stream_never_gets_smaller_than_what_is_in_it(tmp_path: Path) -> None:
    async with testing.server(tmp_path, max_store=64 * testing.MIB):
        async with connect("embedded:", name="test", state=tmp_path) as bus:
            for _ in range(10):
                await bus.publish(POSTS, bytes(testing.MIB), subject="posts.s")
    async with testing.server(tmp_path, max_store=8 * testing.MIB):
        async with connect("embedded:", name="test", state=tmp_path) as bus:
            state = await bus.state(POSTS)
            assert state.messages == 10
            assert state.max_bytes == state.bytes


@asynccontextmanager
async def plain_server(folder: Path, **options: object) -> AsyncIterator[str]:
    """A server that somebody else has set up."""
    folder.mkdir()
    config = folder / "nats.conf"
    lines = [f"{key}: {value}" for key, value in options.items()]
    text = 'listen: "127.0.0.1:-1"\n'
    text += f'ports_file_dir: "{folder}"\njetstream {{ store_dir: "{folder}" }}\n'
    config.write_text(text + "\n".join(lines))
    process = await asyncio.create_subprocess_exec(
        str(server_binary()),
        "--config",
        str(config),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        ports = folder / f"nats-server_{process.pid}.ports"

        def listening() -> str:
            text = ports.read_text() if ports.exists() else ""
            return text.partition('"nats": ["')[2].partition('"')[0] or (
                text.partition('"nats":["')[2].partition('"')[0]
            )

        yield await eventually_async(listening, message="the server listens")
    finally:
        process.kill()
        await process.wait()


async def test_a_server_for_small_messages_is_refused(tmp_path: Path) -> None:
    async with plain_server(tmp_path / "nats", max_payload="1MB") as url:
        with pytest.raises(BusConfiguration, match="max_payload: 8MB") as caught:
            async with connect(url, name="test"):
                pass
    assert caught.value.exit_code == 78


async def test_a_stream_that_drops_the_old_is_refused(tmp_path: Path) -> None:
    async with plain_server(tmp_path / "nats", max_payload="8MB") as url:
        client = await nats.connect(url)
        await client.jetstream().add_stream(
            name=POSTS, subjects=["posts.>"], discard="old"
        )
        with pytest.raises(BusConfiguration, match="discard 'old'"):
            async with connect(url, name="test"):
                pass
        await client.close()


async def test_a_server_without_room_names_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_BUS_STORE", "1TiB")
    folder = tmp_path / "nats"
    async with plain_server(folder, max_payload="8MB") as url:
        with pytest.raises(BusConfiguration, match="ROOKERY_BUS_STORE"):
            async with connect(url, name="test"):
                pass
