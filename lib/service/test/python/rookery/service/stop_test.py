import asyncio
import math

import pytest

from rookery.service import Health, Stop


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_before_a_stop_there_is_all_the_time_in_the_world() -> None:
    stop = Stop(drain_seconds=5)
    assert not stop.requested
    assert stop.reason is None
    assert stop.remaining() == math.inf


def test_a_stop_leaves_the_drain_time() -> None:
    clock = _Clock()
    stop = Stop(drain_seconds=5, clock=clock)
    stop.request("SIGTERM")
    assert stop.requested
    clock.now += 2
    assert stop.remaining() == 3
    clock.now += 20
    assert stop.remaining() == 0


def test_the_first_reason_stands_and_the_nearest_deadline() -> None:
    clock = _Clock()
    stop = Stop(drain_seconds=5, clock=clock)
    stop.request("SIGTERM")
    stop.request("parent died", within=1)
    stop.request("again", within=60)
    assert stop.reason == "SIGTERM"
    assert stop.remaining() == 1


@pytest.mark.asyncio
async def test_a_sleep_ends_with_the_stop() -> None:
    stop = Stop()
    assert await stop.sleep(0.01) is False
    sleeping = asyncio.create_task(stop.sleep(60))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.sleep(0)
    stop.request("test")
    async with asyncio.timeout(5):
        assert await sleeping is True
        await waiting


def test_a_process_is_ready_when_every_check_is_well() -> None:
    health = Health()
    health.set("bus", False, "reconnecting")
    health.set("rules", True)
    assert not health.ready
    assert health.report() == {
        "ready": False,
        "checks": {
            "bus": {"ok": False, "detail": "reconnecting"},
            "rules": {"ok": True, "detail": ""},
        },
    }
    health.set("bus", True)
    assert health.ready
