"""SQLite's writer: one connection that commits a batch of records, what belongs to them and the heads in one transaction.

A batch goes in as a few multi-row statements. Each statement lets go of Python's interpreter lock once, however many rows it
holds; `executemany` would do so once a row, and wait each time for a busy event loop to hand the lock back.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

from council.ledger.account_queries import SPEND_COLUMNS, spend_rows
from council.ledger.batches import Outcome, Write, outcomes_of, parts_of, refused
from council.ledger.chain import Linked, Unlinked, link
from council.ledger.port import Head, KeyTakenError, OpenReview, StoredRecord
from council.ledger.reading import BY_ID, COLUMNS, stored_record
from council.ledger.remarks import Remark
from council.ledger.sqlite_files import LOCK_TIMEOUT_MS, connect, unavailable
from council.ledger.sqlite_journal import claim_orphans, close_reviews, keep_replies, open_reviews
from council.ledger.sqlite_remarks import add_remarks

T = TypeVar("T")

_MAX_ROWS: Final = 128
_IMPATIENT_MS: Final = 500
"""Lock timeout after a failure, so that those who queued up behind a locked database do not each wait in full."""
_OUTBOX_COLUMNS = "realm_id, decision_id, topic, payload"
_SPEND_COLUMNS = ", ".join(SPEND_COLUMNS)
_BAD_RECORD = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError, ValueError)


class SqliteWriter:
    """Writes to one file; used from one thread at a time.

    Args:
        path: the database, migrated.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = connect(path)
        self._is_patient = True

    def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        """Commit a batch and return what became of each write, in order. Raises nothing."""
        try:
            return self._attempt(lambda: self._write(batch))
        except _BAD_RECORD:
            # A taken key or a text that SQLite cannot hold: find it, and let it spoil nobody else's write.
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, callers must not wait for ever
            return [unavailable(error) for _ in batch]
        try:
            return self._attempt(lambda: self._write_apart(batch))
        except Exception as error:  # noqa: BLE001 - as above
            return [unavailable(error) for _ in batch]

    def change(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run one statement for every row in a transaction of its own."""
        try:
            self._attempt(lambda: self._open().executemany(sql, rows))
        except sqlite3.Error as error:
            raise unavailable(error) from error

    def claim_orphans(self, now: str, leased_until: str, limit: int) -> list[OpenReview]:
        """Lease reviews whose lease has ended, in a transaction of its own."""
        try:
            return self._attempt(lambda: claim_orphans(self._open(), now, leased_until, limit))
        except sqlite3.Error as error:
            raise unavailable(error) from error

    def add_remarks(self, remarks: Sequence[Remark]) -> None:
        """Keep remarks, all or none, in a transaction of their own."""
        try:
            self._attempt(lambda: add_remarks(self._open(), remarks))
        except sqlite3.Error as error:
            raise unavailable(error) from error

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _attempt(self, write: Callable[[], T]) -> T:
        try:
            with self._transaction():
                result = write()
        except _BAD_RECORD:
            raise
        except sqlite3.Error:
            self._be_patient(False)
            raise
        if not self._is_patient:
            self._be_patient(True)
        return result

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:  # after some errors SQLite has rolled back by itself
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def _be_patient(self, is_patient: bool) -> None:
        self._is_patient = is_patient
        with suppress(sqlite3.Error):
            self._open().execute(f"PRAGMA busy_timeout={LOCK_TIMEOUT_MS if is_patient else _IMPATIENT_MS}")

    def _write(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        parts = parts_of(batch)
        if len(parts.records) == len(batch):
            return self._write_records(parts.records)
        kept = open_reviews(self._open(), parts.reviews)
        keep_replies(self._open(), parts.replies)
        stored = self._write_records(parts.records) if parts.records else []
        return outcomes_of(batch, stored, kept)

    def _write_records(self, batch: Sequence[Unlinked]) -> list[StoredRecord]:
        heads = self._heads({unlinked.new.realm_id for unlinked in batch})
        linked = link(batch, heads)
        self._insert("records", COLUMNS, linked.records)
        self._insert("outbox", _OUTBOX_COLUMNS, [_event(unlinked) for unlinked in batch])
        self._move_heads(linked, heads)
        if asked := [new for new, _ in batch if new.was_opened or new.spend]:
            self._insert("spend", _SPEND_COLUMNS, spend_rows(asked))
            close_reviews(self._open(), [new.decision_id for new in asked if new.was_opened])
        return linked.records

    def _write_apart(self, batch: Sequence[Write]) -> list[Outcome]:
        return [self._write_one(write) for write in batch]

    def _write_one(self, write: Write) -> Outcome:
        connection = self._open()
        connection.execute("SAVEPOINT one")
        try:
            outcome = self._write([write])[0]
        except _BAD_RECORD as error:
            connection.execute("ROLLBACK TO one")
            outcome = self._refusal(write, error)
        connection.execute("RELEASE one")
        return outcome

    def _refusal(self, write: Write, error: Exception) -> Exception:
        if isinstance(write, Unlinked):
            row = self._open().execute(BY_ID + "?", (write.new.decision_id,)).fetchone()
            if row is not None:
                if write.new.was_opened:
                    close_reviews(self._open(), [write.new.decision_id])
                return KeyTakenError(stored_record(row))
        return refused(write, error)

    def _heads(self, realm_ids: set[str]) -> dict[str, Head]:
        marks = ",".join("?" * len(realm_ids))
        sql = f"SELECT realm_id, position, hash FROM heads WHERE realm_id IN ({marks})"
        return {row[0]: Head(*row) for row in self._open().execute(sql, tuple(realm_ids))}

    def _move_heads(self, linked: Linked, before: dict[str, Head]) -> None:
        for realm_id, head in linked.heads.items():
            if realm_id in before:
                sql = "UPDATE heads SET position = ?2, hash = ?3 WHERE realm_id = ?1"
            else:
                sql = "INSERT INTO heads (realm_id, position, hash) VALUES (?, ?, ?)"
            self._open().execute(sql, head)

    def _insert(self, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows by statements of 128, 64, … 1 rows, so that only eight statements a table are ever prepared."""
        start, left = 0, len(rows)
        while left:
            size = min(_MAX_ROWS, 1 << (left.bit_length() - 1))
            values = tuple(chain.from_iterable(rows[start : start + size]))
            self._open().execute(_insert_sql(table, columns, size), values)
            start, left = start + size, left - size


def _event(unlinked: Unlinked) -> tuple[str, str, str, bytes]:
    new = unlinked.new
    return (new.realm_id, new.decision_id, new.topic, new.event)


@lru_cache
def _insert_sql(table: str, columns: str, rows: int) -> str:
    row = f"({','.join('?' * (columns.count(',') + 1))})"
    return f"INSERT INTO {table} ({columns}) VALUES {','.join([row] * rows)}"
