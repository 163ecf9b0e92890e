"""SQLite connections of the ledger: how they are opened, and what their errors mean."""

import sqlite3
import time
from pathlib import Path
from typing import Final

from council.ledger.port import LedgerConfigError, LedgerUnavailableError
from council.ledger.schema_version import REVISION

LOCK_TIMEOUT_MS: Final = 2000
"""How long a write waits for another process's lock (reliability.md, S3)."""
_RETRY_AFTER_S: Final = {"SQLITE_BUSY": 1, "SQLITE_LOCKED": 1}


def connect(path: Path, *, busy_timeout_ms: int = LOCK_TIMEOUT_MS) -> sqlite3.Connection:
    """Open a connection that commits durably: WAL, and the disk is flushed at every commit (synchronous FULL)."""
    connection = sqlite3.connect(path, timeout=busy_timeout_ms / 1000, isolation_level=None, check_same_thread=False)
    try:
        _use_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")  # the replies of a review go with it
        # 16 MB of log before it is folded in: a page of the id index that several batches touch is folded in once.
        connection.execute("PRAGMA wal_autocheckpoint=4000")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def connect_reader(path: Path, *, busy_timeout_ms: int = LOCK_TIMEOUT_MS) -> sqlite3.Connection:
    """Open a connection that cannot write."""
    connection = connect(path, busy_timeout_ms=busy_timeout_ms)
    connection.execute("PRAGMA query_only=ON")
    return connection


def prepare(path: Path, *, create: bool) -> None:
    """Make sure that the file exists with this code's schema.

    Args:
        create: make a missing file, and its directory.

    Raises:
        LedgerConfigError: for a file that is missing (without `create`), is no database, or has a newer schema.
        LedgerUnavailableError: where it cannot be read or written now.
    """
    if not path.exists():
        if not create:
            raise LedgerConfigError(f"no record store at {str(path)!r}; COUNCIL_DATABASE_URL names another file?")
        _make_directory(path)
    try:
        revision = _revision(path)
        if revision != REVISION:
            _migrate(path, revision)
    except sqlite3.Error as error:
        raise unavailable(error) from error


def check_revision(connection: sqlite3.Connection) -> None:
    """Ask the database for its schema's revision.

    Raises:
        LedgerUnavailableError: for another revision than this code writes.
        sqlite3.Error: where it does not answer.
    """
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None or row[0] != REVISION:
        raise LedgerUnavailableError(f"its schema is {row[0] if row else 'empty'}, this program writes {REVISION}")


def unavailable(error: Exception) -> LedgerUnavailableError:
    """Return what a driver's error means to callers: never its SQL or its values."""
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return LedgerUnavailableError(f"{error} ({name})", retry_after_s=_RETRY_AFTER_S.get(name, 5))


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; while another process does the same, SQLite refuses without waiting."""
    give_up = time.monotonic() + LOCK_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def _make_directory(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerConfigError(f"cannot make the directory {str(path.parent)!r}: {error.strerror}") from error


def _revision(path: Path) -> str | None:
    try:
        connection = connect(path)
    except sqlite3.OperationalError as error:
        raise unavailable(error) from error
    except sqlite3.DatabaseError as error:
        raise LedgerConfigError(f"{str(path)!r} is not a SQLite database: {error}") from error
    try:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
        return str(row[0]) if row else None
    finally:
        connection.close()


def _migrate(path: Path, revision: str | None) -> None:
    # Here, because Alembic takes a second to import and almost no start needs it.
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    from council.ledger.migrating import migrate_sqlite  # noqa: PLC0415

    try:
        migrate_sqlite(path)
    except DBAPIError as error:
        raise LedgerUnavailableError(f"its schema could not be brought up to date: {error.orig}") from error
    except CommandError as error:
        message = (
            f"{str(path)!r} has the schema {revision!r}, unknown to this program ({REVISION!r}): update the program"
        )
        raise LedgerConfigError(message) from error
