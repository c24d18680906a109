import os
import sys
from collections.abc import Sequence
from typing import Any

import psutil
import pytest

from rookery.analytics import (
    Client,
    EngineConfiguration,
    EngineUnavailable,
    _engine,
    connect,
    volume,
)
from rookery.lake import Lake
from rookery.service.testing import free_port, start_module

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


def kept(item: int) -> Sequence[int]:
    return [item]


def joined(results: Sequence[Sequence[int]]) -> Sequence[int]:
    return [item for result in results for item in result]


@pytest.mark.parametrize("items", [0, 1, 2, 8, 9, 65, 300])
def test_results_are_merged_in_the_order_of_their_items(
    client: Client, items: int
) -> None:
    # In this process: a worker of another one could not import a test.
    assert client.map_reduce(range(items), kept, joined) == list(range(items))


@pytest.mark.parametrize(("items", "groups"), [(0, 4), (3, 4), (4, 4), (10, 4), (9, 1)])
def test_a_sequence_is_cut_into_even_pieces(items: int, groups: int) -> None:
    pieces = _engine._spread(range(items), groups)
    assert [item for piece in pieces for item in piece] == list(range(items))
    assert len(pieces) == min(items, groups)
    sizes = [len(piece) for piece in pieces]
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_the_error_of_a_task_is_raised(client: Client) -> None:
    def fail(item: int) -> Sequence[int]:
        raise ZeroDivisionError(item)

    with pytest.raises(ZeroDivisionError, match="7"):
        client.map_reduce([7], fail, joined)


@pytest.mark.parametrize("address", ["", "local", "http://x", "127.0.0.1:8786"])
def test_an_address_that_cannot_be_used_is_refused(address: str) -> None:
    with pytest.raises(EngineConfiguration, match="tcp://host:port"):
        with connect(address):
            pass


def test_a_scheduler_that_is_not_there_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_engine, "_CONNECT_SECONDS", 1)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(EngineUnavailable, match=f"{address}.*ROOKERY_DASK"):
        with connect(address):
            pass


@pytest.mark.parametrize("processes", [0, 1])
def test_nothing_listens_beyond_loopback(processes: int) -> None:
    me = psutil.Process()
    with connect(processes=processes):
        listening = [
            connection.laddr.ip
            for process in (me, *me.children(recursive=True))
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


def test_local_processes_count_the_same(lake: Lake) -> None:
    with connect(processes=1) as client:
        assert volume(lake, client=client).equals(volume(lake))


def test_a_scheduler_elsewhere_counts_the_same(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    environment: dict[str, Any] = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with start_module(
        "distributed.cli.dask_scheduler",
        *("--host", address, "--no-show", "--dashboard-address", "127.0.0.1:0"),
        env=environment,
    ) as scheduler:
        scheduler.wait_for("Scheduler at:")
        monkeypatch.setattr(_engine, "_WORKERS_SECONDS", 1)
        with pytest.raises(EngineUnavailable, match="has no workers"):
            with connect(address):
                pass
        monkeypatch.setattr(_engine, "_WORKERS_SECONDS", 30)
        with start_module(
            "distributed.cli.dask_worker",
            *(address, "--no-nanny", "--nthreads", "1", "--no-dashboard"),
            *("--dashboard-address", "127.0.0.1:0"),
            env=environment,
        ):
            with connect(address) as client:
                assert volume(lake, client=client).equals(volume(lake))
