"""A ledger that commands can be pointed at: the shipped memory ledger with hand-made records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import cli.ledger
from council.ledger.memory import MemoryLedger
from council.ledger.port import Ledger, NewRecord
from policies.canonical import canonical_json


def filled_ledger(*records: dict[str, Any]) -> MemoryLedger:
    """Return a memory ledger that holds the given records, in order."""
    ledger = MemoryLedger()

    async def fill() -> None:
        for record in records:
            await ledger.put_policy(record["policy"]["hash"], b"{}")
            await ledger.append(new_record(record))

    asyncio.run(fill())
    return ledger


def new_record(record: dict[str, Any]) -> NewRecord:
    """Return a record's body as the service hands it to the ledger."""
    return NewRecord(
        realm_id=record["realm_id"],
        request_key=record["request_key"],
        fingerprint=record["fingerprint"],
        decision_id=record["decision_id"],
        recorded_at=record["recorded_at"],
        body=canonical_json(record),
        answer=canonical_json(record["answer"]),
        decision_type=record["decision_type"],
        verdict=record["answer"]["final_verdict"],
        path=record["path"],
        held=record["held"],
        policy_hash=record["policy"]["hash"],
        correlation_id=record.get("correlation_id"),
        topic="council.decided",
        event=b"{}",
    )


def use(monkeypatch: pytest.MonkeyPatch, ledger: Ledger) -> None:
    """Let every command open this ledger, whatever its database URL."""

    @asynccontextmanager
    async def opened(database: str | None, *, create: bool = False) -> AsyncIterator[Ledger]:
        yield ledger

    monkeypatch.setattr(cli.ledger, "open_ledger", opened)
