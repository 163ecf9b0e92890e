"""What must hold of a world at any moment, also while every process of it is dead (I1 to I8 as they apply to the world)."""

from collections.abc import Iterable
from typing import Any

import orjson

from council.verification import verify
from gateway.decision_book import LedgerBook
from tests.faults.living_world import REALM, WORLD, Databases
from world.persistence.contributions import contributions_of, tellings
from world.persistence.port import WorldStore
from world.realm.state import Realm, realm_from
from world.realm.tick import gains_of
from world.service.audit import audit
from world.service.replay import replay
from world.service.tellings import tick_input

CANON = {
    "general-vorn status": "shadow",
    "grand-gate-city terrain": "inland",
}
"""Facts of the seed that locks keep."""


async def checked(databases: Databases, *, acts: Iterable[str] = (), ticks: int = 0) -> int:
    """Check everything that is on record, and return the number of the latest tick.

    Args:
        acts: event ids that were answered: each stands in the ledger, once (I1, I2, I5).
        ticks: highest tick that was answered: it is there (I8).
    """
    store, ledger = databases
    found = await audit(store, REALM, LedgerBook(ledger))
    assert found.findings == ()
    again = await replay(store, REALM, [WORLD.rules])
    assert again.difference is None
    latest = await store.latest(REALM)
    assert again.last == latest.hash
    assert latest.tick_number >= ticks
    for event_id in acts:
        assert await store.row(REALM, event_id) is not None, f"{event_id} was answered and is lost"
    async for snapshot in store.snapshots(REALM):
        facts = {f"{subject} {predicate}": value for subject, predicate, value in orjson.loads(snapshot.state)["facts"]}
        assert {name: facts[name] for name in CANON} == CANON
    assert [each async for each in verify(ledger, REALM) if not each.is_good] == []
    await _check_tellings(store, latest.tick_number)
    return latest.tick_number


async def _check_tellings(store: WorldStore, latest: int) -> None:
    """Every tick has told everybody who took part once, in the ticks' order; the latest has, or has told nobody yet."""
    told: list[tuple[int, str, Any]] = []
    after = 0
    while page := await store.all_events(REALM, after):
        told += [
            (event.tick_number, str(event.user_id), orjson.loads(event.payload))
            for event in page
            if event.kind == "contributed"
        ]
        after = page[-1].sequence
    expected = await _contributed(store)
    assert told in (expected, [each for each in expected if each[0] < latest])


async def _contributed(store: WorldStore) -> list[tuple[int, str, Any]]:
    """Return what every tick had to tell, from the ledger: tick, account and payload, in the order in which it is told."""
    found: list[tuple[int, str, Any]] = []
    before: Realm | None = None
    async for snapshot in store.snapshots(REALM):
        realm = realm_from(orjson.loads(snapshot.state))
        if before is not None and realm.tick_number > before.tick_number:
            counted = await store.recount(REALM, after=before.watermark, upto=realm.watermark)
            told = contributions_of(gains_of(before, tick_input(counted, before)), {}, "")
            found += [(realm.tick_number, each.user_id, orjson.loads(each.payload)) for each in tellings(told)]
        before = realm
    return found
