import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from rookery.bus import Bus, connect, testing
from rookery.matching import MatchingError, RuleFormat, RuleSet, store

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

FIRE = RuleSet.parse(["x = fire -drill"])
FLOOD = RuleSet.parse(["x = flood", "#flood"])


@pytest_asyncio.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    async with testing.server(tmp_path / "state") as server:
        async with connect("embedded:", name="test", state=server.state) as connected:
            yield connected


async def test_there_are_no_rules_until_some_are_published(bus: Bus) -> None:
    assert await store.current(bus) is None


async def test_what_was_published_last_is_current(bus: Bus) -> None:
    assert await store.publish(bus, FIRE) == FIRE.version
    assert await store.publish(bus, FLOOD) == FLOOD.version
    assert await store.publish(bus, FLOOD) == FLOOD.version
    assert await store.current(bus) == FLOOD


async def test_tags_switches_and_any_id_come_back(bus: Bus) -> None:
    rules = RuleSet.read(
        '- {id: "an id", rule: "fire /a b/", tags: [eu, "#x"], enabled: no}\n- flood',
        RuleFormat.YAML,
    )
    await store.publish(bus, rules)
    assert await store.current(bus) == rules


async def test_a_watcher_sees_the_current_rules_and_each_change(bus: Bus) -> None:
    await store.publish(bus, FIRE)
    async with aclosing(store.watch(bus)) as changes:
        assert await asyncio.wait_for(anext(changes), 5) == FIRE
        await store.publish(bus, FIRE)
        await store.publish(bus, FLOOD)
        assert await asyncio.wait_for(anext(changes), 5) == FLOOD


async def test_two_writers_at_once_leave_one_whole_rule_set(bus: Bus) -> None:
    sets = [RuleSet.parse([f"x = fire{number}"]) for number in range(8)]
    await asyncio.gather(*(store.publish(bus, rules) for rules in sets))
    assert await store.current(bus) in sets


async def test_ten_thousand_rules_are_stored_and_read_again(bus: Bus) -> None:
    rules = RuleSet.parse(f"rule{number} = word{number} -x" for number in range(10_000))
    await store.publish(bus, rules)
    assert await store.current(bus) == rules


async def test_a_pointer_to_rules_that_are_not_there_is_an_error(bus: Bus) -> None:
    await bus.values(store.POINTERS).put(store.CURRENT, b"0123456789abcdef")
    with pytest.raises(MatchingError, match="version 0123456789abcdef"):
        await store.current(bus)
