"""The ledger in PostgreSQL: several processes, one chain per realm."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import asyncpg

from council.ledger.account_queries import (
    amounts,
    by_day_query,
    decided_counts,
    decided_query,
    spend_lines,
    spending_query,
    spent_query,
)
from council.ledger.group_commit import GroupCommit
from council.ledger.port import (
    Decided,
    Filters,
    Head,
    LedgerUnavailableError,
    NewRecord,
    OpenReview,
    OutboxEvent,
    Page,
    Remark,
    SpendLine,
    StoredRecord,
    UnknownPolicyError,
    decision_id_of,
)
from council.ledger.postgres_connect import (
    BAD_RECORD,
    CONNECT_TIMEOUT_S,
    OPTIONS,
    UNAVAILABLE,
    check_revision,
    unavailable,
)
from council.ledger.postgres_journal import CLAIM, FIND_OPEN, JOURNALLED
from council.ledger.postgres_remarks import REMARKS_OF, SCAN_REMARKS, add_remarks
from council.ledger.postgres_write import PostgresWriter
from council.ledger.reading import BY_ID, COLUMNS, REALMS, SCAN_CHUNK, Query, listing, page, stored_record
from council.ledger.remark_rows import check_remarks, is_storable
from council.ledger.under_way import JournalledReply, by_age
from council.moments import iso

T = TypeVar("T")

READERS: Final = 4
"""Connections for reading, beside the writer's."""
_SCAN = f"SELECT {COLUMNS} FROM records WHERE realm_id = $1 AND position > $2 ORDER BY position LIMIT {SCAN_CHUNK}"
_PENDING = (
    "SELECT event_id, realm_id, decision_id, topic, payload FROM outbox"
    " WHERE published_at IS NULL ORDER BY event_id LIMIT $1"
)
_OF_LATE = (
    "SELECT event_id, realm_id, decision_id, topic, payload FROM outbox"
    " WHERE published_at >= $1 AND event_id > $2 ORDER BY event_id LIMIT $3"
)
_PUBLISHED = "UPDATE outbox SET published_at = $1 WHERE event_id = ANY($2) AND published_at IS NULL"
_PUT_POLICY = "INSERT INTO policies (hash, document) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING"


class PostgresLedger:
    """A ledger in one database, for one event loop. It connects at the first use; `migrate` makes the schema.

    Args:
        url: postgresql://…
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._writer = PostgresWriter(url)
        self._queue = GroupCommit(self._writer.start)
        self._pool: Any = None
        self._pool_lock = asyncio.Lock()
        self._known_policies: set[str] = set()
        self._is_closed = False

    async def append(self, new: NewRecord) -> StoredRecord:
        if new.policy_hash not in self._known_policies:
            await self._check_policy(new.policy_hash)
        return await self._queue.append(new)

    async def find_by_key(self, request_key: str) -> StoredRecord | None:
        stored = await self.get(decision_id_of(request_key))
        return stored if stored and stored.request_key == request_key else None

    async def get(self, decision_id: str) -> StoredRecord | None:
        rows = await self._find(BY_ID + "$1", decision_id)
        return stored_record(rows[0]) if rows else None

    async def list(self, filters: Filters = Filters(), *, cursor: str | None = None, limit: int = 50) -> Page:  # noqa: B008
        return page(await self._rows(listing(filters, cursor, limit, _mark)), limit)

    async def scan(self, realm_id: str | None = None, after: int = 0) -> AsyncIterator[StoredRecord]:
        for realm in await self.realms() if realm_id is None else (realm_id,):
            position = after
            while rows := await self._fetch(_SCAN, realm, position):
                for row in rows:
                    yield stored_record(row)
                position = rows[-1][1]

    async def head(self, realm_id: str) -> Head | None:
        rows = await self._fetch("SELECT realm_id, position, hash FROM heads WHERE realm_id = $1", realm_id)
        return Head(*rows[0]) if rows else None

    async def realms(self) -> tuple[str, ...]:
        return tuple(sorted(row[0] for row in await self._fetch(REALMS)))

    async def put_policy(self, policy_hash: str, document: bytes) -> None:
        await self._on_pool(lambda connection: connection.execute(_PUT_POLICY, policy_hash, document))
        self._known_policies.add(policy_hash)

    async def policy(self, policy_hash: str) -> bytes | None:
        rows = await self._fetch("SELECT document FROM policies WHERE hash = $1", policy_hash)
        return rows[0][0] if rows else None

    async def pending_events(self, limit: int = 100) -> tuple[OutboxEvent, ...]:
        return tuple([OutboxEvent(*row) for row in await self._fetch(_PENDING, limit)])

    async def mark_published(self, event_ids: Sequence[int], at: str | None = None) -> None:
        await self._on_pool(lambda connection: connection.execute(_PUBLISHED, at or iso(datetime.now(UTC)), event_ids))

    async def published_events(self, since: str, *, after: int = 0, limit: int = 100) -> tuple[OutboxEvent, ...]:
        return tuple([OutboxEvent(*row) for row in await self._fetch(_OF_LATE, since, after, limit)])

    async def open_review(self, review: OpenReview) -> OpenReview:
        if review.policy_hash not in self._known_policies:
            await self._check_policy(review.policy_hash)
        return await self._queue.open_review(review)

    async def journal_reply(self, decision_id: str, slot: str, reply: bytes) -> None:
        await self._queue.journal(JournalledReply(decision_id, slot, reply))

    async def journalled(self, decision_id: str) -> dict[str, bytes]:
        return {row[0]: row[1] for row in await self._find(JOURNALLED, decision_id)}

    async def find_open(self, decision_id: str) -> OpenReview | None:
        rows = await self._find(FIND_OPEN, decision_id)
        return OpenReview(*rows[0]) if rows else None

    async def claim_orphans(self, now: str, leased_until: str, limit: int = 20) -> tuple[OpenReview, ...]:
        rows = await self._fetch(CLAIM, now, leased_until, limit)
        return tuple(sorted([OpenReview(*row) for row in rows], key=by_age))

    async def spending(self, since: str, until: str, realm_id: str | None = None) -> tuple[SpendLine, ...]:
        return spend_lines(await self._rows(spending_query(since, until, realm_id, _mark)))

    async def spent(self, since: str, until: str) -> dict[str, int]:
        return amounts(await self._rows(spent_query(since, until, _mark)))

    async def spent_by_day(self, since: str, until: str, realm_id: str | None = None) -> dict[str, int]:
        return amounts(await self._rows(by_day_query(since, until, realm_id, _mark)))

    async def decided(self, since: str, until: str, realm_id: str | None = None) -> tuple[Decided, ...]:
        return decided_counts(await self._rows(decided_query(since, until, realm_id, _mark)))

    async def add_remarks(self, remarks: Sequence[Remark]) -> None:
        check_remarks(remarks)
        await self._on_pool(lambda connection: add_remarks(connection, remarks))

    async def remarks_of(self, decision_ids: Sequence[str]) -> tuple[Remark, ...]:
        return tuple([Remark(*row) for row in await self._fetch(REMARKS_OF, list(filter(is_storable, decision_ids)))])

    async def scan_remarks(self, realm_id: str | None = None) -> AsyncIterator[Remark]:
        number = 0
        while rows := await self._fetch(SCAN_REMARKS, number, realm_id):
            for row in rows:
                yield Remark(*row[:-1])
            number = rows[-1][-1]

    async def ready(self) -> None:
        await self._on_pool(check_revision)

    async def close(self) -> None:
        if self._is_closed:
            return
        await self._queue.close()
        self._is_closed = True
        await self._writer.close()
        if self._pool is not None:
            with suppress(*UNAVAILABLE):
                await asyncio.wait_for(self._pool.close(), CONNECT_TIMEOUT_S)
            self._pool.terminate()

    async def _check_policy(self, policy_hash: str) -> None:
        if await self.policy(policy_hash) is None:
            raise UnknownPolicyError(policy_hash)
        self._known_policies.add(policy_hash)

    async def _find(self, sql: str, value: str) -> Sequence[Any]:
        """Return the rows of an indexed lookup."""
        try:
            return await self._fetch(sql, value)
        except BAD_RECORD:
            return []  # a text that no row can hold

    async def _rows(self, query: Query) -> Sequence[Any]:
        return await self._fetch(query.sql, *query.values)

    async def _fetch(self, sql: str, *values: Any) -> Sequence[Any]:
        rows: Sequence[Any] = await self._on_pool(lambda connection: connection.fetch(sql, *values))
        return rows

    async def _on_pool(self, work: Callable[[Any], Awaitable[T]]) -> T:
        if self._is_closed:
            raise LedgerUnavailableError("it is closed")
        try:
            pool = await self._opened_pool()
            async with pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
                return await work(connection)
        except BAD_RECORD:
            raise
        except UNAVAILABLE as error:
            raise unavailable(error) from error

    async def _opened_pool(self) -> Any:
        async with self._pool_lock:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(self._url, min_size=1, max_size=READERS, reset=_keep, **OPTIONS)
            return self._pool


def _mark(number: int) -> str:
    return f"${number}"


async def _keep(_: Any) -> None:
    """Leave a returned connection as it is: nothing here changes its session, and the usual reset costs a round trip."""
