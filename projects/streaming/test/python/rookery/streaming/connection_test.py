import httpx
import pytest

from rookery.bus.testing import kill
from rookery.service.testing import eventually_async, free_port
from rookery.streaming.testing import Platform

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("match-worker", ()),
        ("archiver", ()),
        ("ingest", ("--source", "synthetic:", "--rate", "0.001")),
    ],
)
async def test_a_process_with_nothing_to_do_is_not_ready_while_the_bus_is_away(
    command: str, arguments: tuple[str, ...], platform: Platform
) -> None:
    await platform.publish_rules()
    port = free_port()
    child = platform.start(command, *arguments, metrics_port=str(port))

    async def ready() -> dict[str, object] | None:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"http://127.0.0.1:{port}/readyz")
        except httpx.TransportError:
            return None
        found: dict[str, object] = answer.json()
        return found

    async def is_ready() -> bool:
        report = await ready()
        return report is not None and report["ready"] is True

    async def says_why() -> bool:
        return "the bus does not answer" in str(await ready())

    await eventually_async(is_ready, timeout=60, message="it is ready")
    await kill(platform.server)
    await eventually_async(says_why, timeout=20, message="it says why it is not ready")
    await platform.server.start()
    await eventually_async(is_ready, timeout=30, message="it is ready again")
    assert child.process.poll() is None
