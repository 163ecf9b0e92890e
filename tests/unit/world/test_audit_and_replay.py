"""The audit and the replay find what is wrong, each thing by its name and its place (I3, I7, I8; S0-112)."""

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from policies.verdicts import Verdict
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm, ScriptedCouncil
from world.errors import RulesUnknownError
from world.persistence.memory import MemoryStore
from world.persistence.port import Snapshot
from world.realm.sovereign import Proposal
from world.realm.state import Treasury
from world.service.audit import Audit, audit
from world.service.realms import first_snapshot
from world.service.replay import replay


class Book:
    """A council's record of the verdicts that a test gives."""

    def __init__(self, verdicts: dict[str, Verdict]) -> None:
        self.verdicts = verdicts

    async def verdict(self, realm_id: str, decision_id: str) -> Verdict | None:
        return self.verdicts.get(decision_id)


async def lived(ticks: int = 6) -> tuple[LivingRealm, MemoryStore]:
    """Return a realm with acts, a sovereign action and its verdict behind it."""
    store = MemoryStore()
    living = LivingRealm(store, ScriptedCouncil("approve"))
    realm = replace(WORLD.new_realm(REALM), treasuries={"veil": Treasury(2_000_000)})
    await store.create(first_snapshot(realm, living.now))
    await living.sovereignty.propose(REALM, Proposal("a-1", "great_warding", "veil", "lord"))

    async def play(number: int) -> None:
        await living.ingestion.submit(
            [living.act(user, faction) for user, faction in (("ana", "free_cities"), ("binh", "empire"))]
        )
        await living.verdicts.settle(REALM)

    await living.ticks(ticks, play)
    await living.verdicts.settle(REALM)
    await play(ticks)
    return living, store


def seen(found: Audit) -> set[tuple[str, str]]:
    return {(finding.check, finding.where) for finding in found.findings}


async def test_a_sound_realm_has_nothing_to_find() -> None:
    living, store = await lived()
    book = Book({"d-realm-1:action:a-1": "approve"})
    found = await audit(store, REALM, book)
    assert found.findings == ()
    # The first snapshot, six ticks, the proposal and the verdict; two acts before each tick and two since.
    assert found.counted == {"snapshots": 9, "ticks": 6, "decisions": 1, "acts": 14, "events": 9}
    again = await replay(store, REALM, [WORLD.rules])
    assert (again.ticks, again.decisions, again.steps, again.difference) == (6, 1, 1, None)
    assert again.last == (await store.latest(REALM)).hash
    assert living


async def test_a_decision_without_a_record_or_with_another_verdict_is_found() -> None:
    """S0-111: nothing is applied that the council did not decide."""
    _, store = await lived()
    assert seen(await audit(store, REALM, Book({}))) == {("decisions", "d-realm-1:action:a-1")}
    assert seen(await audit(store, REALM, Book({"d-realm-1:action:a-1": "reject"}))) == {
        ("decisions", "d-realm-1:action:a-1")
    }


def drop(store: MemoryStore, index: int) -> None:
    del store._realms[REALM].snapshots[index]


def untell(store: MemoryStore, kind: str) -> None:
    events = store._realms[REALM].events
    events.remove(next(event for event in events if event.kind == kind))


def double(store: MemoryStore, index: int) -> None:
    snapshots = store._realms[REALM].snapshots
    snapshots.insert(index, snapshots[index])


def edit(store: MemoryStore, index: int, **keys: object) -> None:
    """Change a snapshot's state and leave its hash."""
    snapshot = store._realms[REALM].snapshots[index]
    state = {**orjson.loads(snapshot.state), **keys}
    store._realms[REALM].snapshots[index] = snapshot._replace(state=orjson.dumps(state, option=orjson.OPT_SORT_KEYS))


def forged(store: MemoryStore, index: int) -> None:
    """Change what a snapshot says of the meters, with hashes that fit from there on: only a replay can tell."""
    from itertools import pairwise

    from world.realm.state import realm_from
    from world.service.realms import snapshot_of

    snapshots = store._realms[REALM].snapshots
    realm = realm_from(orjson.loads(snapshots[index].state))
    changed = replace(realm, meters={**realm.meters, "chaos": 1})
    snapshots[index] = snapshot_of(changed, snapshots[index].result, 0)
    for (place, before), (_, after) in pairwise(enumerate(list(snapshots[index:]), index)):
        link: Snapshot = snapshots[place]
        moved = replace(realm_from(orjson.loads(after.state)), previous=link.hash)
        snapshots[place + 1] = snapshot_of(moved, after.result, 0)
        assert before


@pytest.mark.parametrize(
    ("harm", "checks"),
    [
        pytest.param(lambda store: drop(store, 3), {"chain"}, id="a tick is lost"),
        pytest.param(lambda store: double(store, 3), {"chain"}, id="a tick is doubled"),
        pytest.param(lambda store: edit(store, 4, watermark=0), {"chain"}, id="a state is edited"),
        pytest.param(lambda store: untell(store, "tick"), {"events"}, id="an event is lost"),
        pytest.param(lambda store: untell(store, "decision_applied"), {"events"}, id="a decision is not told"),
        pytest.param(lambda store: store._realms[REALM].entries.pop(5), {"ledger"}, id="an act is lost"),
        pytest.param(
            lambda store: setattr(store._realms[REALM].entries[0], "state", "rejected"),
            {"ledger"},
            id="an act is turned",
        ),
        pytest.param(
            lambda store: setattr(store._realms[REALM].entries[0], "state", "in_review"),
            {"ledger"},
            id="nobody is asked",
        ),
        pytest.param(
            lambda store: setattr(store._realms[REALM].entries[3], "counted_at", 1),
            {"ledger"},
            id="an act counts twice",
        ),
        pytest.param(lambda store: store._realms[REALM].applied.clear(), {"decisions"}, id="a decision may come again"),
        pytest.param(
            lambda store: setattr(store._realms[REALM], "consumed", 0), {"totals"}, id="a tick's acts are kept"
        ),
    ],
)
async def test_what_is_wrong_is_found_where_it_is(harm: Callable[[MemoryStore], object], checks: set[str]) -> None:
    _, store = await lived()
    harm(store)
    assert {finding.check for finding in (await audit(store, REALM)).findings} == checks


async def test_a_forgery_with_hashes_that_fit_is_found_by_the_replay_and_named() -> None:
    """The chain alone is sound then; the replay comes to another state, and says in which tick and where."""
    _, store = await lived()
    assert store._realms[REALM].snapshots[4].snapshot_id == "snap-3"
    forged(store, 4)
    assert (await audit(store, REALM)).findings == ()
    found = await replay(store, REALM, [WORLD.rules])
    assert found.difference is not None
    assert (found.difference.snapshot_id, found.difference.tick_number) == ("snap-3", 3)
    assert found.difference.parts == ("meters.chaos",)
    assert found.ticks == 2


async def test_an_act_slipped_into_a_closed_tick_is_found_by_the_replay() -> None:
    """S9: a late act goes into the next tick, never into a closed one."""
    _, store = await lived()
    store._realms[REALM].entries[0].points += 100_000
    found = await replay(store, REALM, [WORLD.rules])
    assert found.difference is not None
    assert found.difference.tick_number == 1


async def test_a_revision_whose_record_was_changed_is_named() -> None:
    _, store = await lived()
    place = next(
        index for index, each in enumerate(store._realms[REALM].snapshots) if b'"made_by":"verdict"' in each.result
    )
    snapshot = store._realms[REALM].snapshots[place]
    store._realms[REALM].snapshots[place] = snapshot._replace(result=b'{"made_by":"wish"}')
    found = await replay(store, REALM, [WORLD.rules])
    assert found.difference is not None
    assert found.difference.told == "its record makes no revision: no revision is made by 'wish'"


async def test_a_replay_stops_where_it_is_told_and_tells_how_far_it_is() -> None:
    _, store = await lived()
    told: list[int] = []
    found = await replay(store, REALM, [WORLD.rules], until=3, told=told.append)
    assert (found.ticks, told) == (3, [0, 1, 2, 3])


async def test_other_rules_than_those_of_the_chain_are_refused() -> None:
    _, store = await lived()
    with pytest.raises(RulesUnknownError, match="give the world file of that version"):
        await replay(store, REALM, [replace(WORLD.rules, content_hash="0" * 64)])
