"""PostgreSQL's writer: one connection that commits a batch of records, their events and the heads in one transaction.

Processes that share a realm's chain take turns by the row lock on its head. Lock order is the order of realm ids.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import asyncpg

from council.ledger.chain import GENESIS, Unlinked, link
from council.ledger.group_commit import Answer, Outcome
from council.ledger.port import Head, KeyTakenError, RecordRefusedError, StoredRecord
from council.ledger.postgres_connect import BAD_RECORD, CONFLICT, OPTIONS, UNAVAILABLE, unavailable
from council.ledger.reading import BY_ID, stored_record

T = TypeVar("T")

MAX_TRIES: Final = 3
"""Tries of a transaction that PostgreSQL broke off for another one's sake (reliability.md, S3)."""
_IMPATIENT: Final = "SET LOCAL lock_timeout = '500ms'"
_OUTBOX = ("realm_id", "decision_id", "topic", "payload")
_LOCK_HEADS = "SELECT realm_id, position, hash FROM heads WHERE realm_id = ANY($1) ORDER BY realm_id FOR UPDATE"
_NEW_HEAD = "INSERT INTO heads (realm_id, position, hash) VALUES ($1, 0, $2) ON CONFLICT (realm_id) DO NOTHING"
_MOVE_HEAD = "UPDATE heads SET position = $2, hash = $3 WHERE realm_id = $1"


class PostgresWriter:
    """Writes to one database; one batch at a time.

    Args:
        url: postgresql://…
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None
        self._is_patient = True
        self._task: asyncio.Task[None] | None = None

    def start(self, batch: Sequence[Unlinked], answer: Answer) -> None:
        """Start to commit a batch; `answer` gets what became of each record, in order."""
        self._task = asyncio.get_running_loop().create_task(self._commit_and_answer(batch, answer))

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*UNAVAILABLE):
                await connection.close(timeout=2)

    async def _commit_and_answer(self, batch: Sequence[Unlinked], answer: Answer) -> None:
        try:
            outcomes = await self._commit(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, callers must not wait for ever
            outcomes = self._failed(batch, error)
        answer(outcomes)

    def _failed(self, batch: Sequence[Unlinked], error: Exception) -> Sequence[Outcome]:
        self._is_patient = False
        if not isinstance(error, asyncpg.PostgresError) and self._connection is not None:
            self._connection.terminate()  # its state is unknown; the next batch opens another
            self._connection = None
        return [unavailable(error) for _ in batch]

    async def _commit(self, batch: Sequence[Unlinked]) -> Sequence[Outcome]:
        await self._open()
        try:
            outcomes: Sequence[Outcome] = await self._attempt(lambda: self._write(batch))
        except BAD_RECORD:
            # A taken key or a text that PostgreSQL cannot hold: find it, and let it spoil nobody else's record.
            outcomes = await self._attempt(lambda: self._write_apart(batch))
        self._is_patient = True
        return outcomes

    async def _attempt(self, write: Callable[[], Awaitable[T]]) -> T:
        for left in reversed(range(MAX_TRIES)):
            try:
                return await self._transaction(write)
            except CONFLICT:
                if left == 0:
                    raise
        raise AssertionError("unreachable")

    async def _transaction(self, write: Callable[[], Awaitable[T]]) -> T:
        async with self._connection.transaction():
            if not self._is_patient:
                await self._connection.execute(_IMPATIENT)
            return await write()

    async def _open(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url, **OPTIONS)

    async def _write(self, batch: Sequence[Unlinked]) -> list[StoredRecord]:
        connection = self._connection
        heads = await self._lock_heads(sorted({unlinked.new.realm_id for unlinked in batch}))
        linked = link(batch, heads)
        await connection.copy_records_to_table("records", columns=StoredRecord._fields, records=linked.records)
        events = [(new.realm_id, new.decision_id, new.topic, new.event) for new, _ in batch]
        await connection.copy_records_to_table("outbox", columns=_OUTBOX, records=events)
        await connection.executemany(_MOVE_HEAD, list(linked.heads.values()))
        return linked.records

    async def _lock_heads(self, realm_ids: list[str]) -> dict[str, Head]:
        rows = await self._connection.fetch(_LOCK_HEADS, realm_ids)
        if len(rows) < len(realm_ids):
            await self._connection.executemany(_NEW_HEAD, [(realm_id, GENESIS) for realm_id in realm_ids])
            rows = await self._connection.fetch(_LOCK_HEADS, realm_ids)
        return {row[0]: Head(*row) for row in rows}

    async def _write_apart(self, batch: Sequence[Unlinked]) -> list[Outcome]:
        return [await self._write_one(unlinked) for unlinked in batch]

    async def _write_one(self, unlinked: Unlinked) -> Outcome:
        try:
            async with self._connection.transaction():  # a savepoint
                return (await self._write([unlinked]))[0]
        except BAD_RECORD as error:
            row = await self._connection.fetchrow(BY_ID + "$1", unlinked.new.decision_id)
            if row is not None:
                return KeyTakenError(stored_record(row))
            return RecordRefusedError(f"the database refuses this record: {type(error).__name__}: {error}")
