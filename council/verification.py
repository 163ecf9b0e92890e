"""Verification: every link of the chain, and every verdict recomputed (S0-88, S0-110; reliability.md I3, I7)."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import orjson

from council.ledger.chain import ChainCheck
from council.ledger.port import Ledger, StoredRecord
from council.replay import replay
from council.shelf import PolicyMissingError, PolicyShelf


class Checked(NamedTuple):
    """One record that was checked; `reason` says what is wrong with it, "" where nothing is."""

    realm_id: str
    position: int
    decision_id: str
    reason: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the record holds."""
        return not self.reason


async def verify(ledger: Ledger, realm_id: str | None = None) -> AsyncIterator[Checked]:
    """Check the chain and the verdicts of one realm or all, streaming; a realm stops at its first broken link.

    Yields:
        One `Checked` per record, and one more where a realm's chain ends wrongly.
    """
    shelf = PolicyShelf(ledger)
    for realm in [realm_id] if realm_id is not None else await ledger.realms():
        async for checked in _verify_realm(ledger, realm, shelf):
            yield checked


async def _verify_realm(ledger: Ledger, realm: str, shelf: PolicyShelf) -> AsyncIterator[Checked]:
    chain = ChainCheck(realm, await ledger.head(realm))
    async for record in ledger.scan(realm):
        broken = chain.step(record)
        if broken is not None:
            yield Checked(*broken)
            return
        yield await _verify_verdict(record, shelf)
    broken = chain.finish(await ledger.head(realm))
    if broken is not None:
        yield Checked(*broken)


async def _verify_verdict(record: StoredRecord, shelf: PolicyShelf) -> Checked:
    place = Checked(record.realm_id, record.position, record.decision_id)
    content_hash = orjson.loads(record.body)["policy"]["hash"]
    try:
        policy = await shelf.policy(content_hash)
    except PolicyMissingError as missing:
        return place._replace(reason=str(missing))
    found = replay(record.body, policy)
    if not found:
        return place
    first = found[0]
    return place._replace(reason=f"{first.path} does not follow from its inputs ({len(found)} differences)")
