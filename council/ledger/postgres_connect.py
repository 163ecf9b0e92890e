"""PostgreSQL connections of the ledger: how they are opened, and what their errors mean."""

from typing import Any, Final

import asyncpg

from council.ledger.port import LedgerConfigError, LedgerUnavailableError
from council.ledger.schema_version import REVISION

LOCK_TIMEOUT_MS: Final = 2000
STATEMENT_TIMEOUT_MS: Final = 5000
CONNECT_TIMEOUT_S: Final = 2.0
_SETTINGS: Final = {
    "application_name": "council-ledger",
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
}
OPTIONS: Final[dict[str, Any]] = {
    "timeout": CONNECT_TIMEOUT_S,
    # Behind the server's own limit, for a server that does not answer at all.
    "command_timeout": STATEMENT_TIMEOUT_MS / 1000 + 1,
    "server_settings": _SETTINGS,
}

UNAVAILABLE: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What a database that cannot be used now raises."""
CONFLICT: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""Worth another try of the whole transaction."""
BAD_RECORD: Final = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
    UnicodeEncodeError,
)
"""What one record brings about by what it holds."""
_LONG_WAIT = (asyncpg.InsufficientResourcesError, asyncpg.ReadOnlySQLTransactionError)


def unavailable(error: BaseException) -> LedgerUnavailableError:
    """Return what a driver's error means to callers: never its SQL, its values or its address."""
    if isinstance(error, OSError) and not isinstance(error, TimeoutError):
        return LedgerUnavailableError(f"no connection to PostgreSQL ({type(error).__name__})", retry_after_s=2)
    if isinstance(error, TimeoutError):
        return LedgerUnavailableError("PostgreSQL does not answer", retry_after_s=2)
    retry_after_s = 5 if isinstance(error, _LONG_WAIT) else 1
    return LedgerUnavailableError(f"{str(error).splitlines()[0]} ({type(error).__name__})", retry_after_s=retry_after_s)


async def check_revision(connection: Any) -> None:
    """Ask the database for its schema's revision.

    Raises:
        LedgerUnavailableError: for another revision than this code writes.
    """
    try:
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        revision = None
    if revision != REVISION:
        raise LedgerUnavailableError(f"its schema is {revision or 'empty'}, this program writes {REVISION}: migrate it")


def prepare_postgres(url: str) -> None:
    """Bring a database to this code's schema. Call it where no event loop runs.

    Raises:
        LedgerConfigError: for a schema newer than this code.
        LedgerUnavailableError: where the database cannot be reached or changed.
    """
    # Here, because Alembic takes a second to import and only a migration needs it.
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    from council.ledger.migrating import migrate_postgres  # noqa: PLC0415

    try:
        migrate_postgres(url)
    except CommandError as error:
        raise LedgerConfigError(f"its schema is unknown to this program ({REVISION!r}): update the program") from error
    except (*UNAVAILABLE, DBAPIError) as error:
        raise unavailable(error) from error
