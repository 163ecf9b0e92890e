"""What a worker does between ticks, beyond what the scheduler's own tests see (S11)."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from gateway.world_working import duties_of
from tests.unit.world.living_realm import REALM, LivingRealm
from world.persistence.contributions import Contributions
from world.persistence.memory import MemoryStore

if TYPE_CHECKING:
    from gateway.world_bootstrap import LivingWorld


class _EndedError(Exception):
    """A process that ends."""


class _EndingStore(MemoryStore):
    """A store whose process ends before it tells anybody."""

    is_ending = True

    async def tell(self, realm_id: str, tick_number: int, told: Contributions, now: int) -> bool:
        if self.is_ending:
            raise _EndedError
        return await super().tell(realm_id, tick_number, told, now)


async def test_a_worker_tells_what_one_that_ended_behind_its_tick_left_untold() -> None:
    store = _EndingStore()
    living = LivingRealm(store)
    await living.seed()
    await living.ingestion.submit([living.act("ana", target_id="far-wilds"), living.act("binh", target_id="far-wilds")])
    with pytest.raises(_EndedError):
        await living.ticks(1)
    store.is_ending = False
    world: Any = SimpleNamespace(store=store, verdicts=living.verdicts, ticker=living.worker("another"))
    tell = next(duty for duty in duties_of(cast("LivingWorld", world)) if duty.name == "tell")
    assert await store.told(REALM) == 0
    assert [await tell.run(), await tell.run()] == [2, 0]
    told = [event.user_id for event in await store.all_events(REALM) if event.kind == "contributed"]
    assert told == ["ana", "binh"]
