import asyncio
import hashlib
import os
from contextlib import aclosing

import nats
import nats.js.errors
import pytest

from rookery.bus import (
    AlreadyStored,
    Bus,
    Corrupt,
    EmbeddedServer,
    Value,
    WrongLast,
    connect,
    testing,
)
from rookery.service.testing import eventually_async

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


async def test_a_key_without_a_value_is_none(bus: Bus) -> None:
    assert await bus.values("RULES").get("current") is None


async def test_a_value_comes_back_with_its_revision(bus: Bus) -> None:
    values = bus.values("RULES")
    revision = await values.put("current", b"one")
    assert await values.get("current") == Value("current", b"one", revision)
    newer = await values.put("current", b"two")
    assert newer > revision
    assert await values.get("current") == Value("current", b"two", newer)


async def test_an_empty_value_is_a_value(bus: Bus) -> None:
    values = bus.values("RULES")
    await values.put("current", b"")
    value = await values.get("current")
    assert value is not None and value.data == b""


async def test_buckets_do_not_share_their_keys(bus: Bus) -> None:
    await bus.values("RULES").put("current", b"one")
    assert await bus.values("INGEST").get("current") is None


async def test_a_value_is_created_once(bus: Bus) -> None:
    values = bus.values("RULES")
    revision = await values.put("current", b"one", expect=0)
    with pytest.raises(AlreadyStored) as caught:
        await values.put("current", b"two", expect=0)
    assert caught.value.sequence == revision


async def test_a_value_is_replaced_only_if_it_is_the_expected_one(bus: Bus) -> None:
    values = bus.values("RULES")
    first = await values.put("current", b"one", expect=0)
    second = await values.put("current", b"two", expect=first)
    with pytest.raises(WrongLast) as caught:
        await values.put("current", b"three", expect=first)
    assert caught.value.actual == second
    value = await values.get("current")
    assert value is not None and value.data == b"two"


async def test_of_many_who_compare_and_set_at_once_one_wins(bus: Bus) -> None:
    values = bus.values("RULES")
    first = await values.put("current", b"start")
    outcomes = await asyncio.gather(
        *(values.put("current", bytes([n]), expect=first) for n in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, WrongLast) for outcome in outcomes) == 9


async def test_a_deleted_value_is_none_and_can_be_created_again(
    bus: Bus, server: EmbeddedServer
) -> None:
    values = bus.values("RULES")
    await values.put("current", b"one")
    client = await nats.connect(server.url)
    bucket = await client.jetstream().key_value("RULES")
    await bucket.delete("current")
    assert await values.get("current") is None
    await values.put("current", b"two", expect=0)
    assert (await bucket.get("current")).value == b"two"
    await client.close()


@pytest.mark.parametrize("key", ["", ".", "a.", ".a", "a..b", "a b", "*", "a.>", "ä"])
async def test_a_key_that_is_none_is_refused(bus: Bus, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        await bus.values("RULES").get(key)


async def test_a_watch_gives_the_current_value_and_every_later_one(bus: Bus) -> None:
    values = bus.values("RULES")
    await values.put("other", b"no")
    await values.put("current", b"0")
    async with aclosing(values.watch("current")) as watched:
        assert (await anext(watched)).data == b"0"
        for number in range(1, 50):
            await values.put("other", b"no")
            revision = await values.put("current", b"%d" % number)
            value = await asyncio.wait_for(anext(watched), 2)
            assert value == Value("current", b"%d" % number, revision)


async def test_a_watch_of_a_key_without_a_value_waits_for_the_first(bus: Bus) -> None:
    values = bus.values("RULES")
    async with aclosing(values.watch("current")) as watched:
        waiting = asyncio.ensure_future(anext(watched))
        await eventually_async(lambda: watchers(bus), message="the watch")
        await values.put("current", b"one")
        assert (await asyncio.wait_for(waiting, 2)).data == b"one"


async def watchers(bus: Bus) -> int:
    try:
        info = await bus._link.client.jsm().stream_info("KV_RULES")
    except nats.js.errors.NotFoundError:
        return 0
    return info.state.consumer_count


async def test_a_watch_goes_on_at_once_after_the_server_was_killed(
    bus: Bus, server: EmbeddedServer
) -> None:
    values = bus.values("RULES")
    await values.put("current", b"before")
    async with aclosing(values.watch("current")) as watched:
        assert (await anext(watched)).data == b"before"
        for number in range(3):
            waiting = asyncio.ensure_future(anext(watched))
            await testing.restart(server)
            await values.put("current", b"after %d" % number)
            value = await asyncio.wait_for(waiting, 3)
            assert value.data == b"after %d" % number


async def test_a_watch_sees_what_changed_while_it_was_cut_off(
    bus: Bus, server: EmbeddedServer
) -> None:
    values = bus.values("RULES")
    await values.put("current", b"before")
    async with aclosing(values.watch("current")) as watched:
        assert (await anext(watched)).data == b"before"
        waiting = asyncio.ensure_future(anext(watched))
        await testing.kill(server)
        await server.start()
        # Another process is back first.
        async with connect("embedded:", name="other", state=server.state) as other:
            await other.values("RULES").put("current", b"meanwhile")
        assert (await asyncio.wait_for(waiting, 3)).data == b"meanwhile"


async def test_former_values_are_kept_with_time_and_headers(bus: Bus) -> None:
    values = bus.values("RULES", history=3)
    assert await values.history("current") == []
    for number in range(5):
        await values.put("other", b"no")
        await values.put("current", b"%d" % number, headers={"Who": f"n{number}"})
    found = await values.history("current")
    assert [(value.data, value.headers["Who"]) for value in found] == [
        (b"2", "n2"),
        (b"3", "n3"),
        (b"4", "n4"),
    ]
    assert found[0].time < found[1].time < found[2].time
    newest = await values.get("current")
    assert newest == found[-1]
    assert (newest.time, newest.headers["Who"]) == (found[-1].time, "n4")
    after = await values.history("current", after=found[0].revision)
    assert after == found[1:]
    async with aclosing(values.watch("current")) as watched:
        first = await anext(watched)
        assert (first, first.headers["Who"]) == (newest, "n4")


async def test_a_bucket_that_keeps_fewer_values_keeps_more_from_now_on(
    bus: Bus,
) -> None:
    await bus.values("RULES").put("current", b"old")
    await bus.values("RULES").put("current", b"one")
    await bus.values("RULES", history=10).put("current", b"two")
    # Who wants fewer takes nothing away.
    await bus.values("RULES", history=1).put("current", b"three")
    found = await bus.values("RULES", history=10).history("current")
    assert [value.data for value in found] == [b"one", b"two", b"three"]


async def test_former_values_that_fill_the_bucket_give_way(bus: Bus) -> None:
    values = bus.values("RULES", history=10_000)
    room = (await values.put("current", b""), await bus.state("KV_RULES"))[1].max_bytes
    size = room // 20
    for number in range(30):
        await values.put("current", b"%d " % number + bytes(size), expect=None)
    found = [int(value.data.split()[0]) for value in await values.history("current")]
    assert found == list(range(found[0], 30))
    assert 9 <= len(found) < 20


async def test_values_survive_the_death_of_the_server(
    bus: Bus, server: EmbeddedServer
) -> None:
    values = bus.values("INGEST")
    for number in range(50):
        await values.put("tweets", b"%d" % number)
    await testing.restart(server)
    value = await values.get("tweets")
    assert value is not None and value.data == b"49"


@pytest.mark.parametrize("size", [0, 1, 512 * 1024, 512 * 1024 + 1, 20_000_000])
async def test_an_object_of_any_size_comes_back(bus: Bus, size: int) -> None:
    data = os.urandom(size)
    objects = bus.objects("rules")
    await objects.put("rules/ä b.1", data)
    assert await objects.get("rules/ä b.1") == data
    assert await objects.get("rules/other") is None


async def test_an_object_that_is_replaced_leaves_nothing_behind(bus: Bus) -> None:
    objects = bus.objects("rules")
    for number in range(5):
        await objects.put("one", bytes([number]) * 2_000_000)
    assert await objects.get("one") == b"\x04" * 2_000_000
    assert (await bus.state("OBJ_rules")).bytes < 2_100_000


async def test_an_object_that_is_deleted_leaves_nothing_behind(bus: Bus) -> None:
    objects = bus.objects("rules")
    for name in ("one", "ä/b"):
        await objects.put(name, bytes(1_000_000))
    assert sorted(await objects.names()) == ["one", "ä/b"]
    assert await objects.has("one")
    await objects.delete("one")
    await objects.delete("none")
    assert not await objects.has("one")
    assert await objects.get("one") is None
    assert await objects.names() == ["ä/b"]
    assert (await objects.state()).bytes < 1_100_000
    await objects.put("one", b"again")
    assert await objects.get("one") == b"again"


async def test_the_same_object_is_stored_once(bus: Bus) -> None:
    objects = bus.objects("rules")
    await objects.put("one", b"x" * 1000)
    before = await bus.state("OBJ_rules")
    await objects.put("one", b"x" * 1000)
    assert await bus.state("OBJ_rules") == before


async def test_other_clients_of_the_server_read_our_objects_and_we_theirs(
    bus: Bus, server: EmbeddedServer
) -> None:
    data = os.urandom(1_500_000)
    objects = bus.objects("rules")
    await objects.put("ours", data)
    client = await nats.connect(server.url)
    bucket = await client.jetstream().object_store("rules")
    assert (await bucket.get("ours")).data == data
    await bucket.put("theirs", data[:700_000])
    assert await objects.get("theirs") == data[:700_000]
    await bucket.delete("theirs")
    assert await objects.get("theirs") is None
    await client.close()


async def test_a_damaged_object_is_found_out(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rookery.bus._objects._SILENCE_SECONDS", 0.2)
    objects = bus.objects("rules")
    await objects.put("one", bytes(2_000_000))
    await bus.trim("OBJ_rules", through=1)
    with pytest.raises(Corrupt, match="put it again"):
        await objects.get("one")
    await objects.put("two", hashlib.sha256(b"").digest())
    assert await objects.get("two") == hashlib.sha256(b"").digest()


async def test_an_object_survives_the_death_of_the_server_while_it_is_read(
    bus: Bus, server: EmbeddedServer
) -> None:
    data = os.urandom(20_000_000)
    objects = bus.objects("rules")
    await objects.put("one", data)
    reading = asyncio.create_task(objects.get("one"))
    await testing.restart(server)
    assert await asyncio.wait_for(reading, 10) == data
