"""From a database URL to the world's store: the URLs are those of the council's records, whose database it shares."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from world.errors import StoreConfigError, StoreUnavailableError
from world.persistence.port import WorldStore
from world.persistence.verdicts_told import VERDICT_INDEX

if TYPE_CHECKING:
    import sqlalchemy as sa

FORMS: Final = "sqlite:///relative/file.db, sqlite:////absolute/file.db, postgresql://user:password@host:5432/database or memory://"
_SQLITE = ("sqlite", "sqlite+aiosqlite")
_POSTGRES = ("postgresql", "postgres", "postgresql+asyncpg")
_LOCK_TIMEOUT_S = 10


class Tables(NamedTuple):
    """Tables that a SQLite file gets when it is first opened."""

    schema: str
    """The table, or the index, that says that they are there."""
    make: "Callable[[sa.Connection], None]"


def open_world_store(url: str, *, create: bool = True) -> WorldStore:
    """Open the store that a URL names.

    A SQLite file gets the world's tables at once where it has none. A PostgreSQL database is connected to at the first use
    (`ready` tells whether it is there) and gets them by `council migrate`.

    Args:
        create: make a SQLite file that is missing; without it a missing file is refused.

    Raises:
        StoreConfigError: for a URL that cannot be used; the URL, which may hold a password, is not repeated.
        StoreUnavailableError: for a SQLite file that cannot be opened now.
    """
    # Each adapter is imported when it is chosen: none makes the others' users wait for its driver.
    address = engine_url(url, Tables(VERDICT_INDEX, _make_world), create=create)
    if address is None:
        from world.persistence.memory import MemoryStore  # noqa: PLC0415

        return MemoryStore()
    from world.persistence.sql import SqlStore  # noqa: PLC0415

    return SqlStore(address)


def engine_url(url: str, tables: Tables, *, create: bool = True) -> str | None:
    """Return SQLAlchemy's URL of the database that a URL names; None for memory. A SQLite file has the tables afterwards.

    Raises:
        StoreConfigError: for a URL that cannot be used.
        StoreUnavailableError: for a SQLite file that cannot be opened now.
    """
    scheme, mark, rest = url.partition("://")
    if mark and scheme == "memory":
        if rest:
            raise _refused("memory:// takes nothing behind it")
        return None
    if mark and scheme in _SQLITE:
        path = _sqlite_path(rest)
        _prepare(path, tables, create=create)
        return f"sqlite+aiosqlite:///{path}"
    if mark and scheme in _POSTGRES:
        return f"postgresql+asyncpg://{_postgres_rest(rest)}"
    raise _refused(f"the scheme {scheme[:20]!r} is not known" if mark else "it is not a URL")


def _sqlite_path(rest: str) -> Path:
    path = unquote(rest.partition("?")[0])
    if not path.startswith("/") or path in ("/", "/:memory:"):
        raise _refused(
            "a SQLite URL has three slashes and a file; for a store that ends with the process use memory://"
        )
    return Path(path[1:])


def _postgres_rest(rest: str) -> str:
    try:
        name = urlsplit(f"postgresql://{rest}").path.strip("/")
    except ValueError:
        raise _refused("the PostgreSQL URL cannot be read") from None
    if not name:
        raise _refused("the PostgreSQL URL names no database")
    return rest


def _refused(reason: str) -> StoreConfigError:
    return StoreConfigError(f"the database's URL cannot be used: {reason}; accepted: {FORMS}")


def _prepare(path: Path, tables: Tables, *, create: bool) -> None:
    """Make sure that a SQLite file exists and has the tables."""
    if not path.exists():
        if not create:
            raise StoreConfigError(f"no world at {str(path)!r}; COUNCIL_DATABASE_URL names another file?")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"cannot make the directory {str(path.parent)!r}: {error.strerror}"
            raise StoreConfigError(message) from error
    if not _has(path, tables.schema):
        _make(path, tables)


def _has(path: Path, table: str) -> bool:
    import sqlite3  # noqa: PLC0415

    try:
        connection = sqlite3.connect(path, timeout=_LOCK_TIMEOUT_S)
        try:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise StoreUnavailableError(f"{str(path)!r} cannot be opened: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreConfigError(f"{str(path)!r} is not a SQLite database: {error}") from error
    return found is not None


def _make_world(connection: "sa.Connection") -> None:
    from world.persistence.sql_schema import create_world  # noqa: PLC0415

    create_world(connection)


def _make(path: Path, tables: Tables) -> None:
    # Several processes may do so at once, one after another: the write lock is taken before anything is looked at.
    import sqlalchemy as sa  # noqa: PLC0415

    engine = sa.create_engine(
        f"sqlite:///{path}", poolclass=sa.pool.NullPool, connect_args={"timeout": _LOCK_TIMEOUT_S}
    )
    sa.event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            tables.make(connection)
    except sa.exc.DBAPIError as error:
        raise StoreUnavailableError(f"{str(path)!r} cannot be written: {error.orig}") from error
