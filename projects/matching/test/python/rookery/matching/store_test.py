import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from rookery.bus import (
    Bus,
    BusError,
    EmbeddedServer,
    Unavailable,
    Values,
    connect,
    testing,
)
from rookery.matching import MatchingError, RuleFormat, RuleSet, store
from rookery.matching.store import Action, Add, Change, Remove, Signature, Switch

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

FIRE = RuleSet.parse(["x = fire -drill"])
FLOOD = RuleSet.parse(["x = flood", "#flood"])


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    async with testing.server(tmp_path / "state") as running:
        yield running


@pytest_asyncio.fixture
async def bus(server: EmbeddedServer) -> AsyncIterator[Bus]:
    async with connect("embedded:", name="test", state=server.state) as connected:
        yield connected


def _rules(*lines: str) -> RuleSet:
    return RuleSet.parse(lines)


async def _texts(bus: Bus) -> str:
    current = await store.current(bus)
    assert current is not None
    return str(current)


async def _bare(bus: Bus, rules: RuleSet) -> None:
    """Puts rules in force as releases without an audit trail do."""
    await bus.objects(store.SNAPSHOTS).put(rules.version, str(rules).encode())
    await bus.values(store.POINTERS).put(store.CURRENT, rules.version.encode())


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


async def test_rules_are_added_changed_switched_and_removed(bus: Bus) -> None:
    added = await store.edit(bus, Add(_rules("a = fire", "b = flood -drill", "#c")))
    assert (added.rules, added.entry and added.entry.before) == (3, None)
    await store.edit(bus, Change("b", _rules("flood  OR  (rain)")))
    await store.edit(bus, Change("b", tags=("us", "eu", "us")))
    await store.edit(bus, Switch(("b", "#c"), enabled=False))
    await store.edit(bus, Switch(("b",), enabled=True))
    done = await store.edit(bus, Remove(("a",)))
    assert await _texts(bus) == (
        '{"id": "b", "rule": "flood OR rain", "tags": ["eu", "us"]}\n'
        '{"id": "#c", "rule": "#c", "enabled": false}\n'
    )
    assert (done.version, done.rules) == (await _version(bus), 2)


async def _version(bus: Bus) -> str:
    pointer = await store.pointer(bus)
    assert pointer is not None
    return pointer.version


async def test_the_trail_says_who_did_what_when_and_why(bus: Bus) -> None:
    anna = Signature("anna", "after the ‘fire’\nin Łódź 🔥")
    began = datetime.now(UTC)
    first = await store.publish(bus, _rules("a = fire", "b = flood"), signature=anna)
    await store.edit(bus, Add(_rules("c = rain")), signature=Signature("ben"))
    await store.edit(bus, Change("a", _rules("wildfire")))
    await store.edit(bus, Switch(("a", "b"), enabled=False))
    last = await store.edit(bus, Remove(("c",)))
    await store.restore(bus, first, signature=Signature("eve"))
    trail = await store.history(bus)
    told = [
        (one.action, one.by, [(each.id, each.action) for each in one.changes])
        for one in trail
    ]
    assert told == [
        (
            Action.RESTORED,
            "eve",
            [("a", Action.CHANGED), ("b", Action.ENABLED)],
        ),
        (Action.REMOVED, "", [("c", Action.REMOVED)]),
        (Action.DISABLED, "", [("a", Action.DISABLED), ("b", Action.DISABLED)]),
        (Action.CHANGED, "", [("a", Action.CHANGED)]),
        (Action.ADDED, "ben", [("c", Action.ADDED)]),
        (Action.PUT, "anna", [("a", Action.ADDED), ("b", Action.ADDED)]),
    ]
    assert trail[1] == last.entry
    assert trail[-1].note == anna.note
    assert trail[-1].counts == {Action.ADDED: 2}
    (change,) = trail[3].changes
    assert (change.before, change.after) == ("a = fire", "a = wildfire")
    # Each begins where the one before it ended.
    versions = [one.version for one in reversed(trail)]
    assert [one.before for one in reversed(trail)] == [None, *versions[:-1]]
    assert versions[-1] == versions[0] == first == await _version(bus)
    moments = [one.at for one in reversed(trail)]
    assert moments == sorted(moments)
    assert began - timedelta(seconds=1) < moments[0] <= moments[-1]
    assert moments[-1] < datetime.now(UTC) + timedelta(seconds=1)
    assert [one.by for one in await store.history(bus, rule="c")] == ["", "ben"]
    assert len(await store.history(bus, limit=2)) == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Add(_rules("new = x", "fires = y")), "'fires' is in force already: fires ="),
        (Add(_rules("fires = fire -drill")), "'fires' is in force already, just as"),
        (Change("Fires", _rules("x")), "no rule 'Fires': did you mean 'fires'"),
        (Change("fire", tags=("x",)), "no rule 'fire': did you mean 'fires'"),
        (Change("#tag", _rules("#other")), "'#tag' has no name of its own"),
        (Switch(("fires", "flods"), enabled=False), "did you mean 'floods'"),
        (Remove(("no1", "no2")), "there are no rules 'no1', 'no2'"),
        (Remove(("#tag", "fires", "floods")), "no rule would be left"),
    ],
)
async def test_what_cannot_be_done_is_told_and_changes_nothing(
    bus: Bus, change: store.Edit, told: str
) -> None:
    rules = _rules("fires = fire -drill", "floods = flood", "#tag")
    await store.publish(bus, rules)
    with pytest.raises(MatchingError, match=told) as caught:
        await store.edit(bus, change)
    assert (caught.value.exit_code, str(caught.value).count("\n")) == (65, 0)
    assert await store.current(bus) == rules
    assert len(await store.history(bus)) == 1


async def test_a_change_that_changes_nothing_leaves_no_trail(bus: Bus) -> None:
    await store.publish(bus, _rules("a = fire", "b = flood"))
    for change in (
        Change("a", _rules("(fire)")),
        Change("a", enabled=True),
        Switch(("b",), enabled=True),
        store.Put(store.Listing.of(_rules("b = flood", "a = fire"))),
    ):
        done = await store.edit(bus, change)
        assert (done.entry, done.rules) == (None, 2)
    assert len(await store.history(bus)) == 1


async def test_many_writers_at_once_all_get_in(bus: Bus) -> None:
    await store.publish(bus, _rules("a = fire"))
    done = await asyncio.gather(
        *(store.edit(bus, Add(_rules(f"n{n} = word{n}"))) for n in range(12))
    )
    rules = await store.current(bus)
    assert rules is not None
    assert {rule.id for rule in rules.rules} == {"a", *(f"n{n}" for n in range(12))}
    trail = await store.history(bus)
    assert [one.before for one in trail[:-1]] == [one.version for one in trail[1:]]
    assert {one.entry.token for one in done if one.entry} == {
        one.token for one in trail[:-1]
    }


class _Meanwhile:
    """Lets something happen between the reading of the pointer and its writing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._put = Values.put

    def once(self, happen: object, *, lose: bool = False) -> None:
        pending = [happen]
        real = self._put

        async def put(values: Values, *args: object, **options: object) -> int:
            self._monkeypatch.setattr(Values, "put", real)
            if lose:
                await real(values, *args, **options)  # type: ignore[arg-type]
            await pending.pop()  # type: ignore[misc]
            return await real(values, *args, **options)  # type: ignore[arg-type]

        self._monkeypatch.setattr(Values, "put", put)


async def _nothing() -> None:
    return None


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> _Meanwhile:
    return _Meanwhile(monkeypatch)


async def test_a_change_of_other_rules_meanwhile_is_kept(
    bus: Bus, meanwhile: _Meanwhile
) -> None:
    await store.publish(bus, _rules("a = fire", "b = flood"))
    meanwhile.once(store.edit(bus, Change("b", _rules("rain"))))
    await store.edit(bus, Change("a", _rules("wildfire")))
    assert await _texts(bus) == "a = wildfire\nb = rain\n"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (Change("a", _rules("smoke")), "'a' was changed at the same time by ben"),
        (Remove(("a",)), "'a' was removed at the same time by ben"),
        (Switch(("a",), enabled=False), "'a' was changed at the same time by ben"),
    ],
)
@pytest.mark.parametrize(
    "mine",
    [Change("a", _rules("wildfire")), Remove(("a", "c")), Change("a", tags=("x",))],
)
async def test_a_change_of_the_same_rule_meanwhile_is_a_conflict(
    bus: Bus, meanwhile: _Meanwhile, mine: store.Edit, other: store.Edit, told: str
) -> None:
    await store.publish(bus, _rules("a = fire", "b = flood", "c = x"))
    meanwhile.once(store.edit(bus, other, signature=Signature("ben")))
    with pytest.raises(store.Conflict, match=told) as caught:
        await store.edit(bus, mine)
    assert caught.value.exit_code == 75
    trail = await store.history(bus)
    assert [one.by for one in trail] == ["ben", ""]


async def test_a_name_that_is_taken_meanwhile_is_a_conflict(
    bus: Bus, meanwhile: _Meanwhile
) -> None:
    await store.publish(bus, _rules("a = fire"))
    meanwhile.once(store.edit(bus, Add(_rules("b = x"))))
    with pytest.raises(store.Conflict, match="'b' was added at the same time"):
        await store.edit(bus, Add(_rules("b = y")))
    assert await _texts(bus) == "a = fire\nb = x\n"


async def test_a_whole_set_replaces_what_was_put_meanwhile(
    bus: Bus, meanwhile: _Meanwhile
) -> None:
    await store.publish(bus, FIRE)
    meanwhile.once(store.edit(bus, Add(_rules("b = x"))))
    await store.publish(bus, FLOOD)
    assert await store.current(bus) == FLOOD
    assert [one.action for one in await store.history(bus)] == [
        Action.PUT,
        Action.ADDED,
        Action.PUT,
    ]


async def test_a_change_whose_answer_got_lost_is_made_once(
    bus: Bus, meanwhile: _Meanwhile
) -> None:
    await store.publish(bus, FIRE)
    meanwhile.once(_nothing(), lose=True)
    done = await store.edit(bus, Add(_rules("b = x")))
    assert done.entry is not None
    assert await _texts(bus) == "x = fire -drill\nb = x\n"
    assert len(await store.history(bus)) == 2


async def test_another_version_than_expected_is_a_conflict(bus: Bus) -> None:
    with pytest.raises(store.Conflict, match="version .none. is in force"):
        await store.edit(bus, Add(FIRE), expect=FIRE.version)
    version = (await store.edit(bus, Add(FIRE), expect="")).version
    await store.edit(bus, Add(_rules("b = x")), expect=version)
    with pytest.raises(store.Conflict, match=f"not {version}"):
        await store.edit(bus, Add(_rules("c = x")), expect=version)
    with pytest.raises(store.Conflict):
        await store.publish(bus, FLOOD, expect=version)
    assert await _texts(bus) == "x = fire -drill\nb = x\n"


async def test_rules_of_a_release_without_a_trail_begin_it(bus: Bus) -> None:
    await _bare(bus, FIRE)
    await _bare(bus, FLOOD)
    assert await store.current(bus) == FLOOD
    (old,) = await store.history(bus)
    assert (old.action, old.by, old.version) == (Action.PUT, "", FLOOD.version)
    await store.edit(bus, Add(_rules("b = y")))
    # An older release goes on beside this one.
    await _bare(bus, FIRE)
    newest, added, first = await store.history(bus)
    assert first == old
    assert (added.before, added.action) == (FLOOD.version, Action.ADDED)
    assert (newest.before, newest.version) == (added.version, FIRE.version)
    pointer = await bus.values(store.POINTERS).get(store.CURRENT)
    assert pointer is not None and pointer.data == FIRE.version.encode()


async def test_the_pointer_stays_what_older_releases_read(bus: Bus) -> None:
    done = await store.edit(bus, Add(FIRE), signature=Signature("anna", "why"))
    pointer = await bus.values(store.POINTERS).get(store.CURRENT)
    assert pointer is not None and pointer.data == done.version.encode()
    assert await bus.objects(store.SNAPSHOTS).get(done.version) == str(FIRE).encode()


async def test_the_trail_survives_the_death_of_the_server(
    bus: Bus, server: EmbeddedServer
) -> None:
    for number in range(5):
        await store.edit(bus, Add(_rules(f"n{number} = x")))
    before = await store.history(bus)
    await testing.restart(server)
    assert await store.history(bus) == before


async def test_long_lists_of_changes_are_counted_in_full(bus: Bus) -> None:
    rules = RuleSet.parse(f"rule{n} = word{n} -x" for n in range(5_000))
    await store.publish(bus, rules)
    (entry,) = await store.history(bus)
    assert entry.counts == {Action.ADDED: 5_000}
    assert len(entry.changes) + entry.omitted == 5_000
    assert 100 < len(entry.changes) < 1_000
    assert entry.changes[0].after == "rule0 = word0 -x"


async def test_the_longest_rule_note_and_name_fit(bus: Bus) -> None:
    text = " ".join(["𝒳" * 500] * 30)
    rules = RuleSet.read(
        f'{{"id": "{"🔥" * 3000}", "rule": "{text}"}}', RuleFormat.JSONL
    )
    signature = Signature("𝒳" * 100, "🔥" * 500)
    await store.publish(bus, rules, signature=signature)
    await store.edit(bus, Switch((rules.rules[0].id,), enabled=False))
    entry, first = await store.history(bus)
    assert first.note == signature.note
    (change,) = entry.changes
    assert change.after is not None and change.after.endswith("…")
    with pytest.raises(MatchingError, match="501 characters, at most 500"):
        Signature("x", "n" * 501)


async def test_old_snapshots_go_when_there_is_no_room_for_new_ones(bus: Bus) -> None:
    await bus.objects(store.SNAPSHOTS).put("0" * 16, b"nobody names it")
    size = (await bus.objects(store.SNAPSHOTS).state()).max_bytes // 10
    word = "x" * 1_000
    versions = []
    for number in range(15):
        rules = RuleSet.parse(
            f"r{n} = {word}{number}" for n in range(size // len(word))
        )
        versions.append(await store.publish(bus, rules))
    kept = set(await bus.objects(store.SNAPSHOTS).names())
    assert kept == set(versions[-len(kept) :])
    assert 5 <= len(kept) <= 7
    assert len(await store.history(bus)) == 15
    assert (await store.restore(bus, versions[-3])).version == versions[-3]
    with pytest.raises(store.MissingRules, match=versions[0]):
        await store.restore(bus, versions[0])


async def test_a_damaged_set_is_replaced_and_not_changed(bus: Bus) -> None:
    await store.publish(bus, FIRE)
    await bus.objects(store.SNAPSHOTS).put(FIRE.version, b"x = something else\n")
    with pytest.raises(MatchingError, match="damaged"):
        await store.edit(bus, Add(_rules("b = x")))
    with pytest.raises(MatchingError, match="another release"):
        await store.current(bus)
    # The same rules put once more mend it, and workers are told.
    before = await store.pointer(bus)
    assert await store.publish(bus, FIRE) == FIRE.version
    after = await store.pointer(bus)
    assert before and after and after.revision > before.revision
    assert await store.current(bus) == FIRE


async def test_a_rule_that_cannot_be_read_can_be_removed(bus: Bus) -> None:
    listing = store.Listing.of(_rules("a = fire", "b = flood"))
    broken = store.Listed("c", "(", (), True, "c = (")
    listing = store.Listing({**listing.rules, "c": broken})
    await bus.objects(store.SNAPSHOTS).put(listing.version, str(listing).encode())
    await bus.values(store.POINTERS).put(store.CURRENT, listing.version.encode())
    with pytest.raises(MatchingError, match="<the rule c>:1:6"):
        await store.edit(bus, Switch(("c",), enabled=False))
    await store.edit(bus, Remove(("c",)))
    assert await _texts(bus) == "a = fire\nb = flood\n"


async def test_versions_are_found_by_their_beginning(bus: Bus) -> None:
    version = await store.publish(bus, FIRE)
    assert await store.find_version(bus, version[:4]) == version
    assert await store.find_version(bus, version) == version
    for beginning, told in (("zzzz", "no version"), (version[:3], "too short")):
        with pytest.raises(store.MissingRules, match=told):
            await store.find_version(bus, beginning)


async def test_who_follows_slowly_sees_only_the_newest(bus: Bus) -> None:
    await store.publish(bus, FIRE)
    async with aclosing(store.follow(bus)) as pointers:
        assert (await asyncio.wait_for(anext(pointers), 5)).version == FIRE.version
        for number in range(20):
            await store.edit(bus, Add(_rules(f"n{number} = x")))
        newest = await store.pointer(bus)
        assert await asyncio.wait_for(anext(pointers), 5) == newest


async def test_who_loads_one_set_after_the_other_gets_each_whole(bus: Bus) -> None:
    loader = store.Loader(bus)
    lines = [f"r{n} = word{n}" for n in range(50)]
    sets = [
        _rules(*lines),
        _rules(*lines[:10], "r10 = other", *lines[11:]),
        _rules(*lines[5:], '{"id": "r1", "rule": "word1", "enabled": false}'),
        _rules("alone"),
        RuleSet(()),
        _rules(*reversed(lines[:20])),
    ]
    for rules in sets:
        version = await store.publish(bus, rules)
        assert await loader.load(version) == rules
        again = await loader.load(version)
        assert all(
            one.expression is other.expression
            for one, other in zip(again.rules, (await loader.load(version)).rules)
        )


async def test_a_set_that_is_damaged_is_told_whatever_was_loaded_before(
    bus: Bus,
) -> None:
    loader = store.Loader(bus)
    await loader.load(await store.publish(bus, _rules("a = fire", "b = flood")))
    for number, (text, told) in enumerate(
        [
            ("a = fire\nb = (\n", ":2:6: "),
            ("a = fire\na = fire\n", "'a'"),
            ("a = fire\nc = x\n", "another release"),
            ("a = fire\n# comment\n", "another release"),
        ]
    ):
        version = f"{number:016x}"
        await bus.objects(store.SNAPSHOTS).put(version, text.encode())
        with pytest.raises(MatchingError, match=told):
            await loader.load(version)


async def test_no_change_is_lost_or_made_twice_while_the_server_is_killed(
    bus: Bus, server: EmbeddedServer
) -> None:
    await store.publish(bus, _rules("a = fire"))
    unknown: set[str] = set()

    async def write(writer: int) -> None:
        for number in range(12):
            name = f"w{writer}n{number}"
            try:
                await store.edit(bus, Add(_rules(f"{name} = x")))
            except Unavailable:
                # It may be in force, or not.
                unknown.add(name)

    async def kill() -> None:
        for _ in range(3):
            await testing.restart(server)

    await asyncio.gather(kill(), *map(write, range(3)))
    rules = await store.current(bus)
    assert rules is not None
    ids = [rule.id for rule in rules.rules]
    expected = {"a", *(f"w{w}n{n}" for w in range(3) for n in range(12))}
    assert expected - unknown <= set(ids) <= expected
    trail = await store.history(bus)
    assert [one.before for one in trail] == [
        *(one.version for one in trail[1:]),
        None,
    ]
    # What the trail says led from nothing to what is in force.
    assert trail[0].version == rules.version
    added = [change.id for one in reversed(trail) for change in one.changes]
    assert added == ids


async def test_a_crash_between_snapshot_and_pointer_changes_nothing(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.publish(bus, FIRE)

    async def crash(*_: object, **__: object) -> int:
        raise BusError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Values, "put", crash)
        with pytest.raises(BusError, match="killed"):
            await store.edit(bus, Add(_rules("b = x")))
    assert await store.current(bus) == FIRE
    assert len(await store.history(bus)) == 1
    await store.edit(bus, Add(_rules("b = x")))
    assert len(await store.history(bus)) == 2
