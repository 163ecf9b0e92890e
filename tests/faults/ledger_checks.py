"""What must hold of a ledger whatever happened to the processes that wrote it."""

import asyncio
from typing import NamedTuple

from council.ledger.chain import Broken, ChainCheck
from council.ledger.opening import open_ledger
from council.ledger.port import Ledger
from tests.contract.raw_sql import run_sql

_SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'council-ledger' AND datname = current_database()"
)


async def recorded_ids(url: str) -> list[str]:
    """Check every chain and the outbox of a ledger; return the ids on record.

    The outbox is compared with the records as they are now, not after a drain (reliability.md, measured fact 8).
    """
    ledger = open_ledger(url)
    try:
        for realm_id in await ledger.realms():
            assert await first_broken(ledger, realm_id) is None
        ids = [record.decision_id async for record in ledger.scan()]
    finally:
        await ledger.close()
    assert len(ids) == len(set(ids))
    events = [row[0] for row in await run_sql(url, "SELECT decision_id FROM outbox")]
    assert sorted(events) == sorted(ids)
    return ids


class Journalled(NamedTuple):
    """What the journal of a ledger holds beside its records."""

    recorded: set[str]
    under_way: set[str]
    replies: set[tuple[str, str]]
    """Decision and slot."""


async def checked_journal(url: str) -> Journalled:
    """Check a ledger whose decisions that asked models took the path "council"; return what it holds.

    No decision is both on record and under way, no reply stands without its review, and a decision was paid for if and only
    if it is on record: record, spending and close are one transaction.
    """
    recorded = set(await recorded_ids(url))
    under_way = {row[0] for row in await run_sql(url, "SELECT decision_id FROM open_reviews")}
    replies = {(row[0], row[1]) for row in await run_sql(url, "SELECT decision_id, slot FROM open_replies")}
    paid = sorted(row[0] for row in await run_sql(url, "SELECT decision_id FROM spend"))
    asked = [row[0] for row in await run_sql(url, "SELECT decision_id FROM records WHERE path = 'council'")]
    assert not recorded & under_way
    assert {decision_id for decision_id, _ in replies} <= under_way
    assert paid == sorted([*asked, *asked])  # two members each
    return Journalled(recorded, under_way, replies)


async def all_gone(url: str) -> None:
    """Wait until PostgreSQL has noticed that a killed process is gone: a commit that it had sent may still land."""
    if url.startswith("postgresql"):
        async with asyncio.timeout(10):
            while await run_sql(url, _SESSIONS) != [(0,)]:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.02)


async def first_broken(ledger: Ledger, realm_id: str) -> Broken | None:
    """Return the first place where a realm's chain does not hold."""
    check = ChainCheck(realm_id, await ledger.head(realm_id))
    async for record in ledger.scan(realm_id):
        if (broken := check.step(record)) is not None:
            return broken
    return check.finish(await ledger.head(realm_id))
