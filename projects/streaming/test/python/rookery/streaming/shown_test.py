import json

import pytest

from rookery.bus import connect
from rookery.bus.testing import kill
from rookery.service.testing import eventually_async
from rookery.streaming._position import Totals
from rookery.streaming._shown import ShownTotals
from rookery.streaming.testing import Platform, process

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


def _totals(number: int) -> Totals:
    return Totals(read=number, accepted=number)


async def test_the_last_totals_are_shown_even_if_nothing_follows_them(
    platform: Platform,
) -> None:
    async with connect("embedded:", name="test", state=platform.state) as bus:
        shown = ShownTotals(process(), bus, "s")

        async def is_last() -> bool:
            value = await bus.values("INGEST").get("s")
            return value is not None and json.loads(value.data)["read"] == 500

        async with shown.kept():
            for number in range(501):
                shown.set(_totals(number))
            await eventually_async(is_last, timeout=10)
            # Few of them were written.
            value = await bus.values("INGEST").get("s")
            assert value is not None and value.revision < 5


async def test_totals_that_an_outage_kept_back_are_shown_after_it(
    platform: Platform,
) -> None:
    async with connect("embedded:", name="test", state=platform.state) as bus:
        shown = ShownTotals(process(), bus, "s")

        async def is_shown() -> bool:
            return (await platform.totals("s")).get("read") == 2

        async with shown.kept():
            shown.set(_totals(1))
            await kill(platform.server)
            await eventually_async(lambda: not bus.connected)
            shown.set(_totals(2))
            await platform.server.start()
            await eventually_async(is_shown, timeout=30)


async def test_at_the_end_the_totals_are_those_of_the_end(platform: Platform) -> None:
    async with connect("embedded:", name="test", state=platform.state) as bus:
        shown = ShownTotals(process(), bus, "s")
        with pytest.raises(RuntimeError):
            async with shown.kept():
                shown.set(_totals(7))
                raise RuntimeError
    assert (await platform.totals("s"))["read"] == 7
