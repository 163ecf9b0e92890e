"""The ledger in a SQLite file: the embedded default, no server needed.

Writes go through one thread and group commit. A decision is looked up on the event loop itself: an index lookup costs less than
the way to a thread and back. What may take longer (listing, scanning) runs in a second thread with a connection of its own;
readers never wait for the writer (WAL).
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

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
from council.ledger.reading import BY_ID, COLUMNS, REALMS, SCAN_CHUNK, Query, listing, page, stored_record
from council.ledger.remark_rows import check_remarks
from council.ledger.sqlite_files import check_revision, connect_reader, prepare, unavailable
from council.ledger.sqlite_journal import REVIEW_COLUMNS
from council.ledger.sqlite_remarks import REMARKS_OF, SCAN_REMARKS, listed
from council.ledger.sqlite_write import SqliteWriter
from council.ledger.under_way import JournalledReply
from council.ledger.worker import Worker
from council.moments import iso

T = TypeVar("T")

_SCAN = f"SELECT {COLUMNS} FROM records WHERE realm_id = ? AND position > ? ORDER BY position LIMIT {SCAN_CHUNK}"
_PENDING = (
    "SELECT event_id, realm_id, decision_id, topic, payload FROM outbox"
    " WHERE published_at IS NULL ORDER BY event_id LIMIT ?"
)
_OF_LATE = (
    "SELECT event_id, realm_id, decision_id, topic, payload FROM outbox"
    " WHERE published_at >= ? AND event_id > ? ORDER BY event_id LIMIT ?"
)
_FIND_OPEN = f"SELECT {REVIEW_COLUMNS} FROM open_reviews WHERE decision_id = ?"
_JOURNALLED = "SELECT slot, reply FROM open_replies WHERE decision_id = ? ORDER BY slot"
_PUBLISHED = "UPDATE outbox SET published_at = ? WHERE event_id = ? AND published_at IS NULL"
_PUT_POLICY = (
    "INSERT INTO policies (hash, document) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM policies WHERE hash = ?1)"
)


class SqliteLedger:
    """A ledger in one file.

    Args:
        path: the database file; migrated to this code's schema where it is older or new.
        create: make the file where it is missing.

    Raises:
        LedgerConfigError: for a path that cannot be a ledger.
        LedgerUnavailableError: where the file cannot be opened now.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        prepare(path, create=create)
        try:
            self._writer = SqliteWriter(path)
            self._reader = connect_reader(path)
            # On the event loop nothing may wait for a lock: such a lookup moves to the reader's thread.
            self._finder = connect_reader(path, busy_timeout_ms=0)
        except sqlite3.Error as error:
            raise unavailable(error) from error
        self._write_thread = Worker("ledger-writer")
        self._read_thread = Worker("ledger-reader")
        self._queue = GroupCommit(
            lambda batch, answer: self._write_thread.post(lambda: self._writer.commit(batch), answer)
        )
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
        row = await self._find(BY_ID + "?", decision_id)
        return stored_record(row) if row else None

    async def list(self, filters: Filters = Filters(), *, cursor: str | None = None, limit: int = 50) -> Page:  # noqa: B008
        return page(await self._rows(listing(filters, cursor, limit, _mark)), limit)

    async def scan(self, realm_id: str | None = None, after: int = 0) -> AsyncIterator[StoredRecord]:
        for realm in await self.realms() if realm_id is None else (realm_id,):
            position = after
            while rows := await self._read(_SCAN, realm, position):
                for row in rows:
                    yield stored_record(row)
                position = rows[-1][1]

    async def head(self, realm_id: str) -> Head | None:
        row = await self._find("SELECT realm_id, position, hash FROM heads WHERE realm_id = ?", realm_id)
        return Head(*row) if row else None

    async def realms(self) -> tuple[str, ...]:
        # Sorted here, so that every database gives the same order.
        return tuple(sorted(row[0] for row in await self._read(REALMS)))

    async def put_policy(self, policy_hash: str, document: bytes) -> None:
        self._check_open()
        await self._write_thread.run(lambda: self._writer.change(_PUT_POLICY, [(policy_hash, document)]))
        self._known_policies.add(policy_hash)

    async def policy(self, policy_hash: str) -> bytes | None:
        row = await self._find("SELECT document FROM policies WHERE hash = ?", policy_hash)
        return row[0] if row else None

    async def pending_events(self, limit: int = 100) -> tuple[OutboxEvent, ...]:
        return tuple([OutboxEvent(*row) for row in await self._read(_PENDING, limit)])

    async def mark_published(self, event_ids: Sequence[int], at: str | None = None) -> None:
        self._check_open()
        moment = at or iso(datetime.now(UTC))
        rows = [(moment, event_id) for event_id in event_ids]
        await self._write_thread.run(lambda: self._writer.change(_PUBLISHED, rows))

    async def published_events(self, since: str, *, after: int = 0, limit: int = 100) -> tuple[OutboxEvent, ...]:
        return tuple([OutboxEvent(*row) for row in await self._read(_OF_LATE, since, after, limit)])

    async def open_review(self, review: OpenReview) -> OpenReview:
        if review.policy_hash not in self._known_policies:
            await self._check_policy(review.policy_hash)
        return await self._queue.open_review(review)

    async def journal_reply(self, decision_id: str, slot: str, reply: bytes) -> None:
        await self._queue.journal(JournalledReply(decision_id, slot, reply))

    async def journalled(self, decision_id: str) -> dict[str, bytes]:
        try:
            return dict(await self._read(_JOURNALLED, decision_id))
        except UnicodeEncodeError:
            return {}  # half a character: no row holds such a text

    async def find_open(self, decision_id: str) -> OpenReview | None:
        row = await self._find(_FIND_OPEN, decision_id)
        return OpenReview(*row) if row else None

    async def claim_orphans(self, now: str, leased_until: str, limit: int = 20) -> tuple[OpenReview, ...]:
        self._check_open()
        claim = self._writer.claim_orphans
        return tuple(await self._write_thread.run(lambda: claim(now, leased_until, limit)))

    async def spending(self, since: str, until: str, realm_id: str | None = None) -> tuple[SpendLine, ...]:
        return spend_lines(await self._rows(spending_query(since, until, realm_id, _mark)))

    async def spent(self, since: str, until: str) -> dict[str, int]:
        return amounts(await self._rows(spent_query(since, until, _mark)))

    async def spent_by_day(self, since: str, until: str, realm_id: str | None = None) -> dict[str, int]:
        return amounts(await self._rows(by_day_query(since, until, realm_id, _mark)))

    async def decided(self, since: str, until: str, realm_id: str | None = None) -> tuple[Decided, ...]:
        return decided_counts(await self._rows(decided_query(since, until, realm_id, _mark)))

    async def add_remarks(self, remarks: Sequence[Remark]) -> None:
        self._check_open()
        check_remarks(remarks)
        await self._write_thread.run(lambda: self._writer.add_remarks(remarks))

    async def remarks_of(self, decision_ids: Sequence[str]) -> tuple[Remark, ...]:
        return tuple([Remark(*row) for row in await self._read(REMARKS_OF, listed(decision_ids))])

    async def scan_remarks(self, realm_id: str | None = None) -> AsyncIterator[Remark]:
        number = 0
        while rows := await self._read(SCAN_REMARKS, number, realm_id):
            for row in rows:
                yield Remark(*row[:-1])
            number = rows[-1][-1]

    async def ready(self) -> None:
        self._check_open()
        await self._read_thread.run(lambda: _guarded(lambda: check_revision(self._reader)))

    async def close(self) -> None:
        if self._is_closed:
            return
        await self._queue.close()
        self._is_closed = True
        await self._write_thread.close(self._writer.close)
        await self._read_thread.close(self._reader.close)
        self._finder.close()

    async def _check_policy(self, policy_hash: str) -> None:
        if await self.policy(policy_hash) is None:
            raise UnknownPolicyError(policy_hash)
        self._known_policies.add(policy_hash)

    async def _find(self, sql: str, value: str) -> tuple[Any, ...] | None:
        """Return the row of an indexed lookup."""
        self._check_open()
        try:
            row: tuple[Any, ...] | None = self._finder.execute(sql, (value,)).fetchone()
            return row
        except UnicodeEncodeError:
            return None  # half a character: no database holds such a text
        except sqlite3.OperationalError:
            rows = await self._read(sql, value)
            return rows[0] if rows else None

    async def _rows(self, query: Query) -> Sequence[tuple[Any, ...]]:
        return await self._read(query.sql, *query.values)

    async def _read(self, sql: str, *values: Any) -> Sequence[tuple[Any, ...]]:
        self._check_open()
        return await self._read_thread.run(lambda: _guarded(lambda: self._reader.execute(sql, values).fetchall()))

    def _check_open(self) -> None:
        if self._is_closed:
            raise LedgerUnavailableError("it is closed")


def _mark(_: int) -> str:
    return "?"


def _guarded(read: Callable[[], T]) -> T:
    try:
        return read()
    except sqlite3.Error as error:
        raise unavailable(error) from error
