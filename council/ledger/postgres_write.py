"""PostgreSQL's writer: one connection that commits a batch of records, what belongs to them and the heads in one transaction.

Processes that share a realm's chain take turns by the row lock on its head. Lock order is the order of realm ids, then
that of the decisions under way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import asyncpg

from council.ledger.account_queries import SPEND_COLUMNS, spend_rows
from council.ledger.batches import Outcome, Parts, Write, outcomes_of, parts_of, refused
from council.ledger.chain import GENESIS, Unlinked, link
from council.ledger.group_commit import Answer
from council.ledger.port import Head, KeyTakenError, NewRecord, StoredRecord
from council.ledger.postgres_connect import BAD_RECORD, CONFLICT, OPTIONS, UNAVAILABLE, unavailable
from council.ledger.postgres_journal import close_reviews, keep_replies, lock_reviews, open_reviews
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

    def start(self, batch: Sequence[Write], answer: Answer) -> None:
        """Start to commit a batch; `answer` gets what became of each write, in order."""
        self._task = asyncio.get_running_loop().create_task(self._commit_and_answer(batch, answer))

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*UNAVAILABLE):
                await connection.close(timeout=2)

    async def _commit_and_answer(self, batch: Sequence[Write], answer: Answer) -> None:
        try:
            outcomes = await self._commit(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, callers must not wait for ever
            outcomes = self._failed(batch, error)
        answer(outcomes)

    def _failed(self, batch: Sequence[Write], error: Exception) -> Sequence[Outcome]:
        self._is_patient = False
        if not isinstance(error, asyncpg.PostgresError) and self._connection is not None:
            self._connection.terminate()  # its state is unknown; the next batch opens another
            self._connection = None
        return [unavailable(error) for _ in batch]

    async def _commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        await self._open()
        try:
            outcomes: Sequence[Outcome] = await self._attempt(lambda: self._write(batch))
        except BAD_RECORD:
            # A taken key or a text that PostgreSQL cannot hold: find it, and let it spoil nobody else's write.
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

    async def _write(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        parts = parts_of(batch)
        heads = await self._lock_heads(parts.records)
        if len(parts.records) == len(batch):
            return await self._write_records(parts.records, heads)
        await lock_reviews(self._connection, parts.decisions)
        kept = await open_reviews(self._connection, parts.reviews)
        await keep_replies(self._connection, parts.replies)
        stored = await self._write_records(parts.records, heads) if parts.records else []
        return outcomes_of(batch, stored, kept)

    async def _write_records(self, batch: Sequence[Unlinked], heads: dict[str, Head]) -> list[StoredRecord]:
        connection = self._connection
        linked = link(batch, heads)
        await connection.copy_records_to_table("records", columns=StoredRecord._fields, records=linked.records)
        events = [(new.realm_id, new.decision_id, new.topic, new.event) for new, _ in batch]
        await connection.copy_records_to_table("outbox", columns=_OUTBOX, records=events)
        await connection.executemany(_MOVE_HEAD, list(linked.heads.values()))
        if asked := [new for new, _ in batch if new.was_opened or new.spend]:
            await self._write_asked(asked)
        return linked.records

    async def _write_asked(self, news: Sequence[NewRecord]) -> None:
        """Write what decisions that asked models leave besides their records, and close their reviews."""
        if rows := spend_rows(news):
            await self._connection.copy_records_to_table("spend", columns=SPEND_COLUMNS, records=rows)
        await close_reviews(self._connection, [new.decision_id for new in news if new.was_opened])

    async def _lock_heads(self, batch: Sequence[Unlinked]) -> dict[str, Head]:
        realm_ids = sorted({unlinked.new.realm_id for unlinked in batch})
        if not realm_ids:
            return {}
        rows = await self._connection.fetch(_LOCK_HEADS, realm_ids)
        if len(rows) < len(realm_ids):
            await self._connection.executemany(_NEW_HEAD, [(realm_id, GENESIS) for realm_id in realm_ids])
            rows = await self._connection.fetch(_LOCK_HEADS, realm_ids)
        return {row[0]: Head(*row) for row in rows}

    async def _write_apart(self, batch: Sequence[Write]) -> list[Outcome]:
        parts = parts_of(batch)
        if parts.decisions:
            with suppress(*BAD_RECORD):  # a text that no row can hold: there is nothing to lock
                async with self._connection.transaction():
                    await self._lock(parts)
        return [await self._write_one(write) for write in batch]

    async def _lock(self, parts: Parts) -> None:
        """Take the locks of a whole batch in their order, before its writes take them in theirs."""
        await self._connection.execute(_LOCK_HEADS, sorted({unlinked.new.realm_id for unlinked in parts.records}))
        await lock_reviews(self._connection, parts.decisions)

    async def _write_one(self, write: Write) -> Outcome:
        try:
            async with self._connection.transaction():  # a savepoint
                return (await self._write([write]))[0]
        except BAD_RECORD as error:
            if isinstance(write, Unlinked):
                row = await self._connection.fetchrow(BY_ID + "$1", write.new.decision_id)
                if row is not None:
                    await close_reviews(self._connection, [write.new.decision_id] if write.new.was_opened else [])
                    return KeyTakenError(stored_record(row))
            return refused(write, error)
