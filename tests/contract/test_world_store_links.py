"""Who shares a device or a session is known in every tick anew, however seldom the link is written (S0-52, S9)."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from tests.contract.world_samples import NOW, REALM, act_sample, row_sample, seeded, step_sample
from world.influence.judging import State
from world.persistence.acts import Asked, Judgement, Known, LedgerRow, Transition
from world.persistence.opening import open_world_store
from world.persistence.port import WorldStore


@pytest.fixture
async def store(ledger_url: str) -> AsyncIterator[WorldStore]:
    """A store of each kind with the samples' realm."""
    opened = await seeded(open_world_store(ledger_url))
    yield opened
    await opened.close()


async def _take(
    store: WorldStore, acts: Sequence[tuple[str, str]], *, state: State = "accepted", **keys: Any
) -> Sequence[LedgerRow]:
    """Take acts of several accounts in as ingestion does, on one device or in one session."""
    rows = [row_sample(event_id, user_id, state=state, **keys) for event_id, user_id in acts]

    def judge(_: Sequence[Known]) -> Judgement:
        return Judgement(rows, {})

    asked = [Asked(act_sample(event_id, user_id, **keys), "quest") for event_id, user_id in acts]
    return await store.take_in(REALM, asked, judge, since=0, tick=0)


@pytest.mark.parametrize("key", ["device_id", "session_id"])
async def test_a_link_counts_in_every_tick_whose_acts_show_it(store: WorldStore, key: str) -> None:
    for tick in range(1, 4):
        for number in range(2):  # the second act of an account finds the link of its first
            keys: dict[str, Any] = {key: "one"}
            await _take(store, [(f"{tick}-{number}-{user}", user) for user in ("ana", "binh")], **keys)
        taken = await store.totals(REALM)
        assert taken.clusters == {"binh": "ana"}
        assert taken == await store.recount(REALM)
        await store.advance(step_sample(f"snap-{tick - 1}", tick, consumed=taken.watermark), None, NOW)
    assert (await store.totals(REALM)).clusters == {}


async def test_an_act_behind_a_closed_bucket_shows_its_link_again(store: WorldStore) -> None:
    await _take(store, [("e-1", "ana"), ("e-2", "binh")], device_id="one")
    taken = await store.totals(REALM)  # closed, and not yet consumed
    await _take(store, [("e-3", "ana"), ("e-4", "binh")], device_id="one")
    await store.advance(step_sample("snap-0", 1, consumed=taken.watermark), None, NOW)
    assert (await store.totals(REALM)).clusters == {"binh": "ana"}


async def test_an_act_that_does_not_count_yet_has_left_no_link(store: WorldStore) -> None:
    await _take(store, [("e-1", "ana"), ("e-2", "binh")], state="in_review", device_id="one")
    await _take(store, [("e-3", "ana")], device_id="one")
    assert (await store.totals(REALM)).clusters == {}
    await store.move(REALM, [Transition(2, "accepted", "let go")], NOW)
    await _take(store, [("e-4", "ana"), ("e-5", "binh")], device_id="one")
    assert (await store.totals(REALM)).clusters == {"binh": "ana"}
    assert await store.totals(REALM) == await store.recount(REALM)
