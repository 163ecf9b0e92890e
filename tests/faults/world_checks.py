"""What must hold of a world at any moment, also while every process of it is dead (I1 to I8 as they apply to the world)."""

from collections.abc import Iterable

import orjson

from council.verification import verify
from gateway.decision_book import LedgerBook
from tests.faults.living_world import REALM, WORLD, Databases
from world.service.audit import audit
from world.service.replay import replay

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
    return latest.tick_number
