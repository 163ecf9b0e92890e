"""Totals are kept as acts arrive, and a tick takes a closed set of them: none is lost, none counts twice (S9; S0-115)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.world_samples import NOW, REALM, row_sample, seeded, snapshot_sample, step_sample
from world.errors import MovedOnError
from world.influence.judging import State
from world.persistence.acts import NewRow, Totals, Transition
from world.persistence.memory import MemoryStore
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore

_numbers = count()


@pytest.fixture
async def store(ledger_url: str) -> AsyncIterator[WorldStore]:
    """A store of each kind with the samples' realm."""
    opened = await seeded(open_world_store(ledger_url))
    yield opened
    await opened.close()


def _points(totals: Totals) -> int:
    return sum(
        points
        for side in (totals.gained, totals.opposed)
        for factions in side.values()
        for users in factions.values()
        for points in users.values()
    )


async def test_totals_are_sums_by_side_territory_faction_and_account(store: WorldStore) -> None:
    await store.submit(
        [
            row_sample("e-1", points=10),
            row_sample("e-2", points=20),
            row_sample("e-3", "binh", points=5, is_against=True),
            row_sample("e-4", "binh", points=3, territory=None, faction_id="veil"),
            row_sample("e-5", "chi", points=100, state="rejected"),
            row_sample("e-6", "chi", points=100, state="quarantined"),
        ],
        {},
    )
    expected = Totals(
        4,
        {"far-wilds": {"free_cities": {"ana": 30}}, "": {"veil": {"binh": 3}}},
        {"far-wilds": {"free_cities": {"binh": 5}}},
        {},
        {},
    )
    assert await store.totals(REALM) == expected
    assert await store.recount(REALM) == expected


async def test_accounts_that_share_a_device_or_a_session_are_one_cluster(store: WorldStore) -> None:
    """S0-52; union-find: dao shares with chi, chi with binh, so all stand behind binh."""
    await store.submit(
        [
            row_sample("e-1", "dao", device_id="one"),
            row_sample("e-2", "chi", device_id="one", session_id="two"),
            row_sample("e-3", "binh", session_id="two"),
            row_sample("e-4", "ana", device_id="two"),  # a device is no session
            row_sample("e-5", "giang", device_id="three"),
            row_sample("e-6", "hoa", device_id="three", state="quarantined"),
        ],
        {},
    )
    assert (await store.totals(REALM)).clusters == {"chi": "binh", "dao": "binh"}
    assert (await store.recount(REALM)).clusters == {"chi": "binh", "dao": "binh"}
    await store.move(REALM, [Transition(6, "accepted", "let go")], NOW)
    assert (await store.totals(REALM)).clusters["hoa"] == "giang"


async def test_relics_are_told_with_the_factions_that_claimed_them(store: WorldStore) -> None:
    claims = [
        ("e-1", "free_cities", "crown"),
        ("e-2", "veil", "crown"),
        ("e-3", "veil", "ring"),
        ("e-4", "veil", "ring"),
    ]
    await store.submit([row_sample(event, faction_id=faction, relic_id=relic) for event, faction, relic in claims], {})
    expected = {"crown": frozenset(["free_cities", "veil"]), "ring": frozenset(["veil"])}
    assert (await store.totals(REALM)).relics == expected
    assert (await store.recount(REALM)).relics == expected


async def test_what_is_accepted_while_a_tick_computes_counts_in_the_next_one(store: WorldStore) -> None:
    """A late event goes to the next tick, never into a closed one (S9)."""
    await store.submit([row_sample("e-1", points=1), row_sample("e-2", points=50, state="in_review")], {})
    taken = await store.totals(REALM)
    await store.submit([row_sample("e-3", points=10, device_id="d")], {})
    await store.move(REALM, [Transition(2, "accepted", "let go")], NOW)
    await store.advance(step_sample("snap-0", 1, consumed=taken.watermark), None, NOW)
    assert (taken.watermark, _points(taken)) == (1, 1)
    following = await store.totals(REALM)
    assert (following.watermark, _points(following)) == (3, 60)
    assert await store.recount(REALM) == following
    assert await store.recount(REALM, after=0, upto=1) == taken
    assert _points(await store.recount(REALM, after=0)) == 61


async def test_a_tick_that_never_comes_to_its_end_loses_nothing(store: WorldStore) -> None:
    await store.submit([row_sample("e-1", points=1)], {})
    first = await store.totals(REALM)
    await store.submit([row_sample("e-2", points=10)], {})
    with pytest.raises(MovedOnError):
        await store.advance(step_sample("snap-7", 8, consumed=first.watermark), None, NOW)
    again = await store.totals(REALM)
    assert (again.watermark, _points(again)) == (2, 11)
    # A decision between two ticks consumes nothing.
    await store.advance(step_sample("snap-0", 0, 1, decision_id="d-1"), None, NOW)
    assert await store.totals(REALM) == again
    # The older totals of the tick that failed can still be taken: what came behind them stays.
    await store.advance(step_sample("snap-0.1", 1, consumed=first.watermark), None, NOW)
    assert _points(await store.totals(REALM)) == 10


class _Submit(NamedTuple):
    acts: Sequence[tuple[str, State, int, str | None]]


class _Release(NamedTuple):
    at: int


class _Take(NamedTuple):
    pass


class _Finish(NamedTuple):
    pass


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["ana", "binh", "chi"]),
        st.sampled_from(["accepted", "accepted", "in_review", "rejected"]),
        st.integers(0, 9),
        st.sampled_from([None, "one", "two"]),
    ),
    min_size=1,
    max_size=4,
)
_STEPS = st.lists(
    st.one_of(st.builds(_Submit, _ACTS), st.builds(_Release, st.integers(0, 9)), st.just(_Take()), st.just(_Finish())),
    max_size=14,
)


@given(steps=_STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
async def test_however_acts_releases_and_ticks_interleave_each_act_counts_once(
    store: WorldStore, steps: Sequence[_Submit | _Release | _Take | _Finish]
) -> None:
    """Every database against the store in memory, step by step; and over all ticks the sums are those of the ledger."""
    run = _Run(store, f"realm-{next(_numbers)}")
    await run.begin()
    for step in steps:
        match step:
            case _Submit(acts):
                await run.submit(acts)
            case _Release(at):
                await run.release(at)
            case _Take():
                await run.take()
            case _Finish():
                await run.finish()
    await run.take()
    await run.finish()
    assert run.consumed == sum([_points(await run.store.recount(run.realm_id, after=0))])
    assert _points(await run.store.totals(run.realm_id)) == 0


class _Run:
    """One realm in a store and the same in memory, led through the same steps."""

    def __init__(self, store: WorldStore, realm_id: str) -> None:
        self.store = store
        self.reference = MemoryStore()
        self.realm_id = realm_id
        self.consumed = 0
        self._taken: Totals | None = None
        self._tick = 0
        self._events = 0

    async def begin(self) -> None:
        for each in (self.store, self.reference):
            await each.create(snapshot_sample(realm_id=self.realm_id))

    async def submit(self, acts: Sequence[tuple[str, State, int, str | None]]) -> None:
        rows = [self._row(*act) for act in acts]
        assert await self.store.submit(rows, {}) == await self.reference.submit(rows, {})

    async def release(self, at: int) -> None:
        held = await self.store.rows(self.realm_id, state="in_review")
        assert held == await self.reference.rows(self.realm_id, state="in_review")
        if held:
            moves = [Transition(held[at % len(held)].sequence, "accepted", "let go", at)]
            for each in (self.store, self.reference):
                await each.move(self.realm_id, moves, NOW)

    async def take(self) -> None:
        self._taken = await self.store.totals(self.realm_id)
        assert self._taken == await self.reference.totals(self.realm_id)
        assert self._taken == await self.store.recount(self.realm_id)

    async def finish(self) -> None:
        if self._taken is None:
            return
        before, self._tick = f"snap-{self._tick}", self._tick + 1
        step = step_sample(before, self._tick, realm_id=self.realm_id, consumed=self._taken.watermark)
        for each in (self.store, self.reference):
            await each.advance(step, None, NOW)
        self.consumed += _points(self._taken)
        self._taken = None

    def _row(self, user: str, state: State, points: int, device: str | None) -> NewRow:
        self._events += 1
        return row_sample(
            f"e-{self._events}", user, state=state, points=points, device_id=device, realm_id=self.realm_id
        )


async def test_ticks_beside_many_writers_count_every_act_once(database_url: str) -> None:
    """Writers and ticker have connections of their own, as processes have."""
    stores = [open_world_store(database_url) for _ in range(3)]
    await seeded(stores[0])
    writers = asyncio.gather(*[_write(stores[number % 2], writer=f"w-{number}", batches=12) for number in range(4)])
    consumed, tick = 0, 0
    while not writers.done():
        consumed += await _tick(stores[2], tick)
        tick += 1
        await asyncio.sleep(0.005)
    await writers
    consumed += await _tick(stores[2], tick)
    assert tick > 1
    assert consumed == 4 * 12 * 5
    assert await stores[2].recount(REALM, after=0) == await _everything(stores[2])
    for each in stores:
        await each.close()


async def _write(store: WorldStore, writer: str, batches: int) -> None:
    for number in range(batches):
        await store.submit([row_sample(f"{writer}-{number}-{n}", f"u-{n}", points=1) for n in range(5)], {})


async def _tick(store: WorldStore, tick: int) -> int:
    totals = await store.totals(REALM)
    await store.advance(step_sample(f"snap-{tick}", tick + 1, consumed=totals.watermark), None, NOW)
    return _points(totals)


async def _everything(store: WorldStore) -> Totals:
    users = {f"u-{n}": 4 * 12 for n in range(5)}
    assert [row.sequence for row in await store.rows(REALM, limit=500)] == list(range(1, 241))
    return Totals(240, {"far-wilds": {"free_cities": users}}, {}, {}, {})
