"""From a database URL to a ledger."""

from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from council.ledger.port import Ledger, LedgerConfigError

VARIABLE: Final = "COUNCIL_DATABASE_URL"
FORMS: Final = "sqlite:///relative/file.db, sqlite:////absolute/file.db, postgresql://user:password@host:5432/database or memory://"
_SQLITE = ("sqlite", "sqlite+aiosqlite")
_POSTGRES = ("postgresql", "postgres", "postgresql+asyncpg")


class DatabaseUrl(NamedTuple):
    """A URL that was understood."""

    kind: str
    """sqlite, postgresql or memory."""
    target: str
    """The file's path for SQLite, the driver's URL for PostgreSQL, empty for memory."""


def read_url(url: str) -> DatabaseUrl:
    """Return what a database URL means.

    Raises:
        LedgerConfigError: naming the variable and the accepted forms; the URL, which may hold a password, is not repeated.
    """
    scheme, mark, rest = url.partition("://")
    if mark and scheme in _SQLITE:
        return DatabaseUrl("sqlite", _sqlite_path(rest))
    if mark and scheme in _POSTGRES:
        return DatabaseUrl("postgresql", _postgres_url(rest))
    if mark and scheme == "memory":
        if rest:
            raise _refused("memory:// takes nothing behind it")
        return DatabaseUrl("memory", "")
    raise _refused(f"the scheme {scheme[:20]!r} is not known" if mark else "it is not a URL")


def open_ledger(url: str, *, create: bool = True) -> Ledger:
    """Open the ledger that a URL names.

    A SQLite file is brought to this code's schema at once. A PostgreSQL database is connected to at its first use (`ready` tells
    whether it is there) and migrated by `migrate`.

    Args:
        create: make a SQLite file that is missing; without it a missing file is refused.

    Raises:
        LedgerConfigError: for a URL that cannot be used.
        LedgerUnavailableError: for a SQLite file that cannot be opened now.
    """
    kind, target = read_url(url)
    # Each adapter is imported when it is chosen: none makes the others' users wait for its driver.
    if kind == "memory":
        from council.ledger.memory import MemoryLedger  # noqa: PLC0415

        return MemoryLedger()
    if kind == "sqlite":
        from council.ledger.sqlite import SqliteLedger  # noqa: PLC0415

        return SqliteLedger(Path(target), create=create)
    from council.ledger.postgres import PostgresLedger  # noqa: PLC0415

    return PostgresLedger(target)


def migrate(url: str) -> None:
    """Bring a database to this code's schema. Call it where no event loop runs.

    Raises:
        LedgerConfigError: for a URL that cannot be used, or a schema newer than this code.
        LedgerUnavailableError: where the database cannot be reached or changed now.
    """
    kind, target = read_url(url)
    if kind == "sqlite":
        from council.ledger.sqlite_files import prepare  # noqa: PLC0415

        prepare(Path(target), create=True)
    elif kind == "postgresql":
        from council.ledger.postgres_connect import prepare_postgres  # noqa: PLC0415

        prepare_postgres(target)


def _sqlite_path(rest: str) -> str:
    path = unquote(rest.partition("?")[0])
    if not path.startswith("/") or path in ("/", "/:memory:"):
        raise _refused(
            "a SQLite URL has three slashes and a file; for a store that ends with the process use memory://"
        )
    return path[1:]


def _postgres_url(rest: str) -> str:
    url = f"postgresql://{rest}"
    try:
        name = urlsplit(url).path.strip("/")
    except ValueError:
        raise _refused("the PostgreSQL URL cannot be read") from None
    if not name:
        raise _refused("the PostgreSQL URL names no database")
    return url


def _refused(reason: str) -> LedgerConfigError:
    return LedgerConfigError(f"{VARIABLE} cannot be used: {reason}; accepted: {FORMS}")
