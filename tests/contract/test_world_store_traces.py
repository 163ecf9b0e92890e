"""Which correlation id follows an account's acts into a tick (register row S0-95), in every store of the world."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.world_samples import NOW, REALM, row_sample, seeded, step_sample
from world.persistence.acts import Transition
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore


@pytest.fixture
async def store(ledger_url: str) -> AsyncIterator[WorldStore]:
    """A store of each kind with the samples' realm."""
    opened = await seeded(open_world_store(ledger_url))
    yield opened
    await opened.close()


async def _submit(store: WorldStore, event_id: str, user_id: str, correlation_id: str | None, **keys: object) -> None:
    row = row_sample(event_id, user_id=user_id, **keys)._replace(correlation_id=correlation_id)  # type: ignore[arg-type]
    await store.submit([row], {})


async def test_the_newest_counted_act_of_each_account_is_named(store: WorldStore) -> None:
    await _submit(store, "e-1", "ana", "act-1")
    await _submit(store, "e-2", "binh", "act-2")
    await _submit(store, "e-3", "ana", "act-3")
    # An act without an id says nothing, and does not hide the one before it.
    await _submit(store, "e-4", "binh", None)
    await _submit(store, "e-5", "chi", None)
    totals = await store.totals(REALM)
    assert await store.traces(REALM, 0, totals.watermark) == {"ana": "act-3", "binh": "act-2"}


async def test_what_comes_while_a_tick_computes_is_the_next_ones(store: WorldStore) -> None:
    await _submit(store, "e-1", "ana", "act-1")
    totals = await store.totals(REALM)
    await _submit(store, "e-2", "ana", "act-2")
    assert await store.traces(REALM, 0, totals.watermark) == {"ana": "act-1"}
    lease = await store.take_lease(REALM, "worker-1", now=NOW, ttl_ms=60_000)
    await store.advance(step_sample("snap-0", 1, consumed=totals.watermark), lease, NOW)
    later = await store.totals(REALM)
    assert await store.traces(REALM, totals.watermark, later.watermark) == {"ana": "act-2"}


async def test_an_act_that_is_accepted_later_is_named_when_it_counts(store: WorldStore) -> None:
    await _submit(store, "e-1", "ana", "act-1", state="in_review")
    before = await store.totals(REALM)
    assert await store.traces(REALM, 0, before.watermark) == {}
    await store.move(REALM, [Transition(1, "accepted", "by a game master")], NOW)
    after = await store.totals(REALM)
    assert await store.traces(REALM, 0, after.watermark) == {"ana": "act-1"}
