"""Caps hold whoever takes acts in at the same time, and what they look back on is kept no longer than that (domain.md C1)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from policies.contracts.request import ImpactCandidate
from tests.contract.raw_sql import run_sql
from tests.contract.world_samples import NOW, REALM, act_sample, asked_sample, row_sample, seeded, step_sample
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore
from world.realm.rules import Caps
from world.realm.rules_document import default_world_path, load_world
from world.service.ingestion import Ingestion, Taken
from world.service.questions import dispute_question
from world.service.realms import RealmReader, first_snapshot

WORLD = load_world(default_world_path())
WORTH = 7_500
"""Milli-points of the acts below: 25,000 at risk 3 and regional stakes, the first of a new account (300 permille)."""
_TICKS = "SELECT tick FROM {} ORDER BY tick"


async def _entered(stores: Sequence[WorldStore], caps: Caps, batches: Sequence[list[ImpactCandidate]]) -> list[Taken]:
    """Take batches in at the same time, each through connections of its own."""
    rules = replace(WORLD.rules, caps=caps)
    ask = partial(dispute_question, WORLD)
    takers = [Ingestion(store, RealmReader(store), rules, ask, lambda: NOW) for store in stores]
    found = await asyncio.gather(*[taker.submit(batch) for taker, batch in zip(takers, batches, strict=True)])
    return [taken for each in found for taken in each]


def _batch(writer: int, turn: int, faction: str) -> list[ImpactCandidate]:
    return [
        act_sample(
            f"{turn}-{writer}-{n}", f"u-{turn}-{writer}-{n}", action_type="faction_quest_complete", faction_id=faction
        )
        for n in range(6)
    ]


async def test_writers_of_several_connections_do_not_overrun_a_cap_together(database_url: str) -> None:
    """Each batch alone fits under the cap of 8 acts of a faction in a tick, two do not."""
    stores = [open_world_store(database_url) for _ in range(3)]
    await stores[0].create(first_snapshot(WORLD.new_realm(REALM), NOW))
    caps = Caps(10**9, 8 * WORTH, {})
    for turn, faction in enumerate(WORLD.seed.factions):
        batches = [_batch(writer, turn, faction) for writer in range(len(stores))]
        taken = await _entered(stores, caps, batches)
        states = sorted(each.row.state for each in taken)
        assert states == ["accepted"] * 8 + ["rejected"] * 10
        assert {each.rejected.kind for each in taken if each.rejected is not None} == {"faction_cap"}
        totals = await stores[0].totals(REALM)
        assert sum(totals.gained[""][faction].values()) == 8 * WORTH
    for store in stores:
        await store.close()


async def test_an_act_that_comes_over_several_connections_at_once_counts_once(database_url: str) -> None:
    stores = [open_world_store(database_url) for _ in range(3)]
    await stores[0].create(first_snapshot(WORLD.new_realm(REALM), NOW))
    batch = _batch(0, 0, "empire")
    taken = await _entered(stores, Caps(10**9, 10**9, {}), [batch, batch, batch])
    assert [each.is_repeat for each in taken].count(False) == len(batch)
    assert len({each.row.sequence for each in taken}) == len(batch)
    assert await stores[0].totals(REALM) == await stores[0].recount(REALM)
    for store in stores:
        await store.close()


async def test_tallies_are_let_go_a_day_of_ticks_later_and_no_cap_sees_a_difference(database_url: str) -> None:
    """At tick 200 caps look back to tick 105; one tick more is kept."""
    store = await seeded(open_world_store(database_url))
    ticks = [0, 50, 103, 104, 105, 200]
    await store.submit([row_sample(f"e-{tick}", f"u-{tick % 2}", tick=tick, points=tick + 1) for tick in ticks], {})
    assert await store.tidy() == 0
    await store.advance(step_sample("snap-0", 200), None, NOW)
    asked = [asked_sample("x-0", "u-0"), asked_sample("x-1", "u-1")]
    before = await store.known(REALM, asked, since=0, tick=200)
    # Tallies and sums of factions of ticks 0, 50 and 103, one of each at a time.
    assert [await store.tidy(1) for _ in range(4)] == [2, 2, 2, 0]
    assert await run_sql(database_url, _TICKS.format("world_tallies")) == [(104,), (105,), (200,)]
    assert await run_sql(database_url, _TICKS.format("world_faction_ticks")) == [(104,), (105,), (200,)]
    assert await store.known(REALM, asked, since=0, tick=200) == before
    assert (before[0].user_day, before[1].user_day) == (201, 106)
    await store.close()
