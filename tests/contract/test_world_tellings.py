"""A tick is committed before anybody is told of it: whoever ends in between, all are told, once and the same (S11; S0-95)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

import pytest

from tests.contract.raw_sql import run_sql
from tests.contract.world_samples import NOW, row_sample, seeded, step_sample
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm
from world.errors import StoreUnavailableError
from world.persistence.contributions import Contributions, contributions_of
from world.persistence.memory import MemoryStore
from world.persistence.messages import Event, NewEvent
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore
from world.realm.tick import Gains
from world.service.expiry import Expiry
from world.service.questions import trigger_question
from world.service.ticking import Ticker

TICK: Final = NewEvent("tick", b"{}", correlation_id="tick-1")


def _told_to(*users: str) -> Contributions:
    return contributions_of([Gains("far-wilds", "veil", dict.fromkeys(users, 1_000))], {}, "own")


@pytest.fixture
async def store(ledger_url: str) -> AsyncIterator[WorldStore]:
    """A store of each kind with the samples' realm."""
    opened = await seeded(open_world_store(ledger_url))
    yield opened
    await opened.close()


async def test_a_tick_tells_once_behind_whatever_has_happened_by_then(store: WorldStore) -> None:
    assert await store.told(REALM) == 0
    await store.advance(step_sample("snap-0", 1, events=(TICK,)), None, NOW)
    await store.advance(step_sample("snap-1", 1, 1, events=(TICK,), decision_id="d-1"), None, NOW)
    assert await store.tell(REALM, 1, _told_to("ana", "binh"), NOW)
    once = await store.all_events(REALM)
    assert [(event.sequence, event.tick_number, event.user_id) for event in once] == [
        (1, 1, None), (2, 1, None), (3, 1, "ana"), (4, 1, "binh"),
    ]  # fmt: skip
    pending = await store.pending()
    assert [row.key for row in pending] == [f"{REALM}/{sequence}" for sequence in range(1, 5)]
    assert not await store.tell(REALM, 1, _told_to("ana", "binh", "chi"), NOW)
    assert not await store.tell(REALM, 0, _told_to("chi"), NOW)
    assert (await store.all_events(REALM), await store.pending()) == (once, pending)
    assert (await store.told(REALM), await store.last_sequence(REALM)) == (1, 4)
    await store.advance(step_sample("snap-1.1", 2, events=(TICK,)), None, NOW)
    assert [event.sequence for event in await store.all_events(REALM, 4)] == [5]


async def test_nobody_to_tell_is_nothing_told(store: WorldStore) -> None:
    await store.advance(step_sample("snap-0", 1), None, NOW)
    assert await store.tell(REALM, 1, _told_to(), NOW)
    assert (await store.told(REALM), await store.last_sequence(REALM)) == (0, 0)


async def test_what_the_latest_tick_took_stays_until_the_next_and_no_longer(database_url: str) -> None:
    """Sums do not pile up, and those that a telling may still need are not let go."""
    living = LivingRealm(open_world_store(database_url))
    await living.seed()
    cells = []
    for number in range(4):
        acts = [living.act(f"u-{user}", target_id="far-wilds", device_id=f"d-{user // 2}") for user in range(6)]
        await living.ingestion.submit(acts)
        await living.ticks(1)
        assert await living.store.told(REALM) == number + 1
        while await living.store.tidy(2):
            pass
        rows = [await run_sql(database_url, f"SELECT bucket FROM {table}") for table in ("world_totals", "world_links")]
        cells.append([[row[0] for row in of] for of in rows])
    # Six acts a tick: the first tick took what was counted behind 0, the second behind 6 ...
    assert cells == [[[6 * number] * 6] * 2 for number in range(4)]
    await living.store.close()


async def test_totals_that_no_tick_has_taken_are_never_let_go(database_url: str) -> None:
    store = await seeded(open_world_store(database_url))
    await store.submit([row_sample("e-1", "ana", device_id="d")], {})
    before = await store.totals(REALM)
    await store.submit([row_sample("e-2", "binh", device_id="d")], {})
    assert await store.tidy() == 0
    assert (await store.totals(REALM)).gained == {"far-wilds": {"free_cities": {"ana": 1_000, "binh": 1_000}}}
    assert await store.taken(REALM, 0, before.watermark) == before
    await store.close()


class _EndedError(Exception):
    """A process that ends."""


class _Mute:
    """A store under which a process ends, or a database that goes, between a tick and what it tells."""

    def __init__(self, store: WorldStore, error: Exception, tick_number: int) -> None:
        self._store = store
        self._error = error
        self._number = tick_number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def tell(self, realm_id: str, tick_number: int, told: Contributions, now: int) -> bool:
        if tick_number == self._number:
            raise self._error
        return await self._store.tell(realm_id, tick_number, told, now)


async def _ticked(store: WorldStore, error: Exception | None = None, *, is_looked_after: bool = False) -> list[Event]:
    """Return what a realm of three ticks has told.

    Args:
        error: what the worker of every tick meets behind it; each has a worker of its own.
        is_looked_after: whether somebody looks for what is left untold after each tick; else the next tick does.
    """
    living = LivingRealm(store)
    await living.seed()
    for number in range(1, 4):
        for user in range(12):
            place = {"target_id": ("far-wilds", "mirror-gate")[user % 2]} if user % 3 else {}
            act = living.act(
                f"u-{user}", WORLD.seed.factions[user % 4], device_id=f"d-{user % 4 if user < 8 else user}", **place
            )
            await living.ingestion.submit([act], f"act-{number}-{user}" if user % 2 else None)
        living.now += 900_000
        worker = LivingRealm(cast(WorldStore, _Mute(store, error, number)) if error is not None else store)
        worker.now = living.now
        with suppress(_EndedError):
            await worker.ticker.run(REALM, "by-hand" if number == 2 else None)
        assert (await store.latest(REALM)).tick_number == number
        if error is not None and (is_looked_after or number == 3):
            assert await living.worker("another").tell() > 0
            assert await living.worker("a-third").tell() == 0
    return list(await store.all_events(REALM, 0, 2_000))


@pytest.mark.parametrize("is_looked_after", [True, False])
@pytest.mark.parametrize("error", [_EndedError(), StoreUnavailableError("it is away")])
async def test_what_a_worker_did_not_come_to_tell_is_told_by_the_next_as_it_would_have_been(
    ledger_url: str, error: Exception, is_looked_after: bool
) -> None:
    """The same accounts, points, correlation ids and places in the sequence, before anything of a later tick."""
    store = open_world_store(ledger_url)
    found = await _ticked(store, error, is_looked_after=is_looked_after)
    assert found == await _ticked(MemoryStore())
    told = [event for event in found if event.kind == "contributed"]
    assert {event.tick_number for event in told} == {1, 2, 3}
    own = {event.tick_number: event.correlation_id for event in found if event.kind == "tick"}
    made_at = {event.tick_number: event.made_at for event in found if event.kind == "tick"}
    for event in told:
        assert event.made_at == made_at[event.tick_number]
        number = int(str(event.user_id).removeprefix("u-"))
        expected = f"act-{event.tick_number}-{number}" if number % 2 else own[event.tick_number]
        assert event.correlation_id == expected
    assert own[2] == "by-hand"
    await store.close()


async def test_workers_that_look_at_the_same_moment_tell_once(database_url: str) -> None:
    stores = [open_world_store(database_url) for _ in range(3)]
    living = LivingRealm(stores[0])
    await living.seed()
    await living.ingestion.submit([living.act(f"u-{user}", target_id="far-wilds") for user in range(9)])
    mute = LivingRealm(cast(WorldStore, _Mute(stores[0], _EndedError(), 1)))
    mute.now = living.now + 900_000
    with pytest.raises(_EndedError):
        await mute.ticker.run(REALM)
    told = await asyncio.gather(*[LivingRealm(store).ticker.tell() for store in stores])
    assert sorted(told) == [0, 0, 9]
    events = await stores[0].all_events(REALM)
    assert [event.user_id for event in events if event.kind == "contributed"] == [f"u-{user}" for user in range(9)]
    for store in stores:
        await store.close()


async def test_a_tick_without_acts_has_nothing_left_to_tell() -> None:
    living = LivingRealm(MemoryStore())
    assert await living.ticker.tell() == 0
    await living.seed()
    assert await living.ticker.tell() == 0
    await living.ticks(2)
    assert await living.worker("another").tell() == 0


async def test_what_a_player_hears_of_an_act_without_an_id_carries_that_of_the_newest_that_counts(
    ledger_url: str,
) -> None:
    """S0-95: an act that expires in the tick, beside one of the same account that it counts."""
    store = open_world_store(ledger_url)
    living = LivingRealm(store)
    await living.seed()
    waiting = row_sample("e-1", "ana", state="in_review")._replace(correlation_id=None)
    await store.submit([waiting, row_sample("e-2", "ana"), row_sample("e-3", "binh", state="in_review")], {})
    ticker = Ticker(
        store, living.realms, living.rules, partial(trigger_question, WORLD), lambda: living.now, holder="w",
        expiry=Expiry(store, patience=0),
    )  # fmt: skip
    assert await ticker.run(REALM) is not None
    told = [event for event in await store.all_events(REALM) if event.user_id is not None]
    assert [(event.kind, event.user_id, event.correlation_id) for event in told] == [
        ("review_expired", "ana", "c-e-2"),
        ("review_expired", "binh", "c-e-3"),
        ("contributed", "ana", "c-e-2"),
    ]
    await store.close()
